package ai.lockstep.jobs.config;

import ai.lockstep.failure.LockstepException;
import ai.lockstep.jobs.config.ConfigFile.Default;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.LinkedList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * Follows the defaults lists from the primary file down and says which files are merged, in which
 * order and where in the tree.
 *
 * <p>Lists are followed from their end, as Hydra does, so that an {@code override} in a later file
 * reaches the groups before it. The command line beats every {@code override}, the primary file's
 * beat those of the files it names.
 */
final class DefaultsList {

  /** A file's keys and the package (dotted, empty for the root) they are merged at. */
  record Part(String file, String packageName, ObjectNode content) {}

  private final ConfigSource source;
  private final Map<String, Chosen> chosen = new LinkedHashMap<>();
  private final Map<String, ConfigOverride> removals = new LinkedHashMap<>();
  private final List<ConfigOverride> appended = new ArrayList<>();
  private final Set<String> usedRemovals = new LinkedHashSet<>();
  private final Set<String> usedChoices = new LinkedHashSet<>();
  private final Map<String, String> choices = new TreeMap<>();
  private final Deque<String> open = new ArrayDeque<>();

  /** A choice that replaces the one of a defaults list, and who made it. */
  private record Chosen(
      Optional<String> option, Optional<ConfigOverride> override, String madeBy) {}

  /** Takes the overrides that choose, add or remove groups; see {@link #concernsGroup}. */
  DefaultsList(ConfigSource source, List<ConfigOverride> groupOverrides) {
    this.source = source;
    groupOverrides.forEach(this::take);
  }

  /** Whether an override is about an option of a group, not about a value. */
  static boolean concernsGroup(ConfigSource source, ConfigOverride override) {
    boolean dict =
        override.value() instanceof OverrideValue.Single single && single.value().isObject();
    return !dict && source.isGroup(override.key());
  }

  private void take(ConfigOverride override) {
    switch (override.operation()) {
      case DELETE:
        removals.put(override.keyWithPackage(), override);
        break;
      case ADD:
        appended.add(override);
        break;
      case SET_OR_ADD:
        throw override.failure(
            "Could not use '%s': a group is chosen with %s=... or added with +%s=..."
                .formatted(override.text(), override.key(), override.key()),
            0);
      case SET:
        chosen.put(
            override.keyWithPackage(),
            new Chosen(option(override), Optional.of(override), "the command line"));
        break;
    }
  }

  private static Optional<String> option(ConfigOverride override) {
    var value = override.singleValue();
    if (value.isContainerNode()) {
      throw override.failure(
          "Could not load '%s': one option of the group '%s' is needed, not a list."
              .formatted(override.text(), override.key()),
          override.text().indexOf('=') + 1);
    }
    return value.isNull() ? Optional.empty() : Optional.of(value.asText());
  }

  /** The files in the order in which they are merged. */
  List<Part> expand(String primary) {
    LinkedList<Part> parts = new LinkedList<>();
    if (source.read(primary).isEmpty()) {
      throw LockstepException.user(
          "Cannot find the configuration file %s.yaml in %s (there are: %s)."
              .formatted(primary, source.description(), String.join(", ", source.options(""))));
    }
    expandFile(primary, "", "", true, parts);
    checkAllUsed();
    return List.copyOf(parts);
  }

  /** Which option each group has; after {@link #expand}. */
  Map<String, String> choices() {
    return Map.copyOf(choices);
  }

  private void expandFile(
      String name, String group, String packageName, boolean primary, LinkedList<Part> parts) {
    if (open.contains(name)) {
      throw LockstepException.user(
          "Cannot compose the configuration: %s.yaml names itself in its defaults list (through %s)."
              .formatted(name, String.join(", ", open)));
    }
    ConfigFile file = ConfigFile.parse(name, source.read(name).orElseThrow());
    open.push(name);
    List<Default> defaults = new ArrayList<>(file.defaults());
    if (primary) {
      appended.forEach(override -> defaults.add(appendedDefault(override)));
    }
    registerOverrides(file, group, packageName);
    for (int i = defaults.size() - 1; i >= 0; i--) {
      expandDefault(file, defaults.get(i), group, packageName, parts);
    }
    open.pop();
  }

