package ai.lockstep.udf.checkpoint;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Writes checkpoints of any size for tests and benchmarks. */
public final class CheckpointFiles {

  private static final ObjectMapper JSON = new ObjectMapper();

  private CheckpointFiles() {}

  /** The smallest model there can be: one layer, two heads of two numbers, five ids. */
  public static CheckpointConfig smallest() {
    return new CheckpointConfig(5, 4, 6, 1, 2, 1, 2, 10000, 1e-6, 4, 3, List.of(3), 16, false);
  }

  /** Writes config.json and one file of random bfloat16 weights between -1/32 and 1/32. */
  public static void writeRandom(Path folder, CheckpointConfig config) {
    writeConfig(folder, config);
    writeRandom(folder.resolve("model.safetensors"), config.tensorShapes());
  }

  /** Writes a file of random bfloat16 tensors between -1/32 and 1/32. */
  public static void writeRandom(Path file, Map<String, long[]> shapes) {
    ObjectNode header = JSON.createObjectNode();
    long end = 0;
    for (Map.Entry<String, long[]> tensor : shapes.entrySet()) {
      long begin = end;
      end += 2 * Arrays.stream(tensor.getValue()).reduce(1, Math::multiplyExact);
      describe(header, tensor.getKey(), "BF16", tensor.getValue(), begin, end);
    }
    byte[] block = new byte[1 << 20];
    new Random(9).nextBytes(block);
    for (int i = 1; i < block.length; i += 2) {
      // The high byte of a small number: its sign, then an exponent of -7 to -6.
      block[i] = (byte) ((block[i] & 0x80) | 0x3c);
    }
    try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(file), 1 << 20)) {
      out.write(prefix(header));
      for (long written = 0; written < end; written += block.length) {
        out.write(block, 0, (int) Math.min(block.length, end - written));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Writes a file of float32 tensors, each filled with its values. */
  public static void writeFloats(
      Path file, Map<String, long[]> shapes, Map<String, float[]> values) {
    ObjectNode header = JSON.createObjectNode();
    long end = 0;
    for (Map.Entry<String, long[]> tensor : shapes.entrySet()) {
      long begin = end;
      end += 4L * values.get(tensor.getKey()).length;
      describe(header, tensor.getKey(), "F32", tensor.getValue(), begin, end);
    }
    ByteBuffer data = ByteBuffer.allocate((int) end).order(ByteOrder.LITTLE_ENDIAN);
    for (String name : shapes.keySet()) {
      for (float value : values.get(name)) {
        data.putFloat(value);
      }
    }
    try (OutputStream out = Files.newOutputStream(file)) {
      out.write(prefix(header));
      out.write(data.array());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A header's entry. */
  public static void describe(
      ObjectNode header, String name, String dtype, long[] shape, long begin, long end) {
    ObjectNode entry = header.putObject(name);
    entry.put("dtype", dtype);
    Arrays.stream(shape).forEach(entry.putArray("shape")::add);
    entry.putArray("data_offsets").add(begin).add(end);
  }

  /** What stands before the tensors' bytes: the header's length and the header. */
  public static byte[] prefix(ObjectNode header) throws IOException {
    byte[] text = JSON.writeValueAsBytes(header);

    return ByteBuffer.allocate(8 + text.length)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(text.length)
        .put(text)
        .array();
  }

  /** Writes config.json. */
  public static void writeConfig(Path folder, CheckpointConfig config) {
    try {
      JSON.writeValue(folder.resolve("config.json").toFile(), json(config));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What config.json says of a model. */
  public static ObjectNode json(CheckpointConfig config) {
    ObjectNode json = JSON.createObjectNode();
    json.put("model_type", "Dream");
    json.put("hidden_act", "silu");
    json.put("vocab_size", config.vocabSize());
    json.put("hidden_size", config.hiddenSize());
    json.put("intermediate_size", config.intermediateSize());
    json.put("num_hidden_layers", config.layers());
    json.put("num_attention_heads", config.heads());
    json.put("num_key_value_heads", config.kvHeads());
    json.put("rope_theta", config.ropeTheta());
    json.put("rms_norm_eps", config.rmsNormEps());
    json.put("mask_token_id", config.maskId());
    json.put("pad_token_id", config.padId());
    json.put("eos_token_id", config.eosIds().get(0));
    json.put("max_position_embeddings", config.maxPositions());
    json.put("tie_word_embeddings", config.tiedHead());

    return json;
  }
}
