package ai.lockstep.jobs.config;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ConfigDigestTest {

  private static final Composer COMPOSER = new Composer(ConfigSource.folder(Path.of("../conf")));

  private static ConfigDigest digest(String... overrides) {
    return ConfigDigest.of(COMPOSER.compose("config", List.of(overrides)));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "decode.tau_r=0.8",
        "decode.mode=jacobi",
        "decode.trace=true",
        "decode=dream",
        "model=dream",
        "model.generation.seed=1",
        "model.prompt=chat",
        "dataset=humanevalplus",
        "dataset.path=/other.jsonl",
        "dataset.mini=true",
        "harness.min_time_limit=5",
      })
  void changesWithWhatDecidesResults(String override) {
    assertThat(digest(override)).isNotEqualTo(digest());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "output.dir=/elsewhere",
        "run.id=other",
        "wandb.enabled=true",
        "hardware=h200_8x",
        "harness.parallel=3",
        "model.generation.n=10",
        "model.device=cpu",
        "limit=5",
        "tasks=0-3",
        "decode.tau_r=0.900",
      })
  void staysWithEverythingElse(String override) {
    assertThat(digest(override)).isEqualTo(digest());
  }

  @Test
  void aChoiceAndItsValuesAreOneConfiguration() {
    assertThat(digest("decode=jacobi")).isEqualTo(digest("decode.mode=jacobi"));
  }

  @Test
  void theShortIdIsTheStartOfTheDigest() {
    ConfigDigest digest = digest();

    assertThat(digest.sha256()).matches("[0-9a-f]{64}");
    assertThat(digest.shortId()).isEqualTo("c" + digest.sha256().substring(0, 11));
  }

  @Test
  void canonicalJsonSortsKeysAndStripsZeros() throws JsonProcessingException {
    String json = "{\"b\": 1.50, \"a\": [1.0, 100, 0.0, 1e-3, null, true, \"x\\\"\"], \"c\": {}}";

    assertThat(ConfigDigest.canonical(new ObjectMapper().readTree(json)))
        .isEqualTo("{\"a\":[1,100,0,0.001,null,true,\"x\\\"\"],\"b\":1.5,\"c\":{}}");
  }
}
