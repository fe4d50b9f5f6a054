package ai.lockstep.udf.model.torch;

import ai.lockstep.udf.checkpoint.CheckpointConfig;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;

/** Writes checkpoints of any size for benchmarks. */
final class CheckpointFiles {

  private static final ObjectMapper JSON = new ObjectMapper();

  private CheckpointFiles() {}

  /** Writes config.json and one file of random bfloat16 weights between -1/32 and 1/32. */
  static void writeRandom(Path folder, CheckpointConfig config) throws IOException {
    JSON.writeValue(folder.resolve("config.json").toFile(), json(config));
    ObjectNode header = JSON.createObjectNode();
    long end = 0;
    for (Map.Entry<String, long[]> tensor : config.tensorShapes().entrySet()) {
      long begin = end;
      end += 2 * Arrays.stream(tensor.getValue()).reduce(1, Math::multiplyExact);
      ObjectNode entry = header.putObject(tensor.getKey());
      entry.put("dtype", "BF16");
      Arrays.stream(tensor.getValue()).forEach(entry.putArray("shape")::add);
      entry.putArray("data_offsets").add(begin).add(end);
    }
    byte[] headerBytes = JSON.writeValueAsBytes(header);
    try (OutputStream out =
        new BufferedOutputStream(
            Files.newOutputStream(folder.resolve("model.safetensors")), 1 << 20)) {
      ByteBuffer length = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
      out.write(length.putLong(headerBytes.length).array());
      out.write(headerBytes);
      byte[] block = new byte[1 << 20];
      Random random = new Random(9);
      random.nextBytes(block);
      for (int i = 1; i < block.length; i += 2) {
        // The high byte of a small number: sign, then an exponent of -6 or so.
        block[i] = (byte) ((block[i] & 0x80) | 0x3c);
      }
      for (long written = 0; written < end; written += block.length) {
        out.write(block, 0, (int) Math.min(block.length, end - written));
      }
    }
  }

  private static ObjectNode json(CheckpointConfig config) {
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
