package ai.lockstep.jobs.config;

import java.util.List;
import java.util.Optional;

/**
 * {@code wandb}.
 *
 * @param enabled whether an offline run is written
 * @param project project the run is synchronised to
 * @param entity team or user
 * @param group groups runs
 * @param tags words to filter by
 * @param dir folder that gets the wandb folder
 */
public record WandbConfig(
    boolean enabled,
    String project,
    Optional<String> entity,
    Optional<String> group,
    List<String> tags,
    String dir) {

  public WandbConfig {
    tags = List.copyOf(tags);
  }

  static WandbConfig read(Keys keys) {
    WandbConfig wandb =
        new WandbConfig(
            keys.flag("enabled"),
            keys.text("project"),
            keys.optionalText("entity"),
            keys.optionalText("group"),
            keys.texts("tags"),
            keys.text("dir"));
    keys.rejectUnread();
    return wandb;
  }
}
