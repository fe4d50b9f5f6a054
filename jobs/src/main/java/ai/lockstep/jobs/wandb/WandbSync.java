package ai.lockstep.jobs.wandb;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** Synchronises an offline run by W&amp;B's own command, where that is installed. */
final class WandbSync {

  private static final String COMMAND = "wandb";
  private static final File NOTHING = new File("/dev/null");
  private static final long MINUTES = 10;

  private WandbSync() {}

  /** The command for a person. */
  static String line(Path folder) {
    return COMMAND + " sync " + folder;
  }

  /**
   * Runs {@code wandb sync}; what it prints goes to {@code logs/sync.log} of the run.
   *
   * @param path folders in which the command is looked for, as in the variable PATH
   * @return a sentence on how it went
   */
  static String run(String path, Path folder) throws IOException, InterruptedException {
    Optional<Path> command = find(path);
    if (command.isEmpty()) {
      return "wandb is not installed here; to synchronise the run: " + line(folder);
    }
    Path log = folder.resolve("logs").resolve("sync.log");
    Process sync =
        new ProcessBuilder(command.get().toString(), "sync", folder.toString())
            // Without a key it would ask for one.
            .redirectInput(NOTHING)
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    if (!sync.waitFor(MINUTES, TimeUnit.MINUTES)) {
      sync.destroy();
      return "wandb sync took more than %d minutes (see %s); to try again: %s"
          .formatted(MINUTES, log, line(folder));
    }
    return sync.exitValue() == 0
        ? "synchronised " + folder
        : "wandb sync failed with exit code %d (see %s); to try again: %s"
            .formatted(sync.exitValue(), log, line(folder));
  }

  private static Optional<Path> find(String path) {
    return Arrays.stream(path.split(File.pathSeparator))
        .filter(folder -> !folder.isEmpty())
        .map(folder -> Path.of(folder, COMMAND))
        .filter(file -> Files.isRegularFile(file) && Files.isExecutable(file))
        .findFirst();
  }
}
