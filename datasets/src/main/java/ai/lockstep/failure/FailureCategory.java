package ai.lockstep.failure;

/** Who has to act on a failure; each category has its own exit code. */
public enum FailureCategory {
  /** The command, a configuration value or an input file is wrong: the user changes it. */
  USER(2),
  /** The machine lacks something: a package, a sandbox, disk, a GPU, the network. */
  ENVIRONMENT(3),
  /** Some rows failed; everything else is written. */
  PARTIAL(4),
  /** Everything ran and is written; the results are worse than earlier ones. */
  REGRESSION(5),
  /** A bug of ours (EX_SOFTWARE of sysexits.h). */
  INTERNAL(70);

  private final int exitCode;

  FailureCategory(int exitCode) {
    this.exitCode = exitCode;
  }

  /** The process's exit status, 1..127. */
  public int exitCode() {
    return exitCode;
  }
}
