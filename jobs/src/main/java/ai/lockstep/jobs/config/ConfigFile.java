package ai.lockstep.jobs.config;

import ai.lockstep.failure.LockstepException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One configuration file.
 *
 * @param name without suffix, such as {@code decode/lockstep}
 * @param packageHeader what follows {@code # @package} at the top
 * @param defaults its defaults list; {@code _self_} is always in it unless all are overrides
 * @param content its own keys
 */
record ConfigFile(
    String name, Optional<String> packageHeader, List<Default> defaults, ObjectNode content) {

  private static final Pattern PACKAGE_HEADER =
      Pattern.compile("^#\\s*@package\\s+(\\S+)\\s*$", Pattern.MULTILINE);

  /** An entry of a defaults list. */
  sealed interface Default {

    /** {@code _self_}: the file's own keys fall here. */
    record Self() implements Default {}

    /** {@code - path}: always this file. */
    record File(String path, Optional<String> targetPackage) implements Default {}

    /** {@code - group: option}: a file that can be chosen otherwise; no option for null. */
    record Choice(
        String group, Optional<String> targetPackage, Optional<String> option, Modifier modifier)
        implements Default {}

    /** What may stand in front of a group. */
    enum Modifier {
      /** Nothing. */
      PLAIN,
      /** {@code optional}: the option's file may be missing. */
      OPTIONAL,
      /** {@code override}: changes a choice that another defaults list makes. */
      OVERRIDE
    }
  }

  static ConfigFile parse(String name, String text) {
    ObjectNode content = YamlText.parse(name + ".yaml", text);
    JsonNode list = content.remove("defaults");
    List<Default> defaults = new ArrayList<>();
    if (list != null) {
      if (!list.isArray()) {
        throw failure(name, "'defaults' must be a list");
      }
      list.forEach(entry -> defaults.add(entry(name, entry)));
    }
    if (defaults.stream().filter(Default.Self.class::isInstance).count() > 1) {
      throw failure(name, "_self_ may stand in the defaults list once");
    }
    if (defaults.stream().noneMatch(Default.Self.class::isInstance)) {
      // Hydra since 1.1: a file beats its defaults.
      defaults.add(new Default.Self());
    }
    return new ConfigFile(name, packageHeader(text), List.copyOf(defaults), content);
  }

  private static Optional<String> packageHeader(String text) {
    Matcher matcher = PACKAGE_HEADER.matcher(text);
    return matcher.find() ? Optional.of(matcher.group(1)) : Optional.empty();
  }

  private static Default entry(String name, JsonNode entry) {
    if (entry.isTextual()) {
      if (entry.textValue().equals("_self_")) {
        return new Default.Self();
      }
      String[] parts = entry.textValue().split("@", 2);
      return new Default.File(parts[0], packageOf(parts));
    }
    if (!(entry instanceof ObjectNode map) || map.size() != 1) {
      throw failure(
          name, "each entry of the defaults list is '- group: option', '- file' or '- _self_'");
    }
    Map.Entry<String, JsonNode> field = map.properties().iterator().next();
    String[] words = field.getKey().trim().split("\\s+");
    Default.Modifier modifier = modifier(name, words);
    String[] parts = words[words.length - 1].split("@", 2);
    JsonNode option = field.getValue();
    if (option.isContainerNode()) {
      throw failure(name, "the option of '%s' must be a name or null".formatted(field.getKey()));
    }
    return new Default.Choice(
        parts[0],
        packageOf(parts),
        option.isNull() ? Optional.empty() : Optional.of(option.asText()),
        modifier);
  }

  private static Default.Modifier modifier(String name, String[] words) {
    if (words.length == 1) {
      return Default.Modifier.PLAIN;
    }
    if (words.length == 2 && words[0].equals("optional")) {
      return Default.Modifier.OPTIONAL;
    }
    if (words.length == 2 && words[0].equals("override")) {
      return Default.Modifier.OVERRIDE;
    }
    throw failure(
        name,
        "'%s' in the defaults list is neither 'group', 'optional group' nor 'override group'"
            .formatted(String.join(" ", words)));
  }

  private static Optional<String> packageOf(String[] parts) {
    return parts.length == 2 ? Optional.of(parts[1]) : Optional.empty();
  }

  private static LockstepException failure(String name, String problem) {
    return LockstepException.user(
        "Cannot read the configuration file %s.yaml: %s.".formatted(name, problem));
  }
}
