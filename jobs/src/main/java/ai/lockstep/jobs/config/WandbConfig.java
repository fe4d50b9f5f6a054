package ai.lockstep.jobs.config;

import java.util.List;
import java.util.Optional;

/**
 * {@code wandb}.
 *
 * @param enabled whether a run is written
 * @param mode what happens to it
 * @param project project the run is synchronised to
 * @param entity team or user
 * @param group groups runs
 * @param name name shown for the run
 * @param tags words to filter by
 * @param dir folder that gets the wandb folder
 */
public record WandbConfig(
    boolean enabled,
    Mode mode,
    String project,
    Optional<String> entity,
    Optional<String> group,
    Optional<String> name,
    List<String> tags,
    Optional<String> dir) {

  /** What happens to a run. */
  public enum Mode {
    /** It is written, to be synchronised by hand. */
    OFFLINE,
    /** It is written, and synchronised at the end. */
    ONLINE,
    /** Nothing is written. */
    DISABLED
  }

  public WandbConfig {
    tags = List.copyOf(tags);
  }

  static WandbConfig read(Keys keys) {
    WandbConfig wandb =
        new WandbConfig(
            keys.flag("enabled"),
            keys.choice("mode", Mode.class),
            keys.text("project"),
            keys.optionalText("entity"),
            keys.optionalText("group"),
            keys.optionalText("name"),
            keys.texts("tags"),
            keys.optionalText("dir"));
    keys.rejectUnread();
    return wandb;
  }
}
