package ai.lockstep.udf.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.lockstep.failure.FailureCategory;
import ai.lockstep.failure.LockstepException;
import ai.lockstep.udf.golden.Golden;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CheckpointConfigTest {

  @TempDir Path folder;

  @Test
  void readsEveryValueFromTheFile() {
    assertThat(CheckpointConfig.read(Golden.file("model")))
        .isEqualTo(
            new CheckpointConfig(
                320, 64, 128, 2, 4, 2, 16, 1_000_000, 1e-6, 303, 280, List.of(280), 2048, false));
  }

  @Test
  void takesAHeadSizeAndSeveralEndTokensWhereTheyAreGiven() {
    write(
        json -> {
          json.put("head_dim", 8);
          json.putArray("eos_token_id").add(3).add(2);
        });

    CheckpointConfig config = CheckpointConfig.read(folder);

    assertThat(config.headSize()).isEqualTo(8);
    assertThat(config.eosIds()).containsExactly(3, 2);
    assertThat(config.tensorShapes().get("model.layers.0.self_attn.q_proj.weight"))
        .containsExactly(16, 4);
  }

  @Test
  void namesTheTensorsOfDreamWithTheirShapes() {
    Map<String, long[]> shapes =
        new CheckpointConfig(
                152064,
                3584,
                18944,
                28,
                28,
                4,
                128,
                1e6,
                1e-6,
                151666,
                151643,
                List.of(151643),
                131072,
                false)
            .tensorShapes();

    assertThat(shapes).hasSize(339);
    assertThat(shapes.get("lm_head.weight")).containsExactly(152064, 3584);
    assertThat(shapes.get("model.layers.27.self_attn.v_proj.weight")).containsExactly(512, 3584);
    long numbers = 0;
    for (long[] shape : shapes.values()) {
      long product = 1;
      for (long length : shape) {
        product *= length;
      }
      numbers += product;
    }
    assertThat(numbers).isEqualTo(7_615_616_512L);
  }

  @Test
  void refusesAFolderThatIsNotThere() {
    Path nowhere = folder.resolve("nowhere");

    assertThatThrownBy(() -> CheckpointConfig.read(nowhere))
        .hasMessage(
            "Cannot load Dream from %s: there is no such folder. Set model.path to a folder with config.json and the weights.",
            nowhere);
  }

  @Test
  void refusesAFolderWithoutConfigJsonAndSaysWhatIsThere() throws IOException {
    for (String name : List.of("g", "b", "a", "f", "c", "d")) {
      Files.createFile(folder.resolve(name));
    }

    assertThatThrownBy(() -> CheckpointConfig.read(folder))
        .isInstanceOfSatisfying(
            LockstepException.class,
            failure -> assertThat(failure.category()).isEqualTo(FailureCategory.USER))
        .hasMessage(
            "Cannot load Dream from %s: config.json is missing (the folder holds a, b, c, d, f, ...). Set model.path to a checkpoint folder.",
            folder);
  }

  @Test
  void refusesWhatIsNotJson() throws IOException {
    Files.writeString(folder.resolve("config.json"), "{");

    assertThatThrownBy(() -> CheckpointConfig.read(folder))
        .hasMessage(
            "Cannot load Dream from %s: config.json is not JSON. Copy or download it again.",
            folder);
  }

  @Test
  void neverDefaultsAValue() {
    write(json -> json.remove(List.of("rope_theta", "mask_token_id")));

    assertThatThrownBy(() -> CheckpointConfig.read(folder))
        .hasMessage(
            "Cannot load Dream from %s: config.json lacks rope_theta, mask_token_id. Use the config.json that was published with the weights.",
            folder);
  }

  @Test
  void refusesAnotherArchitecture() {
    write(json -> json.put("model_type", "qwen2"));

    assertThatThrownBy(() -> CheckpointConfig.read(folder))
        .hasMessage(
            "Cannot load Dream from %s: config.json says model_type \"qwen2\"; only \"Dream\" is known. Set model.path or model.hf_name to a Dream checkpoint.",
            folder);
  }

  @Test
  void refusesAnotherActivationAndScaledRotation() {
    write(json -> json.put("hidden_act", "gelu"));
    assertThatThrownBy(() -> CheckpointConfig.read(folder))
        .hasMessage(
            "Cannot load Dream from %s: config.json says hidden_act \"gelu\"; only \"silu\" is known.",
            folder);

    write(json -> json.putObject("rope_scaling").put("type", "yarn"));
    assertThatThrownBy(() -> CheckpointConfig.read(folder))
        .hasMessage(
            "Cannot load Dream from %s: config.json asks for rope_scaling {\"type\":\"yarn\"}; only null is known.",
            folder);
  }

  @Test
  void refusesSizesThatContradictEachOtherAllAtOnce() {
    write(
        json -> {
          json.put("num_attention_heads", 4);
          json.put("num_key_value_heads", 3);
          json.put("mask_token_id", 5);
        });

    assertThatThrownBy(() -> CheckpointConfig.read(folder))
        .hasMessage(
            "Cannot load Dream from %s: config.json contradicts itself: num_attention_heads=4 is no multiple of num_key_value_heads=3; heads are 1 wide, and must be even; mask, pad and eos ids 5, 3 and [3] do not all lie below vocab_size=5.",
            folder);
  }

  private void write(Consumer<ObjectNode> change) {
    ObjectNode json = CheckpointFiles.json(CheckpointFiles.smallest());
    change.accept(json);
    try {
      new ObjectMapper().writeValue(folder.resolve("config.json").toFile(), json);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
