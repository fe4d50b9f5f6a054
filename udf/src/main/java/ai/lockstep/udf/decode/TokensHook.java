package ai.lockstep.udf.decode;

/**
 * Rewrites a row's tokens, like {@code generation_tokens_hook_func} of Dream's {@code
 * diffusion_generate}. Named in {@code decode.hooks.tokens} by its class, which needs a public
 * constructor without parameters. A completion whose tokens a hook changed cannot be {@linkplain
 * Completion#replayable replayed}.
 *
 * <p>One instance serves every row of a replica and is called by one thread at a time.
 */
@FunctionalInterface
public interface TokensHook {

  /**
   * Called once before the row's first pass; Dream's call with {@code (None, x, None)}.
   *
   * @param x the row's ids, a copy
   * @return the ids to go on with, of the same length
   */
  default int[] start(int[] x) {
    return x;
  }

  /**
   * Called after the commits of every pass.
   *
   * @param step 0-based number of the row's pass
   * @param x the row's ids after the commits, a copy
   * @param logits what the commits were chosen from: hooked and suppressed
   * @return the ids to go on with, of the same length
   */
  int[] apply(int step, int[] x, PositionLogits logits);
}
