package ai.lockstep.harness;

import java.util.Locale;

/** EvalPlus's status of one run (the base or the plus tests of one program). */
public enum Status {
  /** The process ended by itself and every test passed. */
  PASS,
  /** The process ended by itself and some test failed, or the program did not load. */
  FAIL,
  /** The process was killed at its time budget, or died without reporting. */
  TIMEOUT;

  /** The word in EvalPlus's result files: {@code pass}, {@code fail} or {@code timeout}. */
  public String evalPlusName() {
    return name().toLowerCase(Locale.ROOT);
  }
}
