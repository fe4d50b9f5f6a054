package ai.lockstep.jobs.tracking;

/**
 * Tells one service of a run. Any of the methods may fail; the caller warns with what is lost and
 * goes on with the job.
 */
public interface Tracker {

  /** The service, for people. */
  String service();

  /** The run has its folder and starts. */
  void begin() throws Exception;

  /** The run measured something on its way. */
  void step(TrackedStep step) throws Exception;

  /**
   * The run came to its end.
   *
   * @return a sentence on where to find it
   */
  String finish(RunResults results) throws Exception;

  /** What is not tracked when it fails, and what to do about it: a sentence. */
  String loss();

  /** The job ends: the run as it stands, when it was not finished, has failed. */
  void close() throws Exception;
}
