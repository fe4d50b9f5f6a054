package ai.lockstep.jobs.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class BundledConfigurationTest {

  private static final ConfigSource CONF = ConfigSource.folder(Path.of("../conf"));

  static Stream<String> everyOption() {
    return CONF.groups().stream()
        .flatMap(group -> CONF.options(group).stream().map(option -> group + "=" + option));
  }

  @ParameterizedTest
  @MethodSource("everyOption")
  void everyOptionOfEveryGroupComposes(String choice) {
    Composition composition = new Composer(CONF).compose("config", List.of(choice));

    String[] parts = choice.split("=");
    assertThat(composition.choices()).containsEntry(parts[0], parts[1]);
    assertThat(composition.resolved().has(parts[0])).isTrue();
  }

  @Test
  void theDefaultsRunTheBundledModelOnTheStarterSuite() {
    Composition composition = new Composer(CONF).compose("config", List.of());

    assertThat(composition.choices())
        .containsExactlyInAnyOrderEntriesOf(
            Map.ofEntries(
                Map.entry("model", "dream-tiny"),
                Map.entry("decode", "lockstep"),
                Map.entry("dataset", "starter"),
                Map.entry("harness", "default"),
                Map.entry("hardware", "local"),
                Map.entry("rl", "grpo"),
                Map.entry("nightly", "default"),
                Map.entry("train", "grpo"),
                Map.entry("wandb", "default"),
                Map.entry("tracking", "none"),
                Map.entry("viz", "default"),
                Map.entry("sweep", "none")));
    assertThat(composition.resolved().at("/model/path").textValue())
        .isEqualTo("bundled:dream-tiny");
    assertThat(composition.resolved().at("/decode/a_length").intValue()).isEqualTo(80);
  }

  @Test
  void lengthsFollowTheModelUnlessTheyAreSet() {
    Composer composer = new Composer(CONF);

    assertThat(composer.compose("config", List.of("model=dream")).resolved().at("/decode/a_length"))
        .hasToString("384");
    assertThat(
            composer
                .compose("config", List.of("model=dream", "decode.a_length=256"))
                .resolved()
                .at("/decode/a_length"))
        .hasToString("256");
  }

  @Test
  void limitAndTasksStandAtTheTopAndInTheDataset() {
    Composer composer = new Composer(CONF);

    assertThat(composer.compose("config", List.of("limit=20")).resolved().at("/dataset/limit"))
        .hasToString("20");
    assertThat(
            composer.compose("config", List.of("dataset.limit=5")).resolved().at("/dataset/limit"))
        .hasToString("5");
    assertThat(composer.compose("config", List.of("tasks=0-19")).resolved().at("/dataset/tasks"))
        .hasToString("\"0-19\"");
  }

  @Test
  void everyKeyHasAComment() throws Exception {
    try (Stream<Path> files = Files.walk(Path.of("../conf"))) {
      for (Path file : files.filter(f -> f.toString().endsWith(".yaml")).toList()) {
        String text = Files.readString(file);
        assertThat(text.lines().findFirst()).hasValueSatisfying(l -> assertThat(l).startsWith("#"));
        if (file.getParent().endsWith("sweep")) {
          continue;
        }
        assertThat(text.lines().filter(line -> line.matches("\\s*[a-z_.]+: .+")).toList())
            .as(file.toString())
            .allSatisfy(line -> assertThat(line).contains(" # "));
      }
    }
  }

  @Test
  void theJarHoldsTheSameFiles() {
    ConfigSource bundled = ConfigSource.bundled();

    assertThat(bundled.groups()).isEqualTo(CONF.groups());
    assertThat(new Composer(bundled).compose("config", List.of("model=dream")).choices())
        .containsEntry("model", "dream");
  }
}
