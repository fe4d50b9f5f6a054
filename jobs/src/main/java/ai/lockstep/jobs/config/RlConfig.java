package ai.lockstep.jobs.config;

import ai.lockstep.failure.LockstepException;

/**
 * {@code rl}: rollouts for offline GRPO.
 *
 * @param groupSize samples a task, at least 2
 * @param baseline what is subtracted from a reward
 * @param scaleByStd whether advantages are divided by the group's standard deviation
 * @param correctnessWeight reward for passing all tests, 0 or more
 * @param formatWeight reward for a program that can be parsed, 0 or more
 * @param logProbabilities the estimate for the old policy
 * @param coupledTMin smallest share of masked tokens, in (0, coupledTMax]
 * @param coupledTMax largest share of masked tokens, below 1
 * @param promptMask probability that a prompt token is masked, in [0, 1)
 */
public record RlConfig(
    int groupSize,
    Baseline baseline,
    boolean scaleByStd,
    double correctnessWeight,
    double formatWeight,
    LogProbabilities logProbabilities,
    double coupledTMin,
    double coupledTMax,
    double promptMask) {

  /** {@code rl.baseline}. */
  public enum Baseline {
    /** The group's mean. */
    MEAN,
    /** The mean of the others. */
    LEAVE_ONE_OUT
  }

  /** {@code rl.log_probabilities}. */
  public enum LogProbabilities {
    /** Coupled pairs of masks (arXiv 2506.20639). */
    COUPLED,
    /** One fully masked pass (arXiv 2504.12216). */
    D1,
    /** None. */
    NONE
  }

  public RlConfig {
    require("group_size", groupSize, groupSize >= 2, "a group needs 2 samples or more");
    require(
        "correctness_weight", correctnessWeight, correctnessWeight >= 0, "it must be 0 or more");
    require("format_weight", formatWeight, formatWeight >= 0, "it must be 0 or more");
    require(
        "coupled_t_max", coupledTMax, coupledTMax > 0 && coupledTMax < 1, "it must lie in (0, 1)");
    require(
        "coupled_t_min",
        coupledTMin,
        coupledTMin > 0 && coupledTMin <= coupledTMax,
        "it must lie in (0, %s], up to rl.coupled_t_max".formatted(coupledTMax));
    require("prompt_mask", promptMask, promptMask >= 0 && promptMask < 1, "it must lie in [0, 1)");
  }

  static RlConfig read(Keys keys) {
    RlConfig rl =
        new RlConfig(
            keys.integer("group_size"),
            keys.choice("baseline", Baseline.class),
            keys.flag("scale_by_std"),
            keys.number("correctness_weight"),
            keys.number("format_weight"),
            keys.choice("log_probabilities", LogProbabilities.class),
            keys.number("coupled_t_min"),
            keys.number("coupled_t_max"),
            keys.number("prompt_mask"));
    keys.rejectUnread();
    return rl;
  }

  private static void require(String key, Object value, boolean holds, String rule) {
    if (!holds) {
      throw LockstepException.user("Cannot run with rl.%s=%s: %s.".formatted(key, value, rule));
    }
  }
}
