package ai.lockstep.udf.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LoraAdapterTest {

  private static final String Q = "model.layers.0.self_attn.q_proj";

  @TempDir Path folder;

  private final Map<String, long[]> shapes = CheckpointFiles.smallest().tensorShapes();
  private final Map<String, long[]> factors = new LinkedHashMap<>();

  @Test
  void readsFactorsAndScale() {
    factor(Q, 'A', 2, 4);
    factor(Q, 'B', 4, 2);
    config("\"r\": 2, \"lora_alpha\": 3");

    LoraAdapter adapter = LoraAdapter.read(folder, shapes);

    assertThat(adapter.folder()).isEqualTo(folder);
    assertThat(adapter.updates()).containsOnlyKeys(Q + ".weight");
    LoraAdapter.Update update = adapter.updates().get(Q + ".weight");
    assertThat(update.scale()).isEqualTo(1.5);
    assertThat(update.a().shape()).containsExactly(2, 4);
    assertThat(update.b().shape()).containsExactly(4, 2);
  }

  @Test
  void dividesByTheRootOfTheRankWhenRankStabilised() {
    factor(Q, 'A', 4, 4);
    factor(Q, 'B', 4, 4);
    config("\"r\": 4, \"lora_alpha\": 3, \"use_rslora\": true");

    assertThat(LoraAdapter.read(folder, shapes).updates().get(Q + ".weight").scale())
        .isEqualTo(1.5);
  }

  @Test
  void refusesAnAdapterThatDoesNotFitTheCheckpoint() {
    factor(Q, 'A', 2, 8);
    factor(Q, 'B', 4, 2);
    factor("model.layers.7.mlp.up_proj", 'A', 2, 4);
    factor("model.layers.7.mlp.up_proj", 'B', 6, 2);
    config("\"r\": 2, \"lora_alpha\": 2");

    assertRefused(
        "model.layers.0.self_attn.q_proj.weight does not take base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight BF16 [2, 8] and base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight BF16 [4, 2] and 1 more. Use an adapter that was trained on this checkpoint");
  }

  @Test
  void refusesHalfAnUpdate() {
    factor(Q, 'B', 4, 2);
    config("\"r\": 2, \"lora_alpha\": 2");

    assertRefused(
        "model.layers.0.self_attn.q_proj.weight has lora_B but no lora_A. Use an adapter that was trained on this checkpoint");
  }

  @Test
  void refusesWhatCannotBeMerged() {
    factor(Q, 'A', 2, 4);
    config("\"r\": 2, \"lora_alpha\": 2, \"use_dora\": true, \"rank_pattern\": {\"x\": 1}");

    assertRefused(
        "it uses use_dora, rank_pattern, which cannot be merged here. Merge it with PEFT and set model.path to the result");
  }

  @Test
  void refusesAnotherKindOfAdapter() throws IOException {
    factor(Q, 'A', 2, 4);
    config("");
    Files.writeString(folder.resolve("adapter_config.json"), "{\"peft_type\": \"IA3\"}");

    assertRefused("peft_type is \"IA3\"; only \"LORA\" is known");
  }

  @Test
  void refusesAFolderThatHoldsNoAdapter() {
    assertRefused("adapter_config.json is missing. Set model.adapter to a folder saved by PEFT");
  }

  private void factor(String module, char which, long... shape) {
    factors.put("base_model.model.%s.lora_%s.weight".formatted(module, which), shape);
  }

  private void config(String rest) {
    CheckpointFiles.writeRandom(folder.resolve("adapter_model.safetensors"), factors);
    try {
      Files.writeString(
          folder.resolve("adapter_config.json"),
          "{\"peft_type\": \"LORA\"%s}".formatted(rest.isEmpty() ? "" : ", " + rest));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void assertRefused(String reason) {
    assertThatThrownBy(() -> LoraAdapter.read(folder, shapes))
        .hasMessage("Cannot merge the adapter at %s: %s.", folder, reason);
  }
}
