package ai.lockstep.jobs.wandb;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WandbSyncTest {

  @TempDir Path temporary;
  private Path run;

  @BeforeEach
  void makeRun() throws IOException {
    run = temporary.resolve("offline-run-1");
    Files.createDirectories(run.resolve("logs"));
  }

  /** A PATH with a command that prints its words and ends with an exit code. */
  private String path(int exitCode) throws IOException {
    Path script = temporary.resolve("wandb");
    Files.writeString(script, "#!/bin/sh\necho \"$@\"\nexit %d\n".formatted(exitCode));
    Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwx------"));
    return "/nowhere:" + temporary;
  }

  @Test
  void callsTheCommandWithTheFolder() throws Exception {
    assertThat(WandbSync.run(path(0), run)).isEqualTo("synchronised " + run);
    assertThat(run.resolve("logs/sync.log")).hasContent("sync " + run + "\n");
  }

  @Test
  void saysHowToTryAgainAfterAFailure() throws Exception {
    assertThat(WandbSync.run(path(1), run))
        .isEqualTo(
            "wandb sync failed with exit code 1 (see %s/logs/sync.log); to try again: wandb sync %s"
                .formatted(run, run));
  }

  @Test
  void saysWhatToRunWhereItIsNotInstalled() throws Exception {
    assertThat(WandbSync.run("/nowhere:", run))
        .isEqualTo(
            "wandb is not installed here; to synchronise the run: wandb sync %s".formatted(run));
  }
}
