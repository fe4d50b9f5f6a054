package ai.lockstep.jobs.config;

import ai.lockstep.failure.LockstepException;
import ai.lockstep.jobs.config.ConfigTree.DeadEnd;
import ai.lockstep.jobs.config.ConfigTree.Place;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Composes a configuration as Hydra does: follow the defaults lists, merge the chosen files in
 * order, apply the overrides of the command line from left to right, then resolve interpolations.
 *
 * <p>Overrides are strict: a key must exist unless it is added with {@code +}, so that a misspelt
 * key is an error and not a new key that nobody reads.
 *
 * <p>One composer serves all jobs of a command: {@code ${now:...}} is the same instant in each.
 */
public final class Composer {

  /** The primary file of the project. */
  public static final String DEFAULT_CONFIG = "config";

  private final ConfigSource source;
  private final Map<String, String> environment;
  private final LocalDateTime now;

  /** A composer with the environment of this process and the present time. */
  public Composer(ConfigSource source) {
    this(source, System.getenv(), LocalDateTime.now());
  }

  /** A composer for which {@code ${oc.env:...}} and {@code ${now:...}} read the given values. */
  public Composer(ConfigSource source, Map<String, String> environment, LocalDateTime now) {
    this.source = source;
    this.environment = Map.copyOf(environment);
    this.now = now;
  }

  /** Composes from a folder; see {@link #compose(String, List)}. */
  public static Composition compose(Path configDir, String configName, List<String> overrides) {
    return new Composer(ConfigSource.folder(configDir)).compose(configName, overrides);
  }

  /**
   * Composes one configuration.
   *
   * @param configName the primary file, without suffix
   * @param overrides words of the command line, none of them a sweep
   * @throws LockstepException of category user for any mistake in the files or the overrides
   */
  public Composition compose(String configName, List<String> overrides) {
    List<ConfigOverride> groupOverrides = new ArrayList<>();
    List<ConfigOverride> valueOverrides = new ArrayList<>();
    for (String text : overrides) {
      ConfigOverride override = ConfigOverride.parse(text);
      if (Sweep.isModeSwitch(override)) {
        continue;
      }
      boolean group = DefaultsList.concernsGroup(source, override);
      (group ? groupOverrides : valueOverrides).add(override);
    }

    DefaultsList defaults = new DefaultsList(source, groupOverrides);
    ObjectNode tree = merge(defaults.expand(configName));
    valueOverrides.forEach(override -> apply(tree, override));
    ObjectNode resolved = new Interpolator(tree, environment, now).resolve();
    return new Composition(configName, defaults.choices(), overrides, tree, resolved);
  }

  private static ObjectNode merge(List<DefaultsList.Part> parts) {
    ObjectNode tree = JsonNodeFactory.instance.objectNode();
    for (DefaultsList.Part part : parts) {
      ObjectNode target = ConfigTree.mapAt(tree, ConfigTree.segments(part.packageName()));
      ConfigTree.merge(target, part.content());
    }
    return tree;
  }

  private void apply(ObjectNode tree, ConfigOverride override) {
    if (override.targetPackage().isPresent() || override.key().contains("/")) {
      throw unknownGroup(override);
    }
    switch (override.operation()) {
      case SET -> set(tree, override);
      case ADD -> add(tree, override);
      case SET_OR_ADD -> setOrAdd(tree, override);
      case DELETE -> delete(tree, override);
    }
  }

  private void set(ObjectNode tree, ConfigOverride override) {
    JsonNode value = override.singleValue();
    Place place =
        ConfigTree.find(tree, ConfigTree.segments(override.key()))
            .orElseThrow(() -> unknownKey(tree, override));
    put(place, value, override);
  }

  private static void put(Place place, JsonNode value, ConfigOverride override) {
    if (!(place.value() instanceof ObjectNode map)) {
      place.set(value);
    } else if (value instanceof ObjectNode addition) {
      ConfigTree.merge(map, addition);
    } else {
      List<String> keys = new ArrayList<>();
      map.fieldNames().forEachRemaining(keys::add);
      throw override.failure(
          "Could not override '%s' with a single value: it holds the keys %s. Name one of them, such as %s.%s=..."
              .formatted(
                  override.key(),
                  String.join(", ", keys),
                  override.key(),
                  keys.isEmpty() ? "KEY" : keys.get(0)),
          override.keyColumn());
    }
  }

