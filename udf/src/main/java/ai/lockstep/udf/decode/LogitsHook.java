package ai.lockstep.udf.decode;

/**
 * Changes logits before they are suppressed, filtered and turned into proposals, like {@code
 * generation_logits_hook_func} of Dream's {@code diffusion_generate}. Named in {@code
 * decode.hooks.logits} by its class, which needs a public constructor without parameters.
 *
 * <p>One instance serves every row of a replica and is called by one thread at a time. A hook must
 * not depend on what it saw of other rows, else results depend on batching.
 */
@FunctionalInterface
public interface LogitsHook {

  /**
   * Called once a pass.
   *
   * @param step 0-based number of the row's pass
   * @param x the row's ids as the pass saw them, a copy
   * @param logits may be changed in place and returned
   * @return the logits to go on with, for the same positions
   */
  PositionLogits apply(int step, int[] x, PositionLogits logits);
}
