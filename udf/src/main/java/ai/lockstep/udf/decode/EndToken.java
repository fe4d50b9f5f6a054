package ai.lockstep.udf.decode;

import ai.lockstep.udf.model.ModelSpec;
import java.util.ArrayList;
import java.util.List;

/**
 * The rule that a block ends at its first end token: whatever stands behind it becomes the filling
 * end token, even where another token was committed earlier. Positions before it are decoded on.
 *
 * @param ids end tokens, at least one; the first one fills
 */
record EndToken(List<Integer> ids) {

  /** The configured end tokens, or the checkpoint's own when none are. */
  static EndToken of(List<Integer> configured, ModelSpec spec) {
    return new EndToken(configured.isEmpty() ? spec.eosIds() : configured);
  }

  boolean isEnd(int token) {
    return ids.contains(token);
  }

  /**
   * Completes a pass's accepted tokens by the fills they cause in a block. An accepted token behind
   * the first end token counts as filled, not as committed.
   */
  List<Accepted> fill(Canvas canvas, Block block, List<Accepted> accepted) {
    int end = firstEnd(canvas, block, accepted);
    List<Accepted> completed = new ArrayList<>();
    for (Accepted token : accepted) {
      if (token.position() <= end || token.position() >= block.end()) {
        completed.add(token);
      }
    }
    for (int position = end + 1; position < block.end(); position++) {
      if (canvas.token(position) != ids.get(0)) {
        completed.add(Accepted.unproposed(position, ids.get(0), CommitKind.EOS_FILL));
      }
    }

    return completed;
  }

  /** The first end token of a block once {@code accepted} is written, or the block's end. */
  private int firstEnd(Canvas canvas, Block block, List<Accepted> accepted) {
    int end = block.end();
    for (int position = block.start(); position < end; position++) {
      if (isEnd(canvas.token(position))) {
        end = position;
      }
    }
    for (Accepted token : accepted) {
      if (token.position() >= block.start() && token.position() < end && isEnd(token.token())) {
        end = token.position();
      }
    }

    return end;
  }
}
