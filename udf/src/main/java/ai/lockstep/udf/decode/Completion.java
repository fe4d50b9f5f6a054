package ai.lockstep.udf.decode;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A decoded row.
 *
 * @param id the request's id
 * @param promptIds the prompt's ids, no padding
 * @param tokenIds the generated part, from the end of the prompt to the end of the sequence,
 *     markers included
 * @param blocks the filled spans in order
 * @param commits every committed token, in commit order (ascending position within a pass)
 * @param passes one record a forward pass
 * @param replayable whether states can be rebuilt from (token, nfe): false when a tokens hook
 *     overwrote tokens
 */
public record Completion(
    String id,
    int[] promptIds,
    int[] tokenIds,
    List<Block> blocks,
    List<Commit> commits,
    List<PassRecord> passes,
    boolean replayable) {

  public Completion {
    promptIds = promptIds.clone();
    tokenIds = tokenIds.clone();
    blocks = List.copyOf(blocks);
    commits = List.copyOf(commits);
    passes = List.copyOf(passes);
  }

  @Override
  public int[] promptIds() {
    return promptIds.clone();
  }

  @Override
  public int[] tokenIds() {
    return tokenIds.clone();
  }

  /** Forward passes the row took part in. */
  public int nfe() {
    return passes.size();
  }

  /** The commits that are not in {@link #tokenIds()}, in the order in which they were replaced. */
  public List<Overwritten> overwritten() {
    Map<Integer, Commit> last = new HashMap<>();
    List<Overwritten> overwritten = new ArrayList<>();
    for (Commit commit : commits) {
      Commit earlier = last.put(commit.position(), commit);
      if (earlier != null) {
        int index = earlier.position() - promptIds.length;
        overwritten.add(new Overwritten(index, earlier.token(), earlier.nfe()));
      }
    }

    return overwritten;
  }

  /** Ids of a block. */
  public int[] tokenIds(Block block) {
    int start = block.start() - promptIds.length;
    return java.util.Arrays.copyOfRange(tokenIds, start, start + block.length());
  }
}
