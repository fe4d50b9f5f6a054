package ai.lockstep.udf.decode;

/**
 * An example of a logits hook: makes it {@value #PENALTY} nats harder for a token to stand beside
 * itself. Try it with
 *
 * <pre>
 * submit/lockstep generate decode.hooks.logits=ai.lockstep.udf.decode.RepetitionPenaltyHook
 * </pre>
 *
 * A hook of your own looks the same: a class with a public constructor without parameters, in a jar
 * given with {@code --jars}. It depends on the row alone, so results do not depend on batching.
 */
public final class RepetitionPenaltyHook implements LogitsHook {

  private static final float PENALTY = 2;

  /** For {@code decode.hooks.logits}. */
  public RepetitionPenaltyHook() {}

  @Override
  public PositionLogits apply(int step, int[] x, PositionLogits logits) {
    for (int i = 0; i < logits.size(); i++) {
      int position = logits.position(i);
      if (position > 0) {
        logits.row(i)[x[position - 1]] -= PENALTY;
      }
      if (position + 1 < x.length) {
        logits.row(i)[x[position + 1]] -= PENALTY;
      }
    }

    return logits;
  }
}
