package ai.lockstep.udf.spark;

import ai.lockstep.udf.model.MaskedDiffusionModel;
import ai.lockstep.udf.model.torch.TorchDevice;
import ai.lockstep.udf.tokenizer.DreamTokenizer;

/**
 * Which model an executor loads; it names a model and holds none. Two equal sources are the same
 * model: an executor loads it once.
 */
public interface ModelSource {

  /** For logs. */
  String name();

  /**
   * Loads the model; the caller closes both.
   *
   * @throws ai.lockstep.failure.LockstepException when this machine does not have it
   */
  Loaded load(TorchDevice device);

  /** A model with its tokenizer. */
  record Loaded(DreamTokenizer tokenizer, MaskedDiffusionModel model) {}
}
