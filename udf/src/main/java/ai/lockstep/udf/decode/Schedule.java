package ai.lockstep.udf.decode;

import java.util.Optional;
import java.util.function.DoubleFunction;
import java.util.function.IntFunction;

/**
 * How fast a span is filled: by which rule its next pass commits, given how many it has had and how
 * many masks are left. Stateless, so a hook that fills or opens positions bends no schedule.
 */
@FunctionalInterface
interface Schedule {

  /**
   * The rule of a span's next pass.
   *
   * @param step passes the span has had, from 0
   * @param masks masks left in the span, at least 1
   * @return empty when the span's passes are used up: what is masked then stays masked
   */
  Optional<CommitRule> rule(int step, int masks);

  /**
   * The same rule in every pass. A rule that commits at least one token is done after as many
   * passes as there were masks, so more are not made: a model that proposes the mask token itself
   * would keep a row busy for ever.
   */
  static Schedule untilFilled(int passes, CommitRule rule) {
    return (step, masks) -> step < passes ? Optional.of(rule) : Optional.empty();
  }

  /**
   * So many tokens in every pass that they add up in {@code steps} passes, the larger numbers first
   * (LLaDA, get_num_transfer_tokens).
   */
  static Schedule even(int steps, IntFunction<CommitRule> rule) {
    return (step, masks) ->
        step < steps ? Optional.of(rule.apply(ceilDiv(masks, steps - step))) : Optional.empty();
  }

  /**
   * Dream's linear noise: pass i commits {@code int(masks (1 - t[i+1] / t[i]))} tokens with t from
   * 1 to {@code eps} in equal steps, the last pass all. In float32, as upstream.
   *
   * @param rule of a number of tokens
   */
  static Schedule linear(int steps, double eps, IntFunction<CommitRule> rule) {
    float[] times = times(steps, (float) eps);

    return (step, masks) -> {
      if (step >= steps) {
        return Optional.empty();
      }
      int count = step == steps - 1 ? masks : (int) (masks * transfer(times, step));

      return Optional.of(rule.apply(count));
    };
  }

  /**
   * The same noise as a probability: every masked position is committed on its own with {@code 1 -
   * t[i+1] / t[i]}, in the last pass surely (Dream's {@code origin}).
   *
   * @param rule of a probability
   */
  static Schedule linearProbability(int steps, double eps, DoubleFunction<CommitRule> rule) {
    float[] times = times(steps, (float) eps);

    return (step, masks) -> {
      if (step >= steps) {
        return Optional.empty();
      }

      return Optional.of(rule.apply(step == steps - 1 ? 1 : transfer(times, step)));
    };
  }

  /**
   * Fast-dLLM's global thresholds: pass i may commit what an even schedule would have committed by
   * then and thresholds held back, {@code length / steps} tokens more with every pass. When the
   * steps are used up, passes go on until all is committed.
   *
   * @param length masks at the start, a multiple of {@code steps}
   * @param rule of the most tokens a pass may commit; commits at least one
   */
  static Schedule quota(int length, int steps, IntFunction<CommitRule> rule) {
    int perStep = length / steps;

    return (step, masks) -> {
      if (step >= length) {
        return Optional.empty();
      }
      int due = perStep * Math.min(step + 1, steps) - (length - masks);

      return Optional.of(rule.apply(Math.max(1, Math.min(due, masks))));
    };
  }

  /**
   * Lockstep's sweeps: in sweep s of S at least {@code ceil(masks / (S - s + 1))} tokens, so that
   * the last sweep commits all; else what meets the threshold, at most the share {@code
   * maxFillFrac} of the masks.
   */
  static Schedule sweeps(int budget, double threshold, double maxFillFrac) {
    return (sweep, masks) -> {
      if (sweep >= budget) {
        return Optional.empty();
      }
      int need = ceilDiv(masks, budget - sweep);

      return Optional.of(
          CommitRule.threshold(threshold, need, Math.max(need, cap(maxFillFrac, masks))));
    };
  }

  /** The most positions one pass fills of a block with so many masks, before the budget's need. */
  static int cap(double maxFillFrac, int masks) {
    // A product this little above a whole number is rounding, not one position more.
    int share = (int) Math.ceil(maxFillFrac * masks - 1e-9);

    return Math.min(masks, Math.max(1, share));
  }

  private static int ceilDiv(int dividend, int divisor) {
    return (dividend + divisor - 1) / divisor;
  }

  private static float transfer(float[] times, int step) {
    return 1 - times[step + 1] / times[step];
  }

  /** As torch.linspace computes it in float32: from both ends towards the middle. */
  private static float[] times(int steps, float eps) {
    float[] times = new float[steps + 1];
    float width = (eps - 1) / steps;
    for (int i = 0; i < times.length; i++) {
      times[i] = i < times.length / 2 ? 1 + width * i : eps - width * (steps - i);
    }

    return times;
  }
}
