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
 * @param group what a group is
 * @param maxSamples samples a task at most, when its rewards stay equal; {@code samples} for one
 *     round
 * @param logProbs which estimate of log-probabilities is made
 * @param d1PromptMask probability with which {@link LogProbs#D1} hides a token of the prompt
 * @param replay samples whose log-probabilities are computed again, 0 or more
 * @param gates what the data must be like
 */
public record RlConfig(
    int samples,
    Greedy greedy,
    RewardWeights rewards,
    Advantage advantage,
    Optional<Double> advantageClip,
    ZeroSpread zeroSpread,
    LogProbs logProbs,
    double d1PromptMask,
    int replay,
    Group group,
    int maxSamples,
    GateConfig gates) {

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

  /** {@code rl.group}: which samples a reward is compared with. */
  public enum Group {
    /** Those of its task under its configuration. */
    CONFIG,
    /** Those of its task, under whichever configuration of a sweep. */
    TASK
  }

  /** {@code rl.logprobs}: what ratios of policies are to be computed from. */
  public enum LogProbs {
    /** What decoding left behind: ln p of every token in the state that it was committed in. */
    TRACE,
    /** d1's estimate (arXiv 2504.12216): one more pass a sample. */
    D1,
    /** DiffuCoder's coupled estimate (arXiv 2506.20639): three more passes a sample. */
    COUPLED;

    /** The spelling in {@code rl.logprobs}. */
    public String spelling() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  public RlConfig {
    require("samples", samples, samples >= 2, "a group needs 2 samples or more");
    require(
        "d1_prompt_mask",
        d1PromptMask,
        d1PromptMask >= 0 && d1PromptMask < 1,
        "a probability in [0, 1) is needed; 0 hides none of the prompt");
    require(
        "dynamic_sampling.max_samples",
        maxSamples,
        maxSamples >= samples,
        "it must be rl.samples or more, or null for one round");
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
    int samples = keys.integer("samples");
    Keys dynamic = keys.map("dynamic_sampling");
    int maxSamples = dynamic.optionalInteger("max_samples").orElse(samples);
    dynamic.rejectUnread();
    RlConfig rl =
        new RlConfig(
            samples,
            keys.flag("allow_greedy") ? Greedy.ALLOWED : Greedy.REFUSED,
            RewardWeights.read(keys.map("rewards")),
            keys.choice("advantage", Advantage.class),
            keys.optionalNumber("advantage_clip"),
            keys.choice("zero_spread", ZeroSpread.class),
            keys.choice("logprobs", LogProbs.class),
            keys.number("d1_prompt_mask"),
            keys.integer("replay"),
            keys.choice("group", Group.class),
            maxSamples,
            GateConfig.read(keys.map("gates")));
    keys.rejectUnread();
    return rl;
  }

  private static void require(String key, Object value, boolean holds, String rule) {
    if (!holds) {
      throw LockstepException.user("Cannot run with rl.%s=%s: %s.".formatted(key, value, rule));
    }
  }
}
