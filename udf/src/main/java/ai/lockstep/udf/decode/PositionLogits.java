package ai.lockstep.udf.decode;

/**
 * The logits of a pass at the positions it predicts, already aligned: {@code row(i)} is the model's
 * prediction <i>for</i> {@code position(i)}. Positions that were not masked have none: the output
 * head never ran for them.
 */
public final class PositionLogits {

  private final int[] positions;
  private final float[][] rows;

  /**
   * @param positions ascending
   * @param rows [positions][vocabSize] float32, kept, not copied
   */
  public PositionLogits(int[] positions, float[][] rows) {
    if (positions.length != rows.length) {
      throw new IllegalArgumentException(
          "%d positions for %d rows of logits".formatted(positions.length, rows.length));
    }
    this.positions = positions.clone();
    this.rows = rows;
  }

  /** Number of positions. */
  public int size() {
    return positions.length;
  }

  /** The {@code index}-th position, counted from the start of the sequence. */
  public int position(int index) {
    return positions[index];
  }

  /** Its logits, [vocabSize]; a logits hook may change them in place. */
  public float[] row(int index) {
    return rows[index];
  }

  float[][] rows() {
    return rows;
  }
}
