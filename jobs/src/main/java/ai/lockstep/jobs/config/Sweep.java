package ai.lockstep.jobs.config;

import ai.lockstep.jobs.config.ConfigOverride.Operation;
import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Expands the overrides of a {@code --multirun} command into one list of overrides a job: the
 * cartesian product of {@code a,b}, {@code choice(a,b)}, {@code range(start,stop,step)} and {@code
 * glob(*)}, in which the key named last varies fastest.
 */
public final class Sweep {

  private static final String MODE = "hydra.mode";

  private Sweep() {}

  /** Whether {@code hydra.mode=MULTIRUN} asks for a sweep as {@code --multirun} does. */
  public static boolean isRequested(List<String> overrides) {
    return overrides.stream()
        .map(ConfigOverride::parse)
        .filter(Sweep::isModeSwitch)
        .anyMatch(override -> override.valueText().equals("MULTIRUN"));
  }

  static boolean isModeSwitch(ConfigOverride override) {
    return override.key().equals(MODE);
  }

  /**
   * The overrides of each job, job 0 first; one job when nothing is swept.
   *
   * @param overrides the words of the command line
   * @param source gives the options that {@code glob(*)} matches
   */
  public static List<List<String>> expand(List<String> overrides, ConfigSource source) {
    List<List<String>> jobs = List.of(List.of());
    for (String text : overrides) {
      ConfigOverride override = ConfigOverride.parse(text);
      if (isModeSwitch(override)) {
        continue;
      }
      List<String> alternatives = alternatives(override, source);
      List<List<String>> extended = new ArrayList<>();
      for (List<String> job : jobs) {
        for (String alternative : alternatives) {
          List<String> longer = new ArrayList<>(job);
          longer.add(alternative);
          extended.add(longer);
        }
      }
      jobs = extended;
    }
    return jobs.stream().map(List::copyOf).toList();
  }

  /**
   * Expands the command line together with the {@code sweep.params} of the configuration it
   * composes to (a preset chosen with {@code sweep=...}): they come first, so they vary slowest,
   * and a key that the command line names is taken from there.
   */
  public static List<List<String>> expand(
      Composer composer, String configName, List<String> overrides) {
    // What is swept cannot change which preset is chosen, so any job will do to read it.
    List<String> first = expand(overrides, composer.source()).get(0);
    JsonNode params = composer.compose(configName, first).resolved().path("sweep").path("params");
    Set<String> named = new LinkedHashSet<>();
    overrides.forEach(text -> named.add(ConfigOverride.parse(text).keyWithPackage()));
    Map<String, String> preset = new LinkedHashMap<>();
    params.properties().forEach(field -> preset.put(field.getKey(), typed(field.getValue())));
    preset.keySet().removeAll(named);
    List<String> all = new ArrayList<>();
    preset.forEach((key, value) -> all.add(key + "=" + value));
    all.addAll(overrides);
    return expand(all, composer.source());
  }

  /** A list of a preset as alternatives; text as it would be typed. */
  private static String typed(JsonNode value) {
    if (!value.isArray()) {
      return value.asText();
    }
    List<String> texts = new ArrayList<>();
    value.forEach(
        element -> texts.add(element.isValueNode() ? element.asText() : element.toString()));
    return "choice(" + String.join(",", texts) + ")";
  }

  private static List<String> alternatives(ConfigOverride override, ConfigSource source) {
    if (override.value() instanceof OverrideValue.Single
        || override.value() instanceof OverrideValue.Absent) {
      return List.of(override.text());
    }
    if (override.operation() == Operation.DELETE) {
      throw override.failure(
          "Could not remove several values of '%s': a removal cannot be swept."
              .formatted(override.key()),
          override.text().indexOf('=') + 1);
    }
    String start = override.operation().sign() + override.keyWithPackage() + "=";
    if (override.value() instanceof OverrideValue.CommaSeparated values) {
      return prefixed(start, values.texts());
    }
    if (override.value() instanceof OverrideValue.Enumerated values) {
      return prefixed(start, values.texts());
    }
    if (override.value() instanceof OverrideValue.Glob glob) {
      return prefixed(start, matching(override, glob, source));
    }
    throw new IllegalStateException("Not a value of an override: " + override.value());
  }

  private static List<String> prefixed(String start, List<String> texts) {
    return texts.stream().map(start::concat).toList();
  }

  private static List<String> matching(
      ConfigOverride override, OverrideValue.Glob glob, ConfigSource source) {
    if (!source.isGroup(override.key())) {
      throw override.failure(
          "Could not sweep '%s': glob() matches the options of a group, and '%s' is none."
              .formatted(override.text(), override.key()),
          override.keyColumn());
    }
    List<String> options =
        source.options(override.key()).stream()
            .filter(name -> matches(name, glob.included()) && !matches(name, glob.excluded()))
            .toList();
    if (options.isEmpty()) {
      throw override.failure(
          "Could not sweep '%s': no option of '%s' matches (available options: %s)."
              .formatted(
                  override.text(),
                  override.key(),
                  String.join(", ", source.options(override.key()))),
          override.text().indexOf('=') + 1);
    }
    return options;
  }

  private static boolean matches(String name, List<String> patterns) {
    return patterns.stream()
        .anyMatch(
            pattern ->
                FileSystems.getDefault().getPathMatcher("glob:" + pattern).matches(Path.of(name)));
  }
}
