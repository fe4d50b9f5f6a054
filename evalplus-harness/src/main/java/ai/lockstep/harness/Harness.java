package ai.lockstep.harness;

import ai.lockstep.datasets.Task;

/**
 * Judges programs in sandboxes; one for a JVM, used from any thread.
 *
 * <p>At most {@link HarnessSettings#parallel} programs run at a time; further callers wait.
 */
public final class Harness implements AutoCloseable {

  private Harness() {}

  /**
   * Starts the sandboxes.
   *
   * @throws ai.lockstep.failure.LockstepException (environment) when the interpreter, numpy or the
   *     sandbox asked for is missing
   */
  public static Harness open(HarnessSettings settings) {
    throw new UnsupportedOperationException("not yet");
  }

  /**
   * Runs a program against its task's tests.
   *
   * @param datasetMd5 of the file that the task is from: what expected outputs are cached by
   * @param program whole program text; may hold anything, also lone surrogates
   */
  public Verdict judge(Task task, String datasetMd5, String program) {
    throw new UnsupportedOperationException("not yet");
  }

  /** The level that programs run under. */
  public Isolation isolation() {
    throw new UnsupportedOperationException("not yet");
  }

  /** What runs them. */
  public Interpreter interpreter() {
    throw new UnsupportedOperationException("not yet");
  }

  /** Ends all processes; programs still running fail. */
  @Override
  public void close() {}
}
