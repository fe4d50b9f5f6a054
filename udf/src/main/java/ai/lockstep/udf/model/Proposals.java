package ai.lockstep.udf.model;

import java.util.Optional;

/**
 * What a model would write at a pass's targets, and how sure it is. Index i belongs to the pass's
 * i-th target. All probabilities are computed in float32 from the model's logits z.
 *
 * <p>{@code p}, {@code margin} and {@code negativeEntropy} are of the filtered distribution (see
 * {@link Sampling}); {@code logProbability} is of the unfiltered one at temperature 1.
 */
public final class Proposals {

  private final int[] tokens;
  private final float[] p;
  private final float[] margin;
  private final float[] negativeEntropy;
  private final float[] logProbability;
  private final float[] givenLogProbability;
  private final float[][] logits;

  /**
   * Takes the arrays as they are; all of one length, or empty when they hold what was not asked
   * for.
   */
  public Proposals(
      int[] tokens,
      float[] p,
      float[] margin,
      float[] negativeEntropy,
      float[] logProbability,
      float[] givenLogProbability,
      float[][] logits) {
    this.tokens = tokens;
    this.p = p;
    this.margin = margin;
    this.negativeEntropy = negativeEntropy;
    this.logProbability = logProbability;
    this.givenLogProbability = givenLogProbability;
    this.logits = logits;
  }

  /** Number of targets. */
  public int size() {
    return tokens.length;
  }

  /** The chosen token. */
  public int token(int index) {
    return tokens[index];
  }

  /** Filtered probability of the chosen token, in (0, 1]. */
  public float p(int index) {
    return p[index];
  }

  /**
   * Largest minus second largest filtered probability, whatever was drawn; only after {@link
   * Pass#withSpread}.
   */
  public float margin(int index) {
    return margin[index];
  }

  /**
   * Sum of p ln(p + 1e-10) over the filtered distribution, at most 0, whatever was drawn; only
   * after {@link Pass#withSpread}.
   */
  public float negativeEntropy(int index) {
    return negativeEntropy[index];
  }

  /** ln softmax(z)[chosen token]: temperature 1, unfiltered and unsuppressed. */
  public float logProbability(int index) {
    return logProbability[index];
  }

  /** ln softmax(z)[given token]; only after {@link Pass#withGivenTokens}. */
  public float givenLogProbability(int index) {
    return givenLogProbability[index];
  }

  /** The raw logits of a target, [vocabSize]; only after {@link Pass#withLogits}. */
  public Optional<float[]> logits(int index) {
    return logits.length == 0 ? Optional.empty() : Optional.of(logits[index]);
  }
}
