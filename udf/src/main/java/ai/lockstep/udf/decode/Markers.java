package ai.lockstep.udf.decode;

/**
 * The ids that open the two blocks of lockstep decoding: {@code decode.block_markers.r_open} and
 * {@code a_open}, encoded on their own without special tokens. They stay in the row as context.
 */
public record Markers(int[] rOpen, int[] aOpen) {

  public Markers {
    rOpen = rOpen.clone();
    aOpen = aOpen.clone();
  }

  @Override
  public int[] rOpen() {
    return rOpen.clone();
  }

  @Override
  public int[] aOpen() {
    return aOpen.clone();
  }
}
