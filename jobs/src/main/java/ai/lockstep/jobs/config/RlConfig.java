package ai.lockstep.jobs.config;

import ai.lockstep.failure.LockstepException;
import java.util.Locale;
import java.util.Optional;

/**
 * {@code rl}: rollouts for offline GRPO.
 *
 * @param samples samples a task, at least 2
 * @param greedy whether a group may be decoded at temperature 0
 * @param rewards what a reward is made of
 * @param advantage which advantage trainers are given
 * @param advantageClip advantages lie in [-clip, clip], above 0; empty for no limit
 * @param zeroSpread what trainers are given of groups whose rewards are all equal
 * @param replay samples whose log-probabilities are computed again, 0 or more
 */
public record RlConfig(
    int samples,
    Greedy greedy,
    RewardWeights rewards,
    Advantage advantage,
    Optional<Double> advantageClip,
    ZeroSpread zeroSpread,
    int replay) {

  /** {@code rl.allow_greedy}. */
  public enum Greedy {
    /** Refused: all samples of a group would be equal. */
    REFUSED,
    /** Allowed. */
    ALLOWED
  }

  /** {@code rl.advantage}: how a reward r is compared with its group's. */
  public enum Advantage {
    /**
     * (r - mean) / (standard deviation + 1e-6), the deviation with n - 1 (DeepSeekMath, arXiv
     * 2402.03300; the deviation and the small number as verl's core_algos.py has them).
     */
    GRPO,
    /** r - mean (arXiv 2503.20783). */
    DR_GRPO,
    /** r - mean of the others (arXiv 2402.14740). */
    RLOO;

    /** The spelling in {@code rl.advantage}; the column is {@code advantage_} and this. */
    public String spelling() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** {@code rl.zero_spread}. */
  public enum ZeroSpread {
    /** They are in the trainers' files, with advantages of 0. */
    KEEP,
    /** They are in the table {@code grpo} alone. */
    DROP
  }

  public RlConfig {
    require("samples", samples, samples >= 2, "a group needs 2 samples or more");
    require("replay", replay, replay >= 0, "it must be 0 or more; 0 checks nothing");
    advantageClip.ifPresent(
        clip ->
            require(
                "advantage_clip",
                clip,
                clip > 0 && Double.isFinite(clip),
                "it must be above 0, or null for no limit"));
  }

  static RlConfig read(Keys keys) {
    // Read through model.generation.temperature.
    keys.number("temperature");
    RlConfig rl =
        new RlConfig(
            keys.integer("samples"),
            keys.flag("allow_greedy") ? Greedy.ALLOWED : Greedy.REFUSED,
            RewardWeights.read(keys.map("rewards")),
            keys.choice("advantage", Advantage.class),
            keys.optionalNumber("advantage_clip"),
            keys.choice("zero_spread", ZeroSpread.class),
            keys.integer("replay"));
    keys.rejectUnread();
    return rl;
  }

  private static void require(String key, Object value, boolean holds, String rule) {
    if (!holds) {
      throw LockstepException.user("Cannot run with rl.%s=%s: %s.".formatted(key, value, rule));
    }
  }
}
