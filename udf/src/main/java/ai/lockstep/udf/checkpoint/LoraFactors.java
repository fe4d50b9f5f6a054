package ai.lockstep.udf.checkpoint;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
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
    ObjectNode header = new ObjectMapper().createObjectNode();
    header.putObject("__metadata__").put("format", "pt");
    long offset = 0;
    for (Map.Entry<String, Factor> factor : factors.entrySet()) {
      ObjectNode entry = header.putObject("base_model.model.%s.weight".formatted(factor.getKey()));
      entry.put("dtype", "F32");
      ArrayNode shape = entry.putArray("shape");
      for (long size : factor.getValue().shape) {
        shape.add(size);
      }
      long end = offset + 4L * factor.getValue().values.length;
      entry.putArray("data_offsets").add(offset).add(end);
      offset = end;
    }
    // The numbers begin at a multiple of eight bytes; blanks fill up.
    String text = header.toString();
    byte[] json = (text + " ".repeat((8 - text.length() % 8) % 8)).getBytes(StandardCharsets.UTF_8);
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try {
      bytes.write(little(8).putLong(json.length).array());
      bytes.write(json);
      for (Factor factor : factors.values()) {
        ByteBuffer numbers = little(4 * factor.values.length);
        for (float value : factor.values) {
          numbers.putFloat(value);
        }
        bytes.write(numbers.array());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  private static ByteBuffer little(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }
}