  private static void add(ObjectNode tree, ConfigOverride override) {
    JsonNode value = override.singleValue();
    Optional<Place> existing = ConfigTree.find(tree, ConfigTree.segments(override.key()));
    boolean taken =
        existing.isPresent() && !existing.get().value().isNull() && !value.isContainerNode();
    if (taken) {
      throw override.failure(
          "Could not add '%s': the key exists and is %s. To change it use %s=%s, to set it either way use ++%s=%s."
              .formatted(
                  override.key(),
                  existing.get().value(),
                  override.key(),
                  override.valueText(),
                  override.key(),
                  override.valueText()),
          override.keyColumn());
    }
    setOrAdd(tree, override);
  }

  private static void setOrAdd(ObjectNode tree, ConfigOverride override) {
    JsonNode value = override.singleValue();
    List<String> segments = ConfigTree.segments(override.key());
    Optional<Place> existing = ConfigTree.find(tree, segments);
    if (existing.isPresent()) {
      put(existing.get(), value, override);
      return;
    }
    DeadEnd end = ConfigTree.deadEnd(tree, segments);
    if (!end.reached().isObject() && !end.reached().isNull()) {
      throw notAMap(end, override);
    }
    int last = segments.size() - 1;
    ConfigTree.mapAt(tree, segments.subList(0, last)).set(segments.get(last), value);
  }

  private static void delete(ObjectNode tree, ConfigOverride override) {
    Place place =
        ConfigTree.find(tree, ConfigTree.segments(override.key()))
            .orElseThrow(
                () ->
                    override.failure(
                        "Could not remove '%s': there is no such key.%s"
                            .formatted(override.key(), suggestion(tree, override)),
                        override.keyColumn()));
    if (override.value() instanceof OverrideValue.Single single
        && !single.value().equals(place.value())) {
      throw override.failure(
          "Could not remove '%s=%s': the value is %s."
              .formatted(override.key(), override.valueText(), place.value()),
          override.text().indexOf('=') + 1);
    }
    place.remove();
  }

  private LockstepException unknownKey(ObjectNode tree, ConfigOverride override) {
    DeadEnd end = ConfigTree.deadEnd(tree, ConfigTree.segments(override.key()));
    if (!end.reached().isContainerNode()) {
      return notAMap(end, override);
    }
    String level =
        end.followed().isEmpty()
            ? "the key is not at the top level"
            : "the key is not in '%s'".formatted(end.followedPath());
    return override.failure(
        "Could not override '%s': %s.%s To add a new key use +%s=%s."
            .formatted(
                override.key(),
                level,
                suggestion(tree, override),
                override.key(),
                override.valueText()),
        columnOf(end, override));
  }

  private static LockstepException notAMap(DeadEnd end, ConfigOverride override) {
    return override.failure(
        "Could not override '%s': '%s' is %s and holds no keys."
            .formatted(override.key(), end.followedPath(), end.reached()),
        columnOf(end, override));
  }

  private static int columnOf(DeadEnd end, ConfigOverride override) {
    int column = override.keyColumn();
    return end.followed().isEmpty() ? column : column + end.followedPath().length() + 1;
  }

  private LockstepException unknownGroup(ConfigOverride override) {
    String hint =
        NearestName.of(override.key(), source.groups())
            .map(name -> " Did you mean '%s'?".formatted(name))
            .orElse("");
    return override.failure(
        "Could not override '%s': there is no group '%s' in %s.%s"
            .formatted(override.keyWithPackage(), override.key(), source.description(), hint),
        override.keyColumn());
  }

  /** The key that was probably meant: near it in the same map, else of the same name elsewhere. */
  private static String suggestion(ObjectNode tree, ConfigOverride override) {
    DeadEnd end = ConfigTree.deadEnd(tree, ConfigTree.segments(override.key()));
    List<String> siblings = new ArrayList<>();
    end.reached().fieldNames().forEachRemaining(siblings::add);
    String prefix = end.followed().isEmpty() ? "" : end.followedPath() + ".";
    List<String> segments = ConfigTree.segments(override.key());
    String lastSegment = segments.get(segments.size() - 1);
    Optional<String> sibling = NearestName.of(end.missing(), siblings).map(prefix::concat);
    Optional<String> namesake =
        ConfigTree.leaves(tree).stream()
            .filter(leaf -> leaf.endsWith("." + lastSegment))
            .findFirst();
    return namesake
        .filter(name -> sibling.isEmpty())
        .or(() -> sibling)
        .map(name -> " Did you mean '%s'?".formatted(name))
        .orElse("");
  }

  /** Where the files come from. */
  ConfigSource source() {
    return source;
  }
}
