package ai.lockstep.harness;

import ai.lockstep.failure.LockstepException;

/**
 * What one run may use. The defaults are EvalPlus's.
 *
 * @param minTestSeconds least time limit of one test ({@code harness.min_time_limit}), above 0
 * @param referenceFactor a test may take this many times the reference solution's time ({@code
 *     harness.gt_time_limit_factor}), above 0
 * @param runSeconds cap on the sum of a run's test limits ({@code harness.max_run_seconds}), above
 *     0
 * @param memoryBytes limit of address space, data and stack ({@code harness.memory_bytes}); 0 for
 *     {@code min(4 GiB, physical memory)}
 * @param machineFactor all times are multiplied by it ({@code harness.machine_factor}), 0 or more;
 *     1 as EvalPlus, more on a machine slower than the one whose verdicts are to be matched, 0 for
 *     what {@link MachineFactor} measures
 */
public record Limits(
    double minTestSeconds,
    double referenceFactor,
    double runSeconds,
    long memoryBytes,
    double machineFactor) {

  /** EvalPlus 0.3.1: 4 s and 4 times the reference a test, 60 s a run, 4 GiB. */
  public static final Limits EVALPLUS = new Limits(4, 4, 60, 0, 1);

  /** Below this a Python process with numpy cannot even start. */
  public static final long LEAST_MEMORY_BYTES = 256L << 20;

  public Limits {
    requirePositive("harness.min_time_limit", minTestSeconds);
    requirePositive("harness.gt_time_limit_factor", referenceFactor);
    requirePositive("harness.max_run_seconds", runSeconds);
    if (machineFactor != 0) {
      requirePositive("harness.machine_factor", machineFactor);
    }
    if (memoryBytes != 0 && memoryBytes < LEAST_MEMORY_BYTES) {
      throw LockstepException.user(
          "Cannot use harness.memory_bytes=%d: it must be at least %d, or 0 for min(4 GiB, physical memory)."
              .formatted(memoryBytes, LEAST_MEMORY_BYTES));
    }
  }

  /** With another factor of all times. */
  Limits withMachineFactor(double newMachineFactor) {
    return new Limits(minTestSeconds, referenceFactor, runSeconds, memoryBytes, newMachineFactor);
  }

  private static void requirePositive(String key, double value) {
    if (!(value > 0) || Double.isInfinite(value)) {
      throw LockstepException.user("Cannot use %s=%s: it must be above 0.".formatted(key, value));
    }
  }
}
