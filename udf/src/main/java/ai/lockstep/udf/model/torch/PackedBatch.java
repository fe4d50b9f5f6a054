package ai.lockstep.udf.model.torch;

import ai.lockstep.udf.model.Pass;
import java.util.List;

/**
 * Rows of one forward pass laid end to end, without padding between them: only attention needs to
 * know where a row begins, everything else works on single tokens.
 *
 * <p>A row's keys and values lie one after the other as well: among the tokens of the pass, or from
 * its slot's beginning in the cache, where a slot takes {@code slotPositions + 1} places. The last
 * place of a slot is read by nobody; tokens that only fill the pass up are written there.
 */
final class PackedBatch {

  /**
   * A row of the batch.
   *
   * @param tokens the ids to feed: the pass's own or the unconditional ones
   * @param pass what is asked
   * @param slot cache slot, if the batch is a cached one
   */
  record Lane(int[] tokens, Pass pass, int slot) {

    int window() {
      return pass.windowLength();
    }
  }

  private final List<Lane> lanes;
  private final boolean cached;
  private final int slotPlaces;
  private final int tokens;
  private final int longestRow;
  private final boolean causal;
  private final long[] plan;
  private final long[] rows;

  /**
   * Lays rows out.
   *
   * @param lanes all cached or all not; cached ones in ascending order of slots
   * @param slotPositions positions of a cache slot
   * @param granularity the number of tokens is rounded up to a multiple of this
   * @param padId token that fills up
   */
  PackedBatch(List<Lane> lanes, boolean cached, int slotPositions, int granularity, int padId) {
    this.lanes = lanes;
    this.cached = cached;
    this.slotPlaces = slotPositions + 1;
    int real = lanes.stream().mapToInt(Lane::window).sum();
    this.tokens = (real + granularity - 1) / granularity * granularity;
    this.longestRow = lanes.stream().mapToInt(lane -> lane.pass().length()).max().orElseThrow();
    this.causal = lanes.stream().anyMatch(lane -> lane.pass().blockEnds().length > 0);
    this.rows = new long[4 * lanes.size()];
    this.plan = new long[4 * tokens + 3 * lanes.size() + 2];
    int filled = 0;
    for (int r = 0; r < lanes.size(); r++) {
      Lane lane = lanes.get(r);
      long keys = cached ? (long) lane.slot() * slotPlaces : filled;
      placeRow(lane, filled, keys);
      rows[4 * r] = filled;
      rows[4 * r + 1] = lane.window();
      rows[4 * r + 2] = keys;
      rows[4 * r + 3] = lane.pass().length();
      filled += lane.window();
    }
    fillUp(filled, padId);
    placeBounds();
  }

  private void placeRow(Lane lane, int start, long keys) {
    Pass pass = lane.pass();
    int[] ends = pass.blockEnds();
    for (int i = 0, block = 0; i < lane.window(); i++) {
      int position = pass.windowPosition(i);
      while (ends.length > 0 && ends[block] <= position) {
        block++;
      }
      plan[start + i] = lane.tokens()[position];
      plan[tokens + start + i] = position;
      plan[2 * tokens + start + i] = keys + position;
      plan[3 * tokens + start + i] = ends.length > 0 ? ends[block] : pass.length();
    }
  }

  private void fillUp(int start, int padId) {
    for (int i = start; i < tokens; i++) {
      plan[i] = padId;
      plan[2 * tokens + i] = (long) lanes.get(0).slot() * slotPlaces + slotPlaces - 1;
    }
  }

  /** Query starts and key starts, each with one more than there are rows, then key counts. */
  private void placeBounds() {
    int count = lanes.size();
    int at = 4 * tokens;
    for (int r = 0; r < count; r++) {
      plan[at + r] = rows[4 * r];
      plan[at + count + 1 + r] = rows[4 * r + 2];
      plan[at + 2 * count + 2 + r] = rows[4 * r + 3];
    }
    int last = 4 * (count - 1);
    plan[at + count] = rows[last] + rows[last + 1];
    plan[at + 2 * count + 1] = rows[last + 2] + rows[last + 3];
  }

  /** Number of tokens fed, filling included. */
  int tokens() {
    return tokens;
  }

  /** Length of the longest row. */
  int longestRow() {
    return longestRow;
  }

  /** Whether a row sees less than all of its positions. */
  boolean causal() {
    return causal;
  }

  /** Whether the keys and values of other positions come from the cache. */
  boolean cached() {
    return cached;
  }

  /**
   * Everything the device must know, so that it is copied there at once: per token its id, its
   * position, its place in the cache and the number of keys it sees; then per row, and once more
   * for the end, where its queries and its keys start; then per row the number of keys.
   */
  long[] plan() {
    return plan;
  }

  /** Per row: first query, number of queries, first key, number of keys. */
  long[] rows() {
    return rows;
  }

  /**
   * The distance from one row's keys to the next one's if all rows have the same shape and follow
   * each other at equal distances, so that they are one block of memory; else 0.
   */
  int spacing() {
    int spacing = cached ? slotPlaces : lanes.get(0).window();
    for (int r = 0; r < lanes.size(); r++) {
      boolean inStep =
          rows[4 * r + 1] == rows[1]
              && rows[4 * r + 3] == rows[3]
              && rows[4 * r + 2] == rows[2] + (long) r * spacing;
      if (!inStep) {
        return 0;
      }
    }

    return causal ? 0 : spacing;
  }

  /** Where the final states of a row's positions begin, in the batch or in the cache. */
  long firstState(int lane) {
    return cached ? (long) lanes.get(lane).slot() * slotPlaces : rows[4 * lane];
  }
}
