package ai.lockstep.udf.decode;

import ai.lockstep.udf.model.Pass;

/**
 * Which positions of a row a pass reads again, and which it remembers. One plan a row.
 *
 * <p>The first pass of a <i>stage</i> reads the whole row and so refreshes every key, value and
 * final state; what a stage is, the algorithm says. Later passes read a window and attend to the
 * remembered rest. Tokens that changed since the model last read them are always read again, so no
 * pass attends to the key of a mask that is a token by now. What stays stale within a stage are the
 * entries of unchanged tokens outside the window: they were computed while other positions were
 * still masked.
 */
final class CachePlan {

  private static final int NO_STAGE = -1;

  private final CacheMode mode;
  private int refreshed = NO_STAGE;

  CachePlan(CacheMode mode) {
    this.mode = mode;
  }

  /** Whether the first pass of this stage would read the whole row for the others to remember. */
  boolean refreshes(int stage) {
    return mode != CacheMode.NONE && stage != refreshed;
  }

  /**
   * The pass that predicts some targets.
   *
   * @param stage 0 or more; a new one refreshes
   * @param from first position to read again at least
   * @param to end of these, exclusive; with {@link CacheMode#PREFIX} the row's end instead
   */
  Pass pass(Canvas canvas, int stage, int from, int to, int[] targets) {
    if (mode == CacheMode.NONE || stage != refreshed) {
      refreshed = stage;
      return canvas.fullPass(targets);
    }

    return canvas.windowPass(from, mode == CacheMode.PREFIX ? canvas.length() : to, targets);
  }
}
