package ai.lockstep.jobs.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HydraRecordTest {

  private static final ConfigSource CONF = ConfigSource.folder(Path.of("../conf"));

  @TempDir Path folder;

  @Test
  void theRecordedConfigurationComposesTheSameAgain() throws IOException {
    Composition composition =
        new Composer(CONF)
            .compose("config", List.of("decode=jacobi", "model.generation.steps=20", "run.id=a"));

    Map<String, String> files = HydraRecord.files("evaluate", composition);
    Files.writeString(folder.resolve("config.yaml"), files.get(".hydra/config.yaml"));
    Composition again =
        new Composer(ConfigSource.folder(folder).over(CONF)).compose("config", List.of());

    assertThat(again.tree()).isEqualTo(composition.tree());
    assertThat(ConfigDigest.of(again)).isEqualTo(ConfigDigest.of(composition));
  }

  @Test
  void overridesAndChoicesAreNoted() {
    Composition composition =
        new Composer(CONF).compose("config", List.of("decode=jacobi", "tasks=0-3"));

    Map<String, String> files = HydraRecord.files("evaluate", composition);

    assertThat(files.get(".hydra/overrides.yaml")).isEqualTo("- decode=jacobi\n- tasks=0-3\n");
    assertThat(files.get(".hydra/hydra.yaml"))
        .isEqualTo(
            """
            hydra:
              job:
                name: evaluate
                config_name: config
                override_dirname: "decode=jacobi,tasks=0-3"
              overrides:
                task:
                - decode=jacobi
                - tasks=0-3
              runtime:
                choices:
                  dataset: starter
                  decode: jacobi
                  hardware: local
                  harness: default
                  model: dream-tiny
                  nightly: default
                  rl: grpo
                  sweep: none
                  tracking: none
                  train: grpo
                  viz: default
                  wandb: default
            """);
  }

  @Test
  void aSweepNotesItsJobs() {
    assertThat(
            HydraRecord.multirun(
                "evaluate", List.of("a=1,2"), List.of(List.of("a=1"), List.of("a=2"))))
        .isEqualTo(
            """
            hydra:
              mode: MULTIRUN
              job:
                name: evaluate
              overrides:
                task:
                - "a=1,2"
            jobs:
            - - a=1
            - - a=2
            """);
  }
}
