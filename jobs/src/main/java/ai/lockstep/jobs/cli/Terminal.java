package ai.lockstep.jobs.cli;

/** Whether a person watches standard error. */
final class Terminal {

  /** Set by the launcher, which can ask the shell; a JVM cannot tell standard error apart. */
  private static final String VARIABLE = "LOCKSTEP_TERMINAL";

  private Terminal() {}

  static boolean isInteractive() {
    return "1".equals(System.getenv(VARIABLE));
  }
}
