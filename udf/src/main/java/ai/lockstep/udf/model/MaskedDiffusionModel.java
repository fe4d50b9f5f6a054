package ai.lockstep.udf.model;

import java.util.List;

/**
 * A masked-diffusion language model on one device: given rows with masked positions, what would it
 * write there?
 *
 * <p>Not thread-safe: one thread drives a model. A row's answer does not depend on the rows it
 * shares a batch with (exactly so in float32 on a CPU up to rounding of the matrix library).
 */
public interface MaskedDiffusionModel extends AutoCloseable {

  /** Vocabulary, special ids and context length, read from the checkpoint. */
  ModelSpec spec();

  /**
   * Runs one forward pass for every row.
   *
   * @param rows passes of any mixture of lengths, windows and slots; no slot twice
   * @return the answers, in the order of {@code rows}
   */
  List<Proposals> propose(List<RowPass> rows);

  /**
   * Takes a cache slot: room on the device for the keys, the values and the final hidden states of
   * one row.
   *
   * @param length the most positions the row will ever have
   * @return the slot's number, to be named in {@link RowPass} and given back by {@link #closeSlot}
   */
  int openSlot(int length);

  /** Gives a slot back; its memory may serve another row. */
  void closeSlot(int slot);

  /** Frees the device memory. Later calls fail. */
  @Override
  void close();
}
