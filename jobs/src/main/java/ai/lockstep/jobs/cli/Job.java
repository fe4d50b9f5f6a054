package ai.lockstep.jobs.cli;

/** What a command does once its configuration is composed. */
@FunctionalInterface
public interface Job {

  /**
   * Runs to the end.
   *
   * @throws ai.lockstep.failure.LockstepException when the operator has to act; the category
   *     decides the exit code
   */
  void run(JobContext context) throws Exception;
}
