package ai.lockstep.udf.decode;

/**
 * A span of positions that is filled together.
 *
 * @param name {@code R} and {@code A} for lockstep, {@code A} for decoders with one region
 * @param start first position, counted from the start of the sequence
 * @param length number of positions, 0 or more
 */
public record Block(String name, int start, int length) {

  /** The part of the block before a position. */
  Block upTo(int end) {
    return new Block(name, start, end - start);
  }

  /** The first position after the block. */
  public int end() {
    return start + length;
  }
}
