package ai.lockstep.udf.model;

import ai.lockstep.failure.LockstepException;

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
      throw rejected("temperature", temperature, "the temperature must be 0 or more", "0.2");
    }
    if (!(topP > 0 && topP <= 1)) {
      throw rejected("top_p", topP, "the probability mass to keep must lie in (0, 1]", "0.95");
    }
    if (topK < 0) {
      throw rejected("top_k", topK, "the number of tokens to keep must be 1 or more", "null");
    }
  }

  private static LockstepException rejected(
      String key, Object value, String rule, String suggestion) {
    return LockstepException.user(
        "Cannot decode with model.generation.%s=%s: %s. Try model.generation.%s=%s."
            .formatted(key, value, rule, key, suggestion));
  }

  /** Whether a token is drawn, so that each target needs a uniform number. */
  public boolean draws() {
    return temperature > 0;
  }
}
