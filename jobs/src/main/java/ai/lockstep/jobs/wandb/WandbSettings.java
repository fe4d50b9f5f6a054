package ai.lockstep.jobs.wandb;

import ai.lockstep.jobs.config.Composition;
import ai.lockstep.jobs.config.WandbConfig;
import ai.lockstep.jobs.config.WandbConfig.Mode;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How a run is tracked. A key named on the command line goes before W&amp;B's environment variable,
 * which goes before the configuration's files; {@code WANDB_DISABLED} goes before all.
 *
 * <table>
 * <caption>Variables</caption>
 * <tr><td>{@code WANDB_MODE}</td><td>{@code wandb.mode}: online, offline, disabled; also the older
 * dryrun (offline) and run (online)</td></tr>
 * <tr><td>{@code WANDB_DIR}</td><td>{@code wandb.dir}</td></tr>
 * <tr><td>{@code WANDB_PROJECT}</td><td>{@code wandb.project}</td></tr>
 * <tr><td>{@code WANDB_ENTITY}</td><td>{@code wandb.entity}</td></tr>
 * <tr><td>{@code WANDB_RUN_GROUP}</td><td>{@code wandb.group}</td></tr>
 * <tr><td>{@code WANDB_NAME}</td><td>{@code wandb.name}</td></tr>
 * <tr><td>{@code WANDB_TAGS}</td><td>{@code wandb.tags}, with commas between them</td></tr>
 * <tr><td>{@code WANDB_DISABLED}</td><td>true, 1, yes or on: nothing is tracked</td></tr>
 * </table>
 *
 * @param mode disabled when tracking is not asked for
 * @param dir folder that gets the wandb folder; empty when it was not named
 */
record WandbSettings(
    Mode mode,
    String project,
    Optional<String> entity,
    Optional<String> group,
    Optional<String> name,
    List<String> tags,
    Optional<String> dir) {

  private static final Logger LOG = LoggerFactory.getLogger(WandbSettings.class);

  private static final Set<String> TRUE = Set.of("true", "1", "yes", "on", "y", "t");
  private static final Map<String, Mode> MODES =
      Map.of(
          "offline", Mode.OFFLINE,
          "dryrun", Mode.OFFLINE,
          "online", Mode.ONLINE,
          "run", Mode.ONLINE,
          "disabled", Mode.DISABLED);

  WandbSettings {
    tags = List.copyOf(tags);
  }

  static WandbSettings of(
      Composition composition, WandbConfig config, Map<String, String> environment) {
    Variables variables = new Variables(composition, environment);
    return new WandbSettings(
        mode(config, variables),
        variables.value("WANDB_PROJECT", "project").orElse(config.project()),
        variables.value("WANDB_ENTITY", "entity").or(config::entity),
        variables.value("WANDB_RUN_GROUP", "group").or(config::group),
        variables.value("WANDB_NAME", "name").or(config::name),
        variables.value("WANDB_TAGS", "tags").map(WandbSettings::words).orElse(config.tags()),
        variables.value("WANDB_DIR", "dir").or(config::dir));
  }

  private static Mode mode(WandbConfig config, Variables variables) {
    if (!config.enabled() || variables.isTrue("WANDB_DISABLED")) {
      return Mode.DISABLED;
    }
    Optional<String> wanted = variables.value("WANDB_MODE", "mode");
    if (wanted.isPresent()) {
      Mode mode = MODES.get(wanted.get().toLowerCase(Locale.ROOT));
      if (mode != null) {
        return mode;
      }
      LOG.warn(
          "WANDB_MODE={} is not one of online, offline, disabled; wandb.mode={} is used",
          wanted.get(),
          config.mode().name().toLowerCase(Locale.ROOT));
    }
    return config.mode();
  }

  private static List<String> words(String list) {
    return Arrays.stream(list.split(",")).map(String::strip).filter(w -> !w.isEmpty()).toList();
  }

  /** The environment, as far as the command line does not say otherwise. */
  private record Variables(Composition composition, Map<String, String> environment) {

    Optional<String> value(String variable, String key) {
      return composition.sets("wandb." + key) ? Optional.empty() : value(variable);
    }

    boolean isTrue(String variable) {
      return value(variable)
          .map(text -> text.toLowerCase(Locale.ROOT))
          .filter(TRUE::contains)
          .isPresent();
    }

    private Optional<String> value(String variable) {
      return Optional.ofNullable(environment.get(variable))
          .map(String::strip)
          .filter(text -> !text.isEmpty());
    }
  }
}
