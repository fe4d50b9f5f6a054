package ai.lockstep.udf.benchmark;

import ai.lockstep.udf.checkpoint.CheckpointConfig;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;

/**
 * A checkpoint folder of any size with random weights in bfloat16: what speed depends on, without a
 * download. Matrices are normally distributed with deviation 0.02 (one block of numbers, repeated),
 * norms are 1, biases 0.
 */
public final class RandomCheckpoint {

  /** Sizes of the models. */
  public enum Size {
    /** The bundled model's. */
    TINY(256, 704, 7, 8, 2, 1248, 1223),
    /** 0.5 billion parameters: what a CPU can hold. */
    SMALL(896, 4864, 24, 14, 2, 151936, 151666),
    /** Dream-7B's: 15.2 GB. */
    DREAM_7B(3584, 18944, 28, 28, 4, 152064, 151666);

    private final int hidden;
    private final int intermediate;
    private final int layers;
    private final int heads;
    private final int kvHeads;
    private final int vocabulary;
    private final int mask;

    Size(
        int hidden,
        int intermediate,
        int layers,
        int heads,
        int kvHeads,
        int vocabulary,
        int mask) {
      this.hidden = hidden;
      this.intermediate = intermediate;
      this.layers = layers;
      this.heads = heads;
      this.kvHeads = kvHeads;
      this.vocabulary = vocabulary;
      this.mask = mask;
    }

    /** Ids below this have a token. */
    int tokenCount() {
      return mask + 1;
    }
  }

  private static final int BLOCK_VALUES = 1 << 24;
  private static final double DEVIATION = 0.02;

  private RandomCheckpoint() {}

  /** Writes a checkpoint into a folder unless one is there already. */
  public static Path write(Path folder, Size size) throws IOException {
    Path weights = folder.resolve("model.safetensors");
    if (Files.exists(weights)) {
      return folder;
    }
    Files.createDirectories(folder);
    Files.writeString(folder.resolve("config.json"), config(size).toString());
    Map<String, long[]> shapes = CheckpointConfig.read(folder).tensorShapes();
    Path part = folder.resolve("model.safetensors.part");
    try (FileChannel out =
        FileChannel.open(
            part,
            StandardOpenOption.CREATE,
            StandardOpenOption.WRITE,
            StandardOpenOption.TRUNCATE_EXISTING)) {
      writeHeader(out, shapes);
      ByteBuffer normal = normalBlock();
      for (Map.Entry<String, long[]> tensor : shapes.entrySet()) {
        writeTensor(out, tensor.getKey(), count(tensor.getValue()), normal);
      }
    }
    Files.move(part, weights);

    return folder;
  }

  private static ObjectNode config(Size size) {
    return new ObjectMapper()
        .createObjectNode()
        .put("model_type", "Dream")
        .put("hidden_act", "silu")
        .put("hidden_size", size.hidden)
        .put("intermediate_size", size.intermediate)
        .put("num_hidden_layers", size.layers)
        .put("num_attention_heads", size.heads)
        .put("num_key_value_heads", size.kvHeads)
        .put("vocab_size", size.vocabulary)
        .put("mask_token_id", size.mask)
        .put("pad_token_id", size.mask - 23)
        .put("eos_token_id", size.mask - 23)
        .put("rope_theta", 1e6)
        .put("rms_norm_eps", 1e-6)
        .put("max_position_embeddings", 2048)
        .put("tie_word_embeddings", false);
  }

  private static void writeHeader(FileChannel out, Map<String, long[]> shapes) throws IOException {
    ObjectMapper json = new ObjectMapper();
    Map<String, Object> header = new LinkedHashMap<>();
    long offset = 0;
    for (Map.Entry<String, long[]> tensor : shapes.entrySet()) {
      long end = offset + 2 * count(tensor.getValue());
      header.put(
          tensor.getKey(),
          Map.of(
              "dtype",
              "BF16",
              "shape",
              tensor.getValue(),
              "data_offsets",
              new long[] {offset, end}));
      offset = end;
    }
    byte[] text = json.writeValueAsString(header).getBytes(StandardCharsets.UTF_8);
    ByteBuffer bytes = ByteBuffer.allocate(Long.BYTES + text.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putLong(text.length).put(text).flip();
    writeFully(out, bytes);
  }

  private static void writeTensor(FileChannel out, String name, long count, ByteBuffer normal)
      throws IOException {
    if (name.endsWith("bias") || name.contains("norm")) {
      ByteBuffer constant =
          ByteBuffer.allocate(Math.toIntExact(2 * count)).order(ByteOrder.LITTLE_ENDIAN);
      while (constant.hasRemaining()) {
        constant.putShort(bfloat16(name.endsWith("bias") ? 0 : 1));
      }
      writeFully(out, constant.flip());
      return;
    }
    for (long left = 2 * count; left > 0; ) {
      ByteBuffer block = normal.duplicate();
      block.limit((int) Math.min(left, block.capacity()));
      left -= block.remaining();
      writeFully(out, block);
    }
  }

  private static ByteBuffer normalBlock() {
    Random random = new Random(1);
    ByteBuffer block = ByteBuffer.allocateDirect(2 * BLOCK_VALUES).order(ByteOrder.LITTLE_ENDIAN);
    while (block.hasRemaining()) {
      block.putShort(bfloat16((float) (DEVIATION * random.nextGaussian())));
    }

    return block.flip();
  }

  private static short bfloat16(float value) {
    return (short) (Float.floatToIntBits(value) >>> 16);
  }

  private static long count(long[] shape) {
    long count = 1;
    for (long size : shape) {
      count *= size;
    }

    return count;
  }

  private static void writeFully(FileChannel out, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      out.write(bytes);
    }
  }
}
