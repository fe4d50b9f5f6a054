package ai.lockstep.udf.decode;

/** Whether the answer block sees what the reasoning block committed in the same sweep. */
public enum LockstepMode {
  /** R first, then A on the updated row: two passes a sweep, one once a block is finished. */
  GAUSS_SEIDEL,
  /** R and A from the same pass. */
  JACOBI;

  /** The spelling in configurations. */
  public String spelling() {
    return Setting.spelling(this);
  }

  /**
   * Reads {@code decode.mode}.
   *
   * @throws ai.lockstep.failure.LockstepException when there is no such mode
   */
  public static LockstepMode named(String spelling) {
    return Setting.choice(LockstepMode.class, "decode.mode", spelling);
  }
}
