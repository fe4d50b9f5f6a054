package ai.lockstep.udf.decode;

/** Why a token became final. */
public enum CommitKind {
  /** Its confidence met the threshold. */
  THRESHOLD,
  /** Nothing met the threshold, or the budget demanded it. */
  FORCED,
  /** A schedule said how many tokens to commit. */
  SCHEDULED,
  /** It stands behind an end token. */
  EOS_FILL,
  /** A tokens hook wrote it. */
  HOOK;

  /** Whether the model proposed the token, so that it has a probability. */
  public boolean isChosenByTheModel() {
    return this != EOS_FILL && this != HOOK;
  }

  /** The spelling in tables and traces: {@code threshold}, {@code eos_fill}, ... */
  public String spelling() {
    return Setting.spelling(this);
  }
}
