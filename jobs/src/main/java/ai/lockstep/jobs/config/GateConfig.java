package ai.lockstep.jobs.config;

import ai.lockstep.failure.LockstepException;
import java.util.Optional;

/**
 * {@code rl.gates}: what rollouts must be like to be trained on. A gate that is empty is not
 * checked.
 *
 * @param against folder of an earlier rollout to compare with
 * @param maxDistance largest Kolmogorov-Smirnov distance of the rewards to the earlier ones, 0..1
 * @param maxDrop largest significant fall of a task's mean reward, on average over tasks
 * @param maxTamperRate largest share of tampered samples, 0..1
 * @param maxZeroSpread largest share of groups whose rewards are all equal, 0..1
 */
public record GateConfig(
    Optional<String> against,
    Optional<Double> maxDistance,
    Optional<Double> maxDrop,
    Optional<Double> maxTamperRate,
    Optional<Double> maxZeroSpread) {

  public GateConfig {
    requireShare("max_distance", maxDistance);
    requireShare("max_tamper_rate", maxTamperRate);
    requireShare("max_zero_spread", maxZeroSpread);
    maxDrop.ifPresent(
        drop -> {
          if (!(drop >= 0)) {
            throw LockstepException.user(
                "Cannot run with rl.gates.max_drop=%s: it must be 0 or more, or null."
                    .formatted(drop));
          }
        });
    if (against.isEmpty() && (maxDistance.isPresent() || maxDrop.isPresent())) {
      throw LockstepException.user(
          "Cannot run with rl.gates.%s=%s: there is nothing to compare with. Set rl.gates.against to the output.dir of an earlier rollout."
              .formatted(
                  maxDistance.isPresent() ? "max_distance" : "max_drop",
                  maxDistance.or(() -> maxDrop).orElseThrow()));
    }
  }

  static GateConfig read(Keys keys) {
    GateConfig gates =
        new GateConfig(
            keys.optionalText("against"),
            keys.optionalNumber("max_distance"),
            keys.optionalNumber("max_drop"),
            keys.optionalNumber("max_tamper_rate"),
            keys.optionalNumber("max_zero_spread"));
    keys.rejectUnread();
    return gates;
  }

  private static void requireShare(String key, Optional<Double> value) {
    if (value.isPresent() && !(value.get() >= 0 && value.get() <= 1)) {
      throw LockstepException.user(
          "Cannot run with rl.gates.%s=%s: it must lie in [0, 1], or be null."
              .formatted(key, value.get()));
    }
  }
}
