package ai.lockstep.udf.model;

/**
 * How a token is chosen from a position's logits, in this order: suppression, temperature, top_p,
 * top_k, softmax; then the most probable token, or one draw when {@code temperature > 0} (Dream's
 * generation_utils.py, sample_tokens).
 *
 * @param temperature 0 for the most probable token, else the divisor of the logits
 * @param topP in (0, 1]; 1 filters nothing. The token that crosses the limit stays
 * @param topK at least 1, or {@link #NO_TOP_K}; ties with the k-th stay
 * @param suppressSpecial sets the mask token and every id without a token to -infinity first
 */
public record Sampling(double temperature, double topP, int topK, boolean suppressSpecial) {

  /** No limit on the number of candidate tokens. */
  public static final int NO_TOP_K = 0;

  /** The most probable token of the unfiltered distribution. */
  public static final Sampling GREEDY = new Sampling(0, 1, NO_TOP_K, false);

  public Sampling {
    if (!(temperature >= 0) || Double.isInfinite(temperature)) {
      throw new IllegalArgumentException("temperature=" + temperature + " must be 0 or more");
    }
    if (!(topP > 0 && topP <= 1)) {
      throw new IllegalArgumentException("top_p=" + topP + " must lie in (0, 1]");
    }
    if (topK < 0) {
      throw new IllegalArgumentException("top_k=" + topK + " must be 1 or more, or null");
    }
  }

  /** Whether a token is drawn, so that each target needs a uniform number. */
  public boolean draws() {
    return temperature > 0;
  }
}