  private static Default appendedDefault(ConfigOverride override) {
    return new Default.Choice(
        "/" + override.key(), override.targetPackage(), option(override), Default.Modifier.PLAIN);
  }

  private void registerOverrides(ConfigFile file, String group, String packageName) {
    for (Default entry : file.defaults()) {
      if (entry instanceof Default.Choice choice
          && choice.modifier() == Default.Modifier.OVERRIDE) {
        chosen.putIfAbsent(
            choiceKey(choice, group, packageName),
            new Chosen(choice.option(), Optional.empty(), file.name() + ".yaml"));
      }
    }
  }

  private void expandDefault(
      ConfigFile file, Default entry, String group, String packageName, LinkedList<Part> parts) {
    if (entry instanceof Default.Self) {
      parts.addFirst(new Part(file.name(), packageName, file.content()));
    } else if (entry instanceof Default.File other) {
      String path = absolute(group, other.path());
      int slash = path.lastIndexOf('/');
      String relative = other.path().startsWith("/") ? other.path().substring(1) : other.path();
      String defaultPackage =
          relative.indexOf('/') < 0 ? "" : relative.substring(0, relative.lastIndexOf('/'));
      load(
          path,
          slash < 0 ? "" : path.substring(0, slash),
          packageName,
          other.targetPackage(),
          defaultPackage,
          parts,
          () -> missingFile(file, path));
    } else if (entry instanceof Default.Choice choice
        && choice.modifier() != Default.Modifier.OVERRIDE) {
      expandChoice(file, choice, group, packageName, parts);
    }
  }

  private void expandChoice(
      ConfigFile file,
      Default.Choice choice,
      String group,
      String packageName,
      LinkedList<Part> parts) {
    String key = choiceKey(choice, group, packageName);
    String path = absolute(group, choice.group());
    Optional<Chosen> other = Optional.ofNullable(chosen.get(key));
    usedChoices.add(key);
    Optional<String> option = other.map(Chosen::option).orElse(choice.option());
    if (isRemoved(key, option) || option.isEmpty()) {
      return;
    }
    String name = option.get();
    if (name.equals("???")) {
      throw LockstepException.user(
          "Cannot compose the configuration: choose an option of the group '%s', such as %s=%s (available options: %s)."
              .formatted(path, key, firstOption(path), String.join(", ", source.options(path))));
    }
    boolean missing = source.read(path + "/" + name).isEmpty();
    if (missing && choice.modifier() == Default.Modifier.OPTIONAL && other.isEmpty()) {
      return;
    }
    String before = choices.putIfAbsent(key, name);
    if (before != null && !before.equals(name)) {
      throw LockstepException.user(
          "Cannot compose the configuration: '%s' is chosen twice, as %s and as %s. Use 'override %s: %s' in the later defaults list."
              .formatted(key, before, name, key, before));
    }
    String relative = choice.group().startsWith("/") ? choice.group().substring(1) : choice.group();
    load(
        path + "/" + name,
        path,
        packageName,
        choice.targetPackage(),
        relative,
        parts,
        () -> unknownOption(file, path, name, other.flatMap(Chosen::override)));
  }

  private String firstOption(String group) {
    return source.options(group).stream().findFirst().orElse("OPTION");
  }

  private boolean isRemoved(String key, Optional<String> option) {
    ConfigOverride removal = removals.get(key);
    if (removal == null) {
      return false;
    }
    if (removal.value() instanceof OverrideValue.Single single
        && !Optional.of(single.value().asText()).equals(option)) {
      return false;
    }
    usedRemovals.add(key);
    return true;
  }

