package ai.lockstep.jobs.config;

import ai.lockstep.failure.LockstepException;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * {@code rl.rewards}: what a sample's reward is made of. A reward is the sum over parts of weight
 * times the part's value; the values are columns of the table {@code grpo}.
 *
 * @param weights of every part; 0 for one that does not count
 */
public record RewardWeights(Map<Part, Double> weights) {

  /** One thing that is rewarded. */
  public enum Part {
    /** Base and plus tests pass: 0 or 1. */
    PLUS,
    /** The base tests pass: 0 or 1. */
    BASE,
    /** Share of all tests that pass: 0 to 1. */
    TESTS,
    /** Every block holds text and the answer holds a program: 0 or 1. */
    FORMAT,
    /** Share of the filled positions that stand behind an end token: 0 to 1. */
    LENGTH,
    /** The program tried to forge its verdict: 0 or 1, with a weight of 0 or less. */
    TAMPER;

    /** The spelling in {@code rl.rewards}; the column is {@code reward_} and this. */
    public String spelling() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  public RewardWeights {
    EnumMap<Part, Double> all = new EnumMap<>(Part.class);
    for (Part part : Part.values()) {
      double weight = weights.getOrDefault(part, 0.0);
      require(part, weight, Double.isFinite(weight), "a weight must be finite");
      all.put(part, weight);
    }
    require(
        Part.TAMPER,
        all.get(Part.TAMPER),
        all.get(Part.TAMPER) <= 0,
        "it is a penalty, so its weight must be 0 or less");
    if (all.values().stream().allMatch(weight -> weight == 0)) {
      throw LockstepException.user(
          "Cannot run with rl.rewards: every weight is 0, so all rewards would be equal. Try rl.rewards.plus=1.");
    }
    weights = Map.copyOf(all);
  }

  /** The weight of a part; 0 when it does not count. */
  public double of(Part part) {
    return weights.get(part);
  }

  static RewardWeights read(Keys keys) {
    EnumMap<Part, Double> weights = new EnumMap<>(Part.class);
    for (Part part : Part.values()) {
      keys.optionalNumber(part.spelling()).ifPresent(weight -> weights.put(part, weight));
    }
    List<String> unknown = keys.rest(name -> true);
    if (!unknown.isEmpty()) {
      throw LockstepException.user(
          "Cannot reward by %s: there is no such part. The parts are %s."
              .formatted(
                  keys.spelling(unknown.get(0)),
                  Arrays.stream(Part.values())
                      .map(Part::spelling)
                      .collect(Collectors.joining(", "))));
    }
    return new RewardWeights(weights);
  }

  private static void require(Part part, double weight, boolean holds, String rule) {
    if (!holds) {
      throw LockstepException.user(
          "Cannot run with rl.rewards.%s=%s: %s.".formatted(part.spelling(), weight, rule));
    }
  }
}
