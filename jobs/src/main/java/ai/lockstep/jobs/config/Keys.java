package ai.lockstep.jobs.config;

import ai.lockstep.failure.LockstepException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Predicate;

/**
 * Reads the keys of one map of a resolved configuration with their types, and remembers which: a
 * key that nobody reads is a misspelt one.
 */
final class Keys {

  private static final String MISSING = "???";

  private final ObjectNode map;
  private final String path;
  private final Set<String> read = new LinkedHashSet<>();

  private Keys(ObjectNode map, String path) {
    this.map = map;
    this.path = path;
  }

  /** The top of a tree. */
  static Keys of(ObjectNode root) {
    return new Keys(root, "");
  }

  /** The map at a key. */
  Keys map(String key) {
    JsonNode value = required(key);
    if (value instanceof ObjectNode inner) {
      return new Keys(inner, spelling(key));
    }
    throw mistyped(key, value, "a group of keys is needed");
  }

  /** The map at a key; empty when the key is absent or null. */
  Optional<Keys> optionalMap(String key) {
    return optional(key).map(value -> map(key));
  }

  String text(String key) {
    return textOf(key, required(key));
  }

  Optional<String> optionalText(String key) {
    return optional(key).map(value -> textOf(key, value));
  }

  /** Any single value as it would be typed; empty when the key is absent or null. */
  Optional<String> optionalWord(String key) {
    return optional(key)
        .map(
            value -> {
              if (value.isContainerNode()) {
                throw mistyped(key, value, "a single value is needed");
              }
              return value.asText();
            });
  }

  /** All values below, as they would be typed, by dotted path; nulls are left out. */
  Map<String, String> leaves() {
    Map<String, String> leaves = new LinkedHashMap<>();
    for (String leaf : ConfigTree.leaves(map)) {
      JsonNode value = ConfigTree.find(map, ConfigTree.segments(leaf)).orElseThrow().value();
      if (!value.isNull()) {
        leaves.put(leaf, value.asText());
      }
    }
    return leaves;
  }

  /** A text that is one of {@code allowed}. */
  String oneOf(String key, List<String> allowed) {
    String value = text(key);
    if (!allowed.contains(value)) {
      throw LockstepException.user(
          "Cannot run with %s=%s: it must be one of %s."
              .formatted(spelling(key), value, String.join(", ", allowed)));
    }
    return value;
  }

  /** A constant, spelt as its name in small letters. */
  <E extends Enum<E>> E choice(String key, Class<E> type) {
    List<String> allowed =
        Arrays.stream(type.getEnumConstants())
            .map(constant -> constant.name().toLowerCase(Locale.ROOT))
            .toList();
    return type.getEnumConstants()[allowed.indexOf(oneOf(key, allowed))];
  }

  int integer(String key) {
    return integerOf(key, required(key));
  }

  OptionalInt optionalInteger(String key) {
    Optional<JsonNode> value = optional(key);
    return value.isPresent() ? OptionalInt.of(integerOf(key, value.get())) : OptionalInt.empty();
  }

  /** An integer of 64 bits. */
  long longInteger(String key) {
    JsonNode value = required(key);
    if (!value.isIntegralNumber() || !value.canConvertToLong()) {
      throw mistyped(key, value, "a whole number is needed");
    }
    return value.longValue();
  }

  double number(String key) {
    return numberOf(key, required(key));
  }

  Optional<Double> optionalNumber(String key) {
    return optional(key).map(value -> numberOf(key, value));
  }

  boolean flag(String key) {
    return flagOf(key, required(key));
  }

  Optional<Boolean> optionalFlag(String key) {
    return optional(key).map(value -> flagOf(key, value));
  }

  /** A list of integers; empty for null. */
  List<Integer> integers(String key) {
    return elements(key, "a list of whole numbers is needed, such as [1,2]", JsonNode::isInt)
        .stream()
        .map(JsonNode::intValue)
        .toList();
  }

  /** A list of texts; empty for null. */
  List<String> texts(String key) {
    return elements(key, "a list of texts is needed, such as [a,b]", JsonNode::isTextual).stream()
        .map(JsonNode::textValue)
        .toList();
  }

  private List<JsonNode> elements(String key, String need, Predicate<JsonNode> fits) {
    List<JsonNode> elements = new ArrayList<>();
    optional(key)
        .ifPresent(
            list -> {
              list.forEach(elements::add);
              if (!list.isArray() || !elements.stream().allMatch(fits)) {
                throw mistyped(key, list, need);
              }
            });
    return elements;
  }

  /** Any value; empty when the key is absent or null. */
  Optional<JsonNode> optional(String key) {
    read.add(key);
    JsonNode value = map.get(key);
    if (value == null || value.isNull()) {
      return Optional.empty();
    }
    if (value.isTextual() && value.textValue().equals(MISSING)) {
      throw LockstepException.user(
          "Cannot run without %s: it has no default. Add %s=VALUE."
              .formatted(spelling(key), spelling(key)));
    }
    return Optional.of(value);
  }

  /** Names of the keys not read so far that pass a test; they count as read afterwards. */
  List<String> rest(Predicate<String> wanted) {
    List<String> names = unread().stream().filter(wanted).toList();
    read.addAll(names);
    return names;
  }

  private List<String> unread() {
    List<String> names = new ArrayList<>();
    map.fieldNames().forEachRemaining(names::add);
    names.removeAll(read);
    return names;
  }

  /** Fails when a key was not read. */
  void rejectUnread() {
    for (String key : unread()) {
      String hint =
          NearestName.of(key, read)
              .map(name -> " Did you mean '%s'?".formatted(spelling(name)))
              .orElse("");
      throw LockstepException.user(
          "Cannot run with %s=%s: no such key is read.%s"
              .formatted(spelling(key), shown(map.get(key)), hint));
    }
  }

  /** The key as it is written in an override. */
  String spelling(String key) {
    return path.isEmpty() ? key : path + "." + key;
  }

  private JsonNode required(String key) {
    return optional(key)
        .orElseThrow(
            () ->
                LockstepException.user(
                    "Cannot read %s: the key is %s, and it needs a value."
                        .formatted(spelling(key), map.has(key) ? "null" : "missing")));
  }

  private String textOf(String key, JsonNode value) {
    // Names such as 7 or 2026 are typed as numbers on a command line.
    if (value.isContainerNode() || value.isBoolean()) {
      throw mistyped(key, value, "a text is needed");
    }
    return value.asText();
  }

  private int integerOf(String key, JsonNode value) {
    if (!value.isIntegralNumber() || !value.canConvertToInt()) {
      throw mistyped(key, value, "a whole number is needed");
    }
    return value.intValue();
  }

  private double numberOf(String key, JsonNode value) {
    if (!value.isNumber()) {
      throw mistyped(key, value, "a number is needed");
    }
    return value.doubleValue();
  }

  private boolean flagOf(String key, JsonNode value) {
    if (!value.isBoolean()) {
      throw mistyped(key, value, "true or false is needed");
    }
    return value.booleanValue();
  }

  private LockstepException mistyped(String key, JsonNode value, String need) {
    return LockstepException.user(
        "Cannot read %s=%s: %s.".formatted(spelling(key), shown(value), need));
  }

  private static String shown(JsonNode value) {
    return value.isValueNode() ? value.asText() : value.toString();
  }
}
