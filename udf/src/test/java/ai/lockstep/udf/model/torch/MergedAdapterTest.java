package ai.lockstep.udf.model.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;

import ai.lockstep.udf.checkpoint.Checkpoint;
import ai.lockstep.udf.checkpoint.CheckpointFiles;
import ai.lockstep.udf.checkpoint.CheckpointLocator;
import ai.lockstep.udf.checkpoint.CheckpointSource;
import ai.lockstep.udf.checkpoint.Weights;
import ai.lockstep.udf.golden.Golden;
import ai.lockstep.udf.model.Proposals;
import ai.lockstep.udf.model.RowPass;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a LoRA adapter does to the golden model, against weights merged by hand. */
class MergedAdapterTest {

  private static final int RANK = 3;
  private static final double ALPHA = 4.5;

  /** Two ways of rounding the same float32 sums. */
  private static final float ROUNDING = 1e-4f;

  private static final List<String> MODULES =
      List.of(
          "model.layers.0.self_attn.q_proj",
          "model.layers.0.self_attn.v_proj",
          "model.layers.1.self_attn.o_proj",
          "model.layers.1.mlp.gate_proj",
          "model.layers.0.mlp.down_proj");

  @TempDir Path folder;

  private final Random random = new Random(11);
  private final Map<String, long[]> factorShapes = new LinkedHashMap<>();
  private final Map<String, float[]> factors = new LinkedHashMap<>();

  @Test
  void isThatOfTheMergedWeights() throws IOException {
    Checkpoint base =
        CheckpointLocator.fromEnvironment()
            .locate(new CheckpointSource.Folder(Golden.file("model")));
    Path merged = writeMerged(base);
    Path adapter = writeAdapter();

    float[][] plain = logits(base);
    float[][] adapted =
        logits(
            CheckpointLocator.fromEnvironment()
                .locate(new CheckpointSource.Folder(base.folder()), adapter));
    float[][] expected =
        logits(CheckpointLocator.fromEnvironment().locate(new CheckpointSource.Folder(merged)));

    for (int i = 0; i < expected.length; i++) {
      assertThat(adapted[i]).containsExactly(expected[i], offset(ROUNDING));
    }
    assertThat(largestDifference(adapted, plain)).isGreaterThan(0.1f);
  }

  /** W + alpha / rank * B A, in double, for every module. */
  private Path writeMerged(Checkpoint base) throws IOException {
    Map<String, long[]> shapes = base.config().tensorShapes();
    Map<String, float[]> values = new LinkedHashMap<>();
    Weights weights = base.weights();
    shapes.keySet().forEach(name -> values.put(name, weights.tensor(name).toFloats()));
    for (String module : MODULES) {
      long[] shape = shapes.get(module + ".weight");
      int outputs = (int) shape[0];
      int inputs = (int) shape[1];
      float[] a = factor(module, 'A', RANK, inputs);
      float[] b = factor(module, 'B', outputs, RANK);
      float[] w = values.get(module + ".weight");
      for (int o = 0; o < outputs; o++) {
        for (int i = 0; i < inputs; i++) {
          double update = 0;
          for (int r = 0; r < RANK; r++) {
            update += (double) b[o * RANK + r] * a[r * inputs + i];
          }
          w[o * inputs + i] += (float) (ALPHA / RANK * update);
        }
      }
    }
    Path merged = Files.createDirectories(folder.resolve("merged"));
    Files.copy(base.folder().resolve("config.json"), merged.resolve("config.json"));
    CheckpointFiles.writeFloats(merged.resolve("model.safetensors"), shapes, values);
    return merged;
  }

  private float[] factor(String module, char which, int rows, int columns) {
    String name = "base_model.model.%s.lora_%s.weight".formatted(module, which);
    float[] values = new float[rows * columns];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (0.2 * random.nextGaussian());
    }
    factorShapes.put(name, new long[] {rows, columns});
    factors.put(name, values);
    return values;
  }

  private Path writeAdapter() throws IOException {
    Path adapter = Files.createDirectories(folder.resolve("adapter"));
    Files.writeString(
        adapter.resolve("adapter_config.json"),
        "{\"peft_type\": \"LORA\", \"r\": %d, \"lora_alpha\": %s}".formatted(RANK, ALPHA));
    CheckpointFiles.writeFloats(
        adapter.resolve("adapter_model.safetensors"), factorShapes, factors);
    return adapter;
  }

  private static float[][] logits(Checkpoint checkpoint) {
    int[] ids = GoldenForward.ids("plain").get(0);
    try (DreamModel model = DreamModel.load(checkpoint, 304, TorchDevice.cpu())) {
      Proposals answer =
          model
              .propose(List.of(new RowPass(GoldenForward.wantingLogits(ids), RowPass.NO_SLOT)))
              .get(0);
      float[][] logits = new float[ids.length][];
      for (int i = 0; i < logits.length; i++) {
        logits[i] = answer.logits(i).orElseThrow();
      }
      return logits;
    }
  }

  private static float largestDifference(float[][] one, float[][] other) {
    float largest = 0;
    for (int i = 0; i < one.length; i++) {
      for (int v = 0; v < one[i].length; v++) {
        largest = Math.max(largest, Math.abs(one[i][v] - other[i][v]));
      }
    }
    return largest;
  }
}
