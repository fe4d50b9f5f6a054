package ai.lockstep.udf.checkpoint;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeSet;

/**
 * The trained numbers of a LoRA adapter, to be written as PEFT does; {@link LoraAdapter} and PEFT
 * read them.
 *
 * @param settings rank and alpha
 * @param factors {@code MODULE.lora_A} [rank, in] and {@code MODULE.lora_B} [out, rank] by name
 */
public record LoraFactors(Settings settings, Map<String, Factor> factors) {

  /**
   * What all factors share.
   *
   * @param rank 1 or more
   * @param alpha the product is multiplied by alpha / rank
   */
  public record Settings(int rank, double alpha) {

    /** What B A is multiplied by. */
    public double scale() {
      return alpha / rank;
    }
  }

  /** A matrix, row-major. */
  public record Factor(long[] shape, float[] values) {}

  public LoraFactors {
    factors = new LinkedHashMap<>(factors);
  }

  /**
   * {@code adapter_config.json}.
   *
   * @param model name or folder of the checkpoint
   * @param revision of its content
   */
  public byte[] config(String model, String revision) {
    ObjectMapper json = new ObjectMapper();
    ObjectNode config = json.createObjectNode();
    config.put("peft_type", "LORA").put("base_model_name_or_path", model).put("revision", revision);
    config.put("r", settings.rank).put("lora_alpha", settings.alpha).put("lora_dropout", 0.0);
    config.put("bias", "none").put("fan_in_fan_out", false).put("inference_mode", true);
    config.putNull("task_type");
    ArrayNode modules = config.putArray("target_modules");
    TreeSet<String> names = new TreeSet<>();
    for (String factor : factors.keySet()) {
      String module = factor.substring(0, factor.lastIndexOf('.'));
      names.add(module.substring(module.lastIndexOf('.') + 1));
    }
    names.forEach(modules::add);
    return config.toPrettyString().getBytes(StandardCharsets.UTF_8);
  }

  /** {@code adapter_model.safetensors}, float32. */
  public byte[] tensors() {
    Map<String, Factor> named = new LinkedHashMap<>();
    factors.forEach(
        (name, factor) -> named.put("base_model.model.%s.weight".formatted(name), factor));
    return SafetensorsWriter.bytes(Map.of("format", "pt"), named);
  }
}