  private interface MissingFile {
    LockstepException failure();
  }

  private void load(
      String path,
      String group,
      String parentPackage,
      Optional<String> targetPackage,
      String defaultPackage,
      LinkedList<Part> parts,
      MissingFile missing) {
    String text = source.read(path).orElseThrow(missing::failure);
    Optional<String> header = ConfigFile.parse(path, text).packageHeader();
    String name = path.substring(path.lastIndexOf('/') + 1);
    String packageName =
        targetPackage
            .or(() -> header)
            .map(p -> resolvePackage(p, parentPackage, group, name))
            .orElseGet(() -> join(parentPackage, defaultPackage.replace('/', '.')));
    expandFile(path, group, packageName, false, parts);
  }

  /** {@code _global_} is the root, {@code _here_} the parent's package, all else relative to it. */
  private static String resolvePackage(
      String packageName, String parentPackage, String group, String name) {
    String resolved =
        packageName.replace("_group_", group.replace('/', '.')).replace("_name_", name);
    if (resolved.equals("_global_")) {
      return "";
    }
    if (resolved.startsWith("_global_.")) {
      return resolved.substring("_global_.".length());
    }
    return resolved.equals("_here_") ? parentPackage : join(parentPackage, resolved);
  }

  private static String join(String parent, String child) {
    if (parent.isEmpty() || child.isEmpty()) {
      return parent + child;
    }
    return parent + "." + child;
  }

  private static String absolute(String group, String path) {
    if (path.startsWith("/")) {
      return path.substring(1);
    }
    return group.isEmpty() ? path : group + "/" + path;
  }

  private static String choiceKey(Default.Choice choice, String group, String packageName) {
    String path = absolute(group, choice.group());
    return choice
        .targetPackage()
        .map(p -> path + "@" + resolvePackage(p, packageName, path, ""))
        .orElse(path);
  }

  private LockstepException missingFile(ConfigFile file, String path) {
    return LockstepException.user(
        "Cannot find the configuration file %s.yaml in %s, named in the defaults list of %s.yaml."
            .formatted(path, source.description(), file.name()));
  }

  private LockstepException unknownOption(
      ConfigFile file, String group, String option, Optional<ConfigOverride> override) {
    List<String> options = source.options(group);
    String hint =
        NearestName.of(option, options)
            .map(name -> " Did you mean '%s'?".formatted(name))
            .orElse("");
    String reason =
        "the group '%s' has no option '%s'.%s Available options: %s."
            .formatted(group, option, hint, String.join(", ", options));
    return override
        .map(
            o ->
                o.failure(
                    "Could not load '%s': %s".formatted(o.text(), reason),
                    o.text().indexOf('=') + 1))
        .orElseGet(
            () ->
                LockstepException.user(
                    "Could not load '%s=%s', chosen in %s.yaml: %s"
                        .formatted(group, option, file.name(), reason)));
  }

  private void checkAllUsed() {
    chosen.forEach(
        (key, choice) -> {
          if (!usedChoices.contains(key)) {
            throw notInDefaults(key, choice);
          }
        });
    removals.forEach(
        (key, removal) -> {
          if (!usedRemovals.contains(key)) {
            throw removal.failure(
                "Could not remove '%s': no defaults list makes this choice."
                    .formatted(removal.text().substring(1)),
                removal.keyColumn());
          }
        });
  }

  private LockstepException notInDefaults(String key, Chosen choice) {
    String option = choice.option().orElse("null");
    return choice
        .override()
        .map(
            override ->
                override.failure(
                    "Could not override '%s': the group is not in the defaults list. To add it use +%s=%s."
                        .formatted(key, key, option),
                    override.keyColumn()))
        .orElseGet(
            () ->
                LockstepException.user(
                    "Could not override '%s' with '%s' as %s wants: the group is not in the defaults list."
                        .formatted(key, option, choice.madeBy())));
  }
}
