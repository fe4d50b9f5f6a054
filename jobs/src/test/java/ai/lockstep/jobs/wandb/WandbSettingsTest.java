package ai.lockstep.jobs.wandb;

import static org.assertj.core.api.Assertions.assertThat;

import ai.lockstep.jobs.config.Composer;
import ai.lockstep.jobs.config.Composition;
import ai.lockstep.jobs.config.ConfigSource;
import ai.lockstep.jobs.config.RunConfig;
import ai.lockstep.jobs.config.WandbConfig.Mode;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class WandbSettingsTest {

  private static WandbSettings settings(Map<String, String> environment, String... overrides) {
    Composition composition =
        new Composer(ConfigSource.of(Optional.empty(), Map.of()))
            .compose("config", List.of(overrides));
    return WandbSettings.of(composition, RunConfig.of(composition).wandb(), environment);
  }

  @Test
  void isOffUnlessAskedFor() {
    assertThat(settings(Map.of()).mode()).isEqualTo(Mode.DISABLED);
    assertThat(settings(Map.of("WANDB_MODE", "online")).mode()).isEqualTo(Mode.DISABLED);
    assertThat(settings(Map.of(), "wandb.enabled=true").mode()).isEqualTo(Mode.OFFLINE);
  }

  @Test
  void variablesGoBeforeTheFiles() {
    WandbSettings settings =
        settings(
            Map.of(
                "WANDB_MODE", "online",
                "WANDB_DIR", "/data",
                "WANDB_PROJECT", "p",
                "WANDB_ENTITY", "e",
                "WANDB_RUN_GROUP", "g",
                "WANDB_NAME", "n",
                "WANDB_TAGS", "a, b,"),
            "wandb.enabled=true");

    assertThat(settings)
        .isEqualTo(
            new WandbSettings(
                Mode.ONLINE,
                "p",
                Optional.of("e"),
                Optional.of("g"),
                Optional.of("n"),
                List.of("a", "b"),
                Optional.of("/data")));
  }

  @Test
  void theCommandLineGoesBeforeVariables() {
    WandbSettings settings =
        settings(
            Map.of("WANDB_MODE", "disabled", "WANDB_PROJECT", "p", "WANDB_ENTITY", "e"),
            "wandb.enabled=true",
            "wandb.mode=offline",
            "wandb.project=mine");

    assertThat(settings.mode()).isEqualTo(Mode.OFFLINE);
    assertThat(settings.project()).isEqualTo("mine");
    assertThat(settings.entity()).contains("e");
  }

  @ParameterizedTest
  @CsvSource({
    "offline, OFFLINE",
    "dryrun, OFFLINE",
    "Online, ONLINE",
    "run, ONLINE",
    "disabled, DISABLED",
    "nonsense, OFFLINE",
    "'', OFFLINE"
  })
  void theModesVariableIsSpeltAsWandbDoes(String value, Mode mode) {
    assertThat(settings(Map.of("WANDB_MODE", value), "wandb.enabled=true").mode()).isEqualTo(mode);
  }

  @ParameterizedTest
  @ValueSource(strings = {"true", "1", "YES", "on"})
  void disabledGoesBeforeEverything(String value) {
    assertThat(
            settings(Map.of("WANDB_DISABLED", value), "wandb.enabled=true", "wandb.mode=online")
                .mode())
        .isEqualTo(Mode.DISABLED);
  }

  @Test
  void disabledMayBeFalse() {
    assertThat(settings(Map.of("WANDB_DISABLED", "false"), "wandb.enabled=true").mode())
        .isEqualTo(Mode.OFFLINE);
  }
}
