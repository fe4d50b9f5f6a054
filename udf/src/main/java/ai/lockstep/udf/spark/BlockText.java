package ai.lockstep.udf.spark;

import ai.lockstep.udf.decode.Block;
import ai.lockstep.udf.decode.Completion;
import ai.lockstep.udf.tokenizer.DreamTokenizer;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** The text of a completion's blocks. */
public final class BlockText {

  private BlockText() {}

  /**
   * The text of a block up to its first end token; empty when there is no such block.
   *
   * @param block its name, such as {@code A}
   * @param eosIds ids that end a block's text
   */
  public static Optional<String> of(
      Completion completion, String block, List<Integer> eosIds, DreamTokenizer tokenizer) {
    return completion.blocks().stream()
        .filter(candidate -> candidate.name().equals(block))
        .findFirst()
        .map(found -> tokenizer.decodeSkippingSpecials(beforeEos(completion, found, eosIds)));
  }

  private static int[] beforeEos(Completion completion, Block block, List<Integer> eosIds) {
    int[] ids = completion.tokenIds(block);
    int end = 0;
    while (end < ids.length && !eosIds.contains(ids[end])) {
      end++;
    }
    return Arrays.copyOf(ids, end);
  }
}
