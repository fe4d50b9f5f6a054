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

  /** The spelling in tables and traces: {@code threshold}, {@code eos_fill}, ... */
  public String spelling() {
    return Setting.spelling(this);
  }
}
