package ai.lockstep.harness;

import java.util.Locale;

/** What happened to a run, finer than EvalPlus's {@link Status}. It describes the first failure. */
public enum Outcome {
  /** Every test passed. */
  PASSED,
  /** A call returned a value that is not right. */
  WRONG_ANSWER,
  /** Loading the program or a call raised; the message starts with the exception's type. */
  EXCEPTION,
  /** The program text does not compile. */
  SYNTAX_ERROR,
  /** The program loaded and does not define the entry point. */
  MISSING_ENTRY_POINT,
  /** A call ran past its own limit, or the run past its budget. */
  TIMEOUT,
  /** MemoryError: the memory limit was met. */
  MEMORY,
  /** A returned value was too large to be taken out of the sandbox. */
  OUTPUT_LIMIT,
  /** The process ended before the tests were through: a fatal signal or {@code os._exit}. */
  CRASHED,
  /** The sandbox was lost every time the program ran, though it works for others. */
  SANDBOX_ERROR,
  /** The program wrote on the result channel or otherwise bent the way it is judged. */
  TAMPERED;

  /** The spelling in tables: lower case. */
  public String columnName() {
    return name().toLowerCase(Locale.ROOT);
  }
}
