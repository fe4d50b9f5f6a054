package ai.lockstep.udf.checkpoint;

import java.nio.file.Path;
import java.util.Optional;

/**
 * A checkpoint that is on this machine, ready to be loaded.
 *
 * @param name for people: the hub name, the bundled name or the folder
 * @param revision what distinguishes one content from another: the hub's commit, or a digest
 *     ({@link CheckpointLocator} says of what)
 * @param folder holds config.json, the safetensors files and the tokenizer's files
 * @param config the checked config.json
 * @param adapter to be merged when the weights are loaded
 */
public record Checkpoint(
    String name,
    String revision,
    Path folder,
    CheckpointConfig config,
    Optional<LoraAdapter> adapter) {

  /** Opens the tensors and checks every name, shape and number format against the config. */
  public Weights weights() {
    Weights weights = Weights.open(folder);
    weights.require(config.tensorShapes());

    return weights;
  }
}
