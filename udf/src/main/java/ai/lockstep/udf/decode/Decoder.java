package ai.lockstep.udf.decode;

import ai.lockstep.udf.model.ModelSpec;

/**
 * A configured decoding algorithm. Immutable and thread-safe; every row gets a {@link RowDecoder}
 * of its own, so rows live and finish independently of their batch mates.
 */
public interface Decoder {

  /**
   * Lays out a row and makes it ready for its first pass.
   *
   * @throws IllegalArgumentException when this row cannot be decoded (longer than the context, ids
   *     outside the vocabulary, ...); the message is a sentence for the user, and only this row
   *     fails
   */
  RowDecoder start(DecodeRequest request, ModelSpec spec);

  /** Whether rows need a cache slot of the model. */
  boolean usesCache();
}
