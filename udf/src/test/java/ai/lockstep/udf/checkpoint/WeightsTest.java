package ai.lockstep.udf.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.lockstep.failure.FailureCategory;
import ai.lockstep.failure.LockstepException;
import ai.lockstep.udf.golden.Golden;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WeightsTest {

  @TempDir Path folder;

  private final CheckpointConfig config = CheckpointFiles.smallest();

  @Nested
  class Reading {

    @Test
    void findsTensorsOfOneFile() {
      CheckpointFiles.writeFloats(
          folder.resolve("model.safetensors"),
          ordered("a", new long[] {2, 2}, "b", new long[] {3}),
          Map.of("a", new float[] {1, 2, 3, 4}, "b", new float[] {-1, 0.5f, 7}));

      Weights weights = Weights.open(folder);

      assertThat(weights.names()).containsExactly("a", "b");
      assertThat(weights.tensor("a")).hasToString("a F32 [2, 2]");
      assertThat(weights.tensor("a").toFloats()).containsExactly(1, 2, 3, 4);
      assertThat(weights.tensor("b").toFloats()).containsExactly(-1, 0.5f, 7);
    }

    @Test
    void findsTensorsOfAllShardsOfAnIndex() {
      Weights single = Weights.open(Golden.file("model"));
      Weights sharded = Weights.open(Golden.file("model_bf16_sharded"));

      assertThat(sharded.names()).containsExactlyInAnyOrderElementsOf(single.names());
      assertThat(sharded.tensor("model.norm.weight").dtype()).isEqualTo(Dtype.BF16);
    }

    @Test
    void widensHalfPrecision() throws IOException {
      ByteBuffer halves = ByteBuffer.allocate(14).order(ByteOrder.LITTLE_ENDIAN);
      // 1, -2, the largest, the smallest above 0, infinity, -0 and 1/3 in IEEE 754 binary16.
      for (int bits : new int[] {0x3c00, 0xc000, 0x7bff, 0x0001, 0x7c00, 0x8000, 0x3555}) {
        halves.putShort((short) bits);
      }
      write("F16", new long[] {7}, halves.array());

      assertThat(Weights.open(folder).tensor("t").toFloats())
          .containsExactly(1, -2, 65504, 0x1p-24f, Float.POSITIVE_INFINITY, -0f, 0.333251953125f);
    }

    @Test
    void widensBfloat16() throws IOException {
      write("BF16", new long[] {1, 2}, new byte[] {(byte) 0x80, 0x3f, 0x49, (byte) 0xc0});

      assertThat(Weights.open(folder).tensor("t").toFloats()).containsExactly(1, -3.140625f);
    }

    @Test
    void mapsTensorsBeyondTwoGibibytes() throws IOException {
      // A sparse file of 6 GiB: only its beginning and its last row are written.
      long rows = 3L << 19;
      long columns = 1024;
      ObjectNode header = new ObjectMapper().createObjectNode();
      CheckpointFiles.describe(
          header, "big", "F32", new long[] {rows, columns}, 0, 4 * rows * columns);
      byte[] prefix = CheckpointFiles.prefix(header);
      Path file = folder.resolve("model.safetensors");
      try (FileChannel channel =
          FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
        channel.write(ByteBuffer.wrap(prefix));
        ByteBuffer last = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN);
        channel.write(last.putFloat(0, 42.5f), prefix.length + 4 * rows * columns - 4);
      }
      long[] seen = new long[2];
      float[] lastValue = new float[1];

      Weights.open(folder)
          .tensor("big")
          .forEachWindow(
              1L << 30,
              (fromRow, count, bytes) -> {
                assertThat(fromRow).isEqualTo(seen[0]);
                assertThat((long) bytes.remaining()).isEqualTo(4 * count * columns);
                seen[0] += count;
                seen[1]++;
                lastValue[0] = bytes.getFloat(bytes.limit() - 4);
              });

      assertThat(seen).containsExactly(rows, 6);
      assertThat(lastValue).containsExactly(42.5f);
    }
  }

  @Nested
  class Refusing {

    @Test
    void aFolderWithoutWeights() {
      assertUserError(
          "Cannot load Dream from %s: neither model.safetensors nor model.safetensors.index.json is there. Set model.path to a folder with the weights in safetensors."
              .formatted(folder));
    }

    @Test
    void anIndexWhoseShardsAreMissing() throws IOException {
      Files.writeString(
          folder.resolve("model.safetensors.index.json"),
          "{\"weight_map\": {\"a\": \"model-2.safetensors\", \"b\": \"model-1.safetensors\", \"c\": \"model-3.safetensors\"}}");
      CheckpointFiles.writeRandom(
          folder.resolve("model-2.safetensors"), Map.of("a", new long[] {1}));

      assertUserError(
          "Cannot load Dream from %s: shards model-1.safetensors, model-3.safetensors are missing (listed in model.safetensors.index.json). Copy or download them there."
              .formatted(folder));
    }

    @Test
    void anIndexThatLeadsOutOfTheFolder() throws IOException {
      Path index = folder.resolve("model.safetensors.index.json");
      Files.writeString(index, "{\"weight_map\": {\"a\": \"../model.safetensors\"}}");

      assertUserError(
          "Cannot read %s: its weight_map names no files beside it. Copy or download it again."
              .formatted(index));
    }

    @Test
    void aHeaderLongerThanTheFile() throws IOException {
      Path file =
          Files.write(
              folder.resolve("model.safetensors"), new byte[] {9, 1, 0, 0, 0, 0, 0, 0, '{'});

      assertUserError(
          "Cannot read %s: its header claims 265 bytes of a file of 9. The file is damaged or incomplete: copy or download it again."
              .formatted(file));
    }

    @Test
    void aFileWithoutAHeader() throws IOException {
      Path file = Files.write(folder.resolve("model.safetensors"), new byte[3]);

      assertUserError(
          "Cannot read %s: it has 3 bytes and no header. The file is damaged or incomplete: copy or download it again."
              .formatted(file));
    }

    @Test
    void aHeaderThatIsNotJson() throws IOException {
      byte[] bytes = new byte[20];
      bytes[0] = 12;
      Path file = Files.write(folder.resolve("model.safetensors"), bytes);

      assertUserError(
          "Cannot read %s: its header is not JSON. The file is damaged or incomplete: copy or download it again."
              .formatted(file));
    }

    @Test
    void aTruncatedFile() throws IOException {
      write("F32", new long[] {2}, new byte[7]);
      Path file = folder.resolve("model.safetensors");
      long size = Files.size(file);

      assertUserError(
          "Cannot read %s: tensor t ends at byte %d of a file of %d. The file is damaged or incomplete: copy or download it again."
              .formatted(file, size + 1, size));
    }

    @Test
    void anUnknownNumberFormat() throws IOException {
      write("I8", new long[] {1}, new byte[1]);

      assertUserError(
          "Cannot read %s: tensor t has dtype I8; F32, F16 and BF16 are known. Save the checkpoint in one of these."
              .formatted(folder.resolve("model.safetensors")));
    }

    @Test
    void everythingThatIsMissingOrMisshapenAtOnce() {
      CheckpointConfig deep =
          new CheckpointConfig(5, 4, 6, 4, 2, 1, 2, 10000, 1e-6, 4, 3, List.of(3), 16, false);
      Map<String, long[]> shapes = deep.tensorShapes();
      for (int layer : new int[] {0, 1, 3}) {
        shapes.remove("model.layers." + layer + ".mlp.up_proj.weight");
      }
      shapes.put("model.layers.2.self_attn.k_proj.bias", new long[] {4});
      shapes.put("model.norm.weight", new long[] {2, 2});
      shapes.remove("lm_head.weight");
      shapes.put("of.something.else", new long[] {1});
      CheckpointFiles.writeRandom(folder.resolve("model.safetensors"), shapes);

      Weights weights = Weights.open(folder);

      assertThatThrownBy(() -> weights.require(deep.tensorShapes()))
          .isInstanceOf(LockstepException.class)
          .hasMessage(
              "Cannot load Dream from %s: the weights do not fit config.json: model.layers.{0-1, 3}.mlp.up_proj.weight is missing, model.layers.2.self_attn.k_proj.bias is [4] instead of [2], model.norm.weight is [2, 2] instead of [4], lm_head.weight is missing. Use config.json and weights of one checkpoint.",
              folder);
    }

    private void assertUserError(String message) {
      assertThatThrownBy(() -> Weights.open(folder))
          .isInstanceOfSatisfying(
              LockstepException.class,
              failure -> assertThat(failure.category()).isEqualTo(FailureCategory.USER))
          .hasMessage(message);
    }
  }

  @Test
  void acceptsACheckpointWithFurtherTensors() {
    Map<String, long[]> shapes = config.tensorShapes();
    shapes.put("rotary.inv_freq", new long[] {2});
    CheckpointFiles.writeRandom(folder.resolve("model.safetensors"), shapes);

    Weights.open(folder).require(config.tensorShapes());
  }

  private void write(String dtype, long[] shape, byte[] bytes) throws IOException {
    ObjectNode header = new ObjectMapper().createObjectNode();
    long claimed = 1;
    for (long length : shape) {
      claimed *= length;
    }
    int width = dtype.equals("F32") ? 4 : dtype.equals("I8") ? 1 : 2;
    CheckpointFiles.describe(header, "t", dtype, shape, 0, claimed * width);
    byte[] prefix = CheckpointFiles.prefix(header);
    byte[] content = new byte[prefix.length + bytes.length];
    System.arraycopy(prefix, 0, content, 0, prefix.length);
    System.arraycopy(bytes, 0, content, prefix.length, bytes.length);
    Files.write(folder.resolve("model.safetensors"), content);
  }

  private static Map<String, long[]> ordered(
      String first, long[] firstShape, String second, long[] secondShape) {
    Map<String, long[]> shapes = new LinkedHashMap<>();
    shapes.put(first, firstShape);
    shapes.put(second, secondShape);

    return shapes;
  }
}
