package ai.lockstep.udf.decode;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.OptionalDouble;

/**
 * How close the order of commits was to left-to-right (DiffuCoder, arXiv 2506.20639, section 3).
 *
 * <p>Local AR-ness@k is the share of commits before which the k positions directly to their left
 * were committed, one after the other. Global AR-ness@k is the share of commits at one of the k
 * leftmost masks. Commits of one pass count as made by ascending position.
 *
 * @param local local AR-ness at each of {@link #K}; empty when nothing was committed
 * @param global global AR-ness at each of {@link #K}; empty when nothing was committed
 */
public record ArNess(List<Double> local, List<Double> global) {

  /** The values of k that are measured. */
  public static final List<Integer> K = List.of(1, 2, 4, 8);

  public ArNess {
    local = List.copyOf(local);
    global = List.copyOf(global);
  }

  /**
   * Measures a decoded row. Tokens that fill behind an end token or that a hook wrote are no
   * choices: they are not counted, but they close their positions.
   */
  static ArNess of(Completion completion) {
    List<Commit> chosen = completion.commits().stream().filter(RowMetrics::isChosen).toList();
    if (chosen.isEmpty()) {
      return new ArNess(List.of(), List.of());
    }
    List<Double> local = new ArrayList<>();
    List<Double> global = new ArrayList<>();
    int[] ranks = ranksAmongMasks(completion);
    for (int k : K) {
      local.add((double) following(chosen, k) / chosen.size());
      int leftmost = 0;
      for (int rank : ranks) {
        leftmost += rank < k ? 1 : 0;
      }
      global.add((double) leftmost / chosen.size());
    }

    return new ArNess(local, global);
  }

  private static int following(List<Commit> commits, int k) {
    int following = 0;
    int run = 0;
    for (int i = 1; i < commits.size(); i++) {
      boolean next = commits.get(i).position() == commits.get(i - 1).position() + 1;
      run = next ? run + 1 : 0;
      following += run >= k ? 1 : 0;
    }

    return following;
  }

  /** For each choice, the number of masks to its left when it was made. */
  private static int[] ranksAmongMasks(Completion completion) {
    BitSet masks = new BitSet();
    completion.blocks().forEach(block -> masks.set(block.start(), block.end()));
    List<Integer> ranks = new ArrayList<>();
    for (Commit commit : completion.commits()) {
      if (RowMetrics.isChosen(commit)) {
        ranks.add(masks.get(0, commit.position()).cardinality());
      }
      masks.clear(commit.position());
    }

    return ranks.stream().mapToInt(Integer::intValue).toArray();
  }

  /** Local AR-ness@1: commits right behind the one before. */
  public OptionalDouble localAtOne() {
    return local.isEmpty() ? OptionalDouble.empty() : OptionalDouble.of(local.get(0));
  }

  /** Global AR-ness@1: commits at the leftmost mask. */
  public OptionalDouble globalAtOne() {
    return global.isEmpty() ? OptionalDouble.empty() : OptionalDouble.of(global.get(0));
  }
}
