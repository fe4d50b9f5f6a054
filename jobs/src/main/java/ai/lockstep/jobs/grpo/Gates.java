package ai.lockstep.jobs.grpo;

import ai.lockstep.failure.LockstepException;
import ai.lockstep.jobs.config.GateConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** Whether rollouts may be trained on, by {@code rl.gates}. */
final class Gates {

  private Gates() {}

  /**
   * The gates that fail, as {@code tamper rate 0.020 is above rl.gates.max_tamper_rate=0.01}.
   *
   * @param tamperRate share of samples
   * @param zeroSpread share of groups
   */
  static List<String> failed(
      GateConfig gates, double tamperRate, double zeroSpread, Optional<Drift> drift) {
    List<String> failed = new ArrayList<>();
    compare(failed, "tamper rate", tamperRate, "max_tamper_rate", gates.maxTamperRate());
    compare(failed, "zero spread", zeroSpread, "max_zero_spread", gates.maxZeroSpread());
    drift.ifPresent(
        moved -> {
          compare(failed, "distance", moved.distance(), "max_distance", gates.maxDistance());
          if (moved.p() < Drift.SIGNIFICANT) {
            compare(failed, "fall of the mean", -moved.shift(), "max_drop", gates.maxDrop());
          }
        });
    return failed;
  }

  /**
   * Ends the command when a gate failed; everything is written by now.
   *
   * @throws LockstepException (partial) naming every gate that failed
   */
  static void require(List<String> failed, String outputDir) {
    if (!failed.isEmpty()) {
      throw LockstepException.partial(
          "The rollouts at %s are written, but %s. Look at them before training."
              .formatted(outputDir, String.join("; ", failed)));
    }
  }

  private static void compare(
      List<String> failed, String what, double value, String key, Optional<Double> limit) {
    if (limit.isPresent() && value > limit.get()) {
      failed.add(
          String.format(
              Locale.ROOT, "%s %.3f is above rl.gates.%s=%s", what, value, key, limit.get()));
    }
  }
}
