package ai.lockstep.udf.model;

/** Which position's output predicts position i. */
public enum Alignment {
  /** Dream: the output at i - 1, and at 0 for i = 0 (next-token alignment kept from Qwen2.5). */
  SHIFTED,
  /** LLaDA: the output at i itself. */
  IN_PLACE;

  /** The position whose output predicts {@code target}. */
  public int source(int target) {
    return this == SHIFTED ? Math.max(target - 1, 0) : target;
  }
}
