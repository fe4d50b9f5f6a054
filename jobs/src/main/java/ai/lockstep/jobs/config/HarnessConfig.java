package ai.lockstep.jobs.config;

import ai.lockstep.failure.LockstepException;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * {@code harness}, as it is written in the configuration; the harness checks what only it knows.
 *
 * @param sandbox {@code auto} or the name of an isolation level
 * @param python path of the interpreter
 * @param sanitize whether the program is cut out of the completion
 * @param baseOnly whether the plus tests are left out
 * @param failFast whether a run ends at its first failed test
 * @param minTimeLimit seconds a test may take at least, above 0
 * @param gtTimeLimitFactor and this many times the reference's time, above 0
 * @param maxRunSeconds cap on the sum of a program's limits, above 0
 * @param memoryBytes of a program; 0 for min(4 GiB, the machine's)
 * @param machineFactor multiplies all times, above 0; empty for what is measured on the machine
 * @param parallel programs tested at once by an executor; empty for all its cores
 */
public record HarnessConfig(
    String sandbox,
    String python,
    boolean sanitize,
    boolean baseOnly,
    boolean failFast,
    double minTimeLimit,
    double gtTimeLimitFactor,
    double maxRunSeconds,
    long memoryBytes,
    Optional<Double> machineFactor,
    OptionalInt parallel) {

  public HarnessConfig {
    above0("min_time_limit", minTimeLimit);
    above0("gt_time_limit_factor", gtTimeLimitFactor);
    above0("max_run_seconds", maxRunSeconds);
    machineFactor.ifPresent(factor -> above0("machine_factor", factor));
    if (memoryBytes < 0) {
      throw failure(
          "memory_bytes", memoryBytes, "it must be 0 or more; 0 means min(4 GiB, the machine's)");
    }
    if (parallel.isPresent() && parallel.getAsInt() < 1) {
      throw failure("parallel", parallel.getAsInt(), "it must be 1 or more, or null for all cores");
    }
  }

  static HarnessConfig read(Keys keys) {
    HarnessConfig harness =
        new HarnessConfig(
            keys.text("sandbox"),
            keys.text("python"),
            keys.flag("sanitize"),
            keys.flag("base_only"),
            keys.flag("fail_fast"),
            keys.number("min_time_limit"),
            keys.number("gt_time_limit_factor"),
            keys.number("max_run_seconds"),
            keys.longInteger("memory_bytes"),
            keys.optionalNumber("machine_factor"),
            keys.optionalInteger("parallel"));
    keys.rejectUnread();
    return harness;
  }

  private static void above0(String key, double value) {
    if (!(value > 0) || Double.isInfinite(value)) {
      throw failure(key, value, "it must be above 0");
    }
  }

  private static LockstepException failure(String key, Object value, String rule) {
    return LockstepException.user("Cannot run with harness.%s=%s: %s.".formatted(key, value, rule));
  }
}
