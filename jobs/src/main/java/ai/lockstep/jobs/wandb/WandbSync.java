package ai.lockstep.jobs.wandb;

import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Synchronises an offline run by W&amp;B's own command, where that is installed. */
final class WandbSync {

  private static final Logger LOG = LoggerFactory.getLogger(WandbSync.class);

  private static final File NOTHING = new File("/dev/null");
  private static final long MINUTES = 10;

  private WandbSync() {}

  /** The command for a person. */
  static String line(Path folder) {
    return "wandb sync " + folder;
  }

  /**
   * Runs {@code wandb sync}; what it prints goes to {@code logs/sync.log} of the run.
   *
   * @param command name or path of the command
   * @return a sentence on how it went
   */
  static String run(String command, Path folder) throws IOException, InterruptedException {
    Path log = folder.resolve("logs").resolve("sync.log");
    Process sync;
    try {
      sync =
          new ProcessBuilder(command, "sync", folder.toString())
              // Without a key it would ask for one.
              .redirectInput(NOTHING)
              .redirectErrorStream(true)
              .redirectOutput(log.toFile())
              .start();
    } catch (IOException e) {
      LOG.debug("no {}", command, e);
      return "wandb is not installed here; to synchronise the run: " + line(folder);
    }
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
}
