package ai.lockstep.udf.checkpoint;

import ai.lockstep.failure.LockstepException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A training between two steps, as a safetensors file.
 *
 * @param steps that were made
 * @param settings what the steps to come depend on, for people
 * @param tensors weights and the optimiser's moments by name
 */
public record TrainingState(int steps, String settings, Map<String, LoraFactors.Factor> tensors) {

  private static final String STEPS = "steps";
  private static final String SETTINGS = "settings";

  /** The file. */
  public byte[] bytes() {
    return SafetensorsWriter.bytes(
        Map.of("format", "pt", STEPS, String.valueOf(steps), SETTINGS, settings), tensors);
  }

  /**
   * Reads a file.
   *
   * @throws LockstepException when it is damaged or holds something else
   */
  public static TrainingState read(Path file) {
    Map<String, String> metadata = SafetensorsFile.metadata(file);
    if (!metadata.getOrDefault(STEPS, "").matches("[0-9]{1,9}")) {
      throw LockstepException.user(
          "Cannot read %s: it does not say after how many steps it was saved. Remove it to train from the start."
              .formatted(file));
    }
    Map<String, LoraFactors.Factor> tensors = new LinkedHashMap<>();
    SafetensorsFile.read(file)
        .forEach(
            (name, tensor) ->
                tensors.put(name, new LoraFactors.Factor(tensor.shape(), tensor.toFloats())));
    return new TrainingState(
        Integer.parseInt(metadata.get(STEPS)), metadata.getOrDefault(SETTINGS, ""), tensors);
  }
}
