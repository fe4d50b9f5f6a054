package ai.lockstep.udf.model;

/**
 * A pass and the cache slot it works on.
 *
 * @param slot a number from {@link MaskedDiffusionModel#openSlot}, or {@link #NO_SLOT}; without a
 *     slot the window must be the whole row and nothing is kept
 */
public record RowPass(Pass pass, int slot) {

  /** No keys and values are kept or read. */
  public static final int NO_SLOT = -1;

  public RowPass {
    if (slot == NO_SLOT && !pass.windowIsWholeRow()) {
      throw new IllegalArgumentException(
          "A pass over %d of %d positions needs a cache slot"
              .formatted(pass.windowLength(), pass.length()));
    }
  }
}
