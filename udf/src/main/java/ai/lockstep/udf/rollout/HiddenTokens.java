package ai.lockstep.udf.rollout;

import ai.lockstep.udf.decode.Uniforms;

/**
 * Which tokens an estimate hides, drawn for one sample. Kept beside the estimate: old, new and
 * reference policy must be asked about the same ones.
 *
 * @param flags whether each token is hidden
 * @param ratio the probability with which each was drawn
 */
public record HiddenTokens(boolean[] flags, double ratio) {

  /** Between these the coupled estimate draws its ratio (arXiv 2506.20639, section 4). */
  static final double LEAST_RATIO = 0.2;

  static final double LARGEST_RATIO = 0.8;

  /** The draw's pass of the ratio; flags are drawn at pass 0. */
  private static final int OF_RATIO = 1;

  public HiddenTokens {
    flags = flags.clone();
  }

  @Override
  public boolean[] flags() {
    return flags.clone();
  }

  /**
   * For the coupled estimate: a ratio between 0.2 and 0.8, and with that probability each of the
   * completion's tokens. One ratio a sample; the paper's code draws one a batch, which batches of
   * an executor must not decide.
   *
   * @param uniforms of the sample
   * @param completion positions of the completion's tokens
   */
  public static HiddenTokens ofCompletion(Uniforms uniforms, int[] completion) {
    double unit = uniforms.at(Uniforms.Draw.HIDDEN, OF_RATIO, 0);
    // A float, as it is stored: a reader must divide by the same number.
    float ratio = (float) (LEAST_RATIO + (LARGEST_RATIO - LEAST_RATIO) * unit);
    return draw(uniforms, completion, ratio);
  }

  /**
   * For d1's estimate: each of the prompt's tokens.
   *
   * @param ratio in [0, 1)
   */
  public static HiddenTokens ofPrompt(Uniforms uniforms, int promptLength, double ratio) {
    int[] positions = new int[promptLength];
    for (int position = 0; position < promptLength; position++) {
      positions[position] = position;
    }
    return draw(uniforms, positions, ratio);
  }

  private static HiddenTokens draw(Uniforms uniforms, int[] positions, double ratio) {
    boolean[] flags = new boolean[positions.length];
    for (int i = 0; i < flags.length; i++) {
      flags[i] = uniforms.at(Uniforms.Draw.HIDDEN, 0, positions[i]) < ratio;
    }
    return new HiddenTokens(flags, ratio);
  }
}
