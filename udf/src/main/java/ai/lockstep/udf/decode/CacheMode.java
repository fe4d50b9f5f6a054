package ai.lockstep.udf.decode;

/** Which keys and values a pass recomputes; each decoder says what becomes stale when. */
public enum CacheMode {
  /** Everything: exact, and the cost of a full pass every time. */
  NONE,
  /** From the active block to the row's end; what stands before it is remembered. */
  PREFIX,
  /** The active block alone; what stands before and behind it is remembered. */
  DUAL;

  /** The spelling in configurations. */
  public String spelling() {
    return Setting.spelling(this);
  }

  /**
   * Reads {@code decode.cache}.
   *
   * @throws ai.lockstep.failure.LockstepException when there is no such cache
   */
  public static CacheMode named(String spelling) {
    return Setting.choice(CacheMode.class, "decode.cache", spelling);
  }
}
