package ai.lockstep.jobs.config;

import ai.lockstep.failure.LockstepException;

/**
 * {@code output}: locations on any file system that Hadoop knows.
 *
 * @param dir of a single run
 * @param sweepDir of a {@code --multirun} command
 */
public record OutputConfig(String dir, String sweepDir) {

  public OutputConfig {
    require("dir", dir);
    require("sweep_dir", sweepDir);
  }

  private static void require(String key, String value) {
    if (value.isBlank()) {
      throw LockstepException.user("Cannot run with output.%s=: name a folder.".formatted(key));
    }
  }

  static OutputConfig read(Keys keys) {
    OutputConfig output = new OutputConfig(keys.text("dir"), keys.text("sweep_dir"));
    keys.rejectUnread();
    return output;
  }
}
