package ai.lockstep.udf.rollout;

import ai.lockstep.udf.model.ModelSpec;
import ai.lockstep.udf.model.Pass;
import ai.lockstep.udf.model.Proposals;
import java.util.Arrays;
import java.util.List;

/**
 * An estimate of the log-probability of every token of a completion, for ratios between policies. A
 * masked-diffusion model has no such number of its own: an estimate hides a part of the sequence
 * and asks how likely the hidden tokens are. Run {@link #passes} on the model, then hand the
 * answers to {@link #combine}.
 *
 * <p>Written l(y, k) = ln softmax(z)[o_k], where z are the logits for position k of sequence y and
 * o_k is the completion's token there: temperature 1, no filters, no suppression.
 *
 * <ul>
 *   <li>{@linkplain #ofHiddenPrompt one step} (d1, arXiv 2504.12216): l(y, k), where y hides the
 *       completion and a random part of the prompt. One pass.
 *   <li>{@linkplain #coupled coupled} (arXiv 2506.20639, equations 4 and 13, lambda 1): half of
 *       l(full, k) + l(y_1, k) / t where k is hidden in y_1, else + l(y_2, k) / (1 - t). The full
 *       sequence hides the whole completion, y_1 a part of it and y_2 the rest; the prompt is never
 *       hidden. Three passes. Not a normalised log-probability: only differences mean something.
 * </ul>
 *
 * <p>Which positions are hidden is given, not drawn here: old, new and reference policy must be
 * asked about the same ones, and generators of random numbers differ between languages. Immutable.
 */
public final class LogProbabilityEstimate {

  private final List<Pass> passes;
  private final double[][] weights;

  private LogProbabilityEstimate(List<Pass> passes, double[][] weights) {
    this.passes = passes;
    this.weights = weights;
  }

  /**
   * d1's estimate.
   *
   * @param tokens prompt, completion and what stands between, as decoded
   * @param completion the positions of the completion's tokens, ascending; markers are not among
   *     them and stay as they are
   * @param hiddenPrompt for the first positions of {@code tokens}, whether the token is hidden;
   *     must end before the completion. Empty or all false: d1 without masking of the prompt, which
   *     is the baseline of the coupled estimate's paper
   */
  public static LogProbabilityEstimate ofHiddenPrompt(
      int[] tokens, int[] completion, boolean[] hiddenPrompt, ModelSpec spec) {
    requireAscending(tokens, completion);
    if (completion.length > 0 && hiddenPrompt.length > completion[0]) {
      throw new IllegalArgumentException(
          "A prompt of %d tokens does not end before the completion's first position %d"
              .formatted(hiddenPrompt.length, completion[0]));
    }
    int[] hidden = tokens.clone();
    for (int position = 0; position < hiddenPrompt.length; position++) {
      hidden[position] = hiddenPrompt[position] ? spec.maskId() : hidden[position];
    }
    boolean[] everything = new boolean[completion.length];
    Arrays.fill(everything, true);
    double[] once = new double[completion.length];
    Arrays.fill(once, 1);

    return new LogProbabilityEstimate(
        List.of(pass(tokens, hidden, completion, everything, spec)), new double[][] {once});
  }

  /**
   * The coupled estimate.
   *
   * @param tokens prompt, completion and what stands between, as decoded
   * @param completion the positions of the completion's tokens, ascending
   * @param hidden for every position of the completion, whether y_1 hides it; y_2 hides the others
   * @param ratio t, the probability with which {@code hidden} was drawn, in (0, 1)
   */
  public static LogProbabilityEstimate coupled(
      int[] tokens, int[] completion, boolean[] hidden, double ratio, ModelSpec spec) {
    requireAscending(tokens, completion);
    if (hidden.length != completion.length) {
      throw new IllegalArgumentException(
          "%d hidden flags for %d completion tokens".formatted(hidden.length, completion.length));
    }
    if (!(ratio > 0 && ratio < 1)) {
      throw new IllegalArgumentException("The masking ratio must lie in (0, 1), not " + ratio);
    }
    int count = completion.length;
    boolean[] everything = new boolean[count];
    boolean[] others = new boolean[count];
    double[][] weights = new double[3][count];
    for (int k = 0; k < count; k++) {
      everything[k] = true;
      others[k] = !hidden[k];
      weights[0][k] = 0.5;
      weights[1][k] = hidden[k] ? 0.5 / ratio : 0;
      weights[2][k] = hidden[k] ? 0 : 0.5 / (1 - ratio);
    }

    return new LogProbabilityEstimate(
        List.of(
            pass(tokens, tokens, completion, everything, spec),
            pass(tokens, tokens, completion, hidden, spec),
            pass(tokens, tokens, completion, others, spec)),
        weights);
  }

  /** A pass that hides some of the completion and asks for all of its true tokens. */
  private static Pass pass(
      int[] tokens, int[] context, int[] completion, boolean[] hidden, ModelSpec spec) {
    int[] sequence = context.clone();
    int[] given = new int[completion.length];
    for (int k = 0; k < completion.length; k++) {
      given[k] = tokens[completion[k]];
      sequence[completion[k]] = hidden[k] ? spec.maskId() : given[k];
    }

    return Pass.full(sequence, completion, spec.alignment()).withGivenTokens(given);
  }

  private static void requireAscending(int[] tokens, int[] completion) {
    for (int k = 0; k < completion.length; k++) {
      int least = k == 0 ? 0 : completion[k - 1] + 1;
      if (completion[k] < least || completion[k] >= tokens.length) {
        throw new IllegalArgumentException(
            "Completion position %d does not lie in %d..%d"
                .formatted(completion[k], least, tokens.length - 1));
      }
    }
  }

  /** What to ask the model: whole rows, all of one length, in any batch. */
  public List<Pass> passes() {
    return passes;
  }

  /** What a pass's answer at a token of the completion counts in that token's estimate. */
  public double weight(int pass, int token) {
    return weights[pass][token];
  }

  /**
   * The estimate.
   *
   * @param answers to {@link #passes}, in their order
   * @return one number for each of the completion's tokens, in their order
   */
  public float[] combine(List<Proposals> answers) {
    if (answers.size() != passes.size()) {
      throw new IllegalArgumentException(
          "%d answers for %d passes".formatted(answers.size(), passes.size()));
    }
    float[] estimate = new float[weights[0].length];
    for (int k = 0; k < estimate.length; k++) {
      double sum = 0;
      for (int pass = 0; pass < weights.length; pass++) {
        if (weights[pass][k] > 0) { // an unlikely token's -infinity must not meet a zero
          sum += weights[pass][k] * answers.get(pass).givenLogProbability(k);
        }
      }
      estimate[k] = (float) sum;
    }

    return estimate;
  }
}
