package ai.lockstep.udf.rollout;

/**
 * The loss of GRPO at one token, for log-probabilities n (new), o (old) and r (reference) and an
 * advantage A:
 *
 * <pre>
 *   -min(rho A, clip(rho, 1 - clip, 1 + clip) A) + kl (exp(r - n) - (r - n) - 1),  rho = exp(n - o)
 * </pre>
 *
 * <p>Source: DeepSeekMath (arXiv 2402.03300), equations 3 and 4. A batch's loss is the mean over
 * its tokens (DAPO, arXiv 2503.14476), not over samples first: long samples weigh more.
 *
 * @param clip how far the ratio counts beyond 1, above 0
 * @param kl weight of the distance to the reference, 0 or more
 */
public record PolicyLoss(double clip, double kl) {

  /**
   * Estimates are no normalised probabilities: a difference may be large, a ratio must be finite.
   */
  private static final double LARGEST_DIFFERENCE = 20;

  /**
   * Beyond this lead of the reference its term goes on as a straight line. The coupled estimate
   * counts a log-probability up to 2.5 times, so a single token that became unlikely gave a term of
   * 10^8 and a gradient of 5 x 10^5 here, beside which no other token counted in that step.
   */
  private static final double LINEAR_FROM = 3;

  /**
   * What a token says.
   *
   * @param value of the loss
   * @param derivative by the new log-probability
   * @param ratio new over old
   * @param clipped whether clipping took the ratio's derivative away
   * @param distance the term that {@link #kl} weighs
   */
  public record Token(
      double value, double derivative, double ratio, boolean clipped, double distance) {}

  /** The loss at one token. */
  public Token at(double now, double old, double reference, double advantage) {
    double ratio = Math.exp(bounded(now - old));
    double inside = Math.max(1 - clip, Math.min(1 + clip, ratio));
    boolean clipped = inside * advantage < ratio * advantage;
    double ahead = reference - now;
    double bent = Math.min(ahead, LINEAR_FROM);
    double slope = 1 - Math.exp(bent);
    double distance = Math.exp(bent) - bent - 1 - slope * (ahead - bent);
    double value = -(clipped ? inside : ratio) * advantage + kl * distance;
    double derivative = (clipped ? 0 : -ratio * advantage) + kl * slope;
    return new Token(value, derivative, ratio, clipped, distance);
  }

  private static double bounded(double difference) {
    return Math.max(-LARGEST_DIFFERENCE, Math.min(LARGEST_DIFFERENCE, difference));
  }
}
