package ai.lockstep.jobs.config;

import ai.lockstep.failure.LockstepException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.time.LocalDateTime;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * Replaces interpolations by what they stand for, after all merges and overrides.
 *
 * <pre>
 * text          : (character | '\${' | interpolation)*
 * interpolation : '${' (reference | resolver ':' (argument (',' argument)*)?) '}'
 * reference     : '.'* path        one point: the same map, each further one: a level up
 * resolver      : 'oc.env' | 'oc.select' | 'oc.decode' | 'now'
 * argument      : text             quotes around it are dropped
 * </pre>
 *
 * <p>A text that is one interpolation takes the value with its type; otherwise values are written
 * into the text.
 */
final class Interpolator {

  private final ObjectNode root;
  private final Map<String, String> environment;
  private final LocalDateTime now;
  private final Deque<String> open = new ArrayDeque<>();

  /**
   * @param now what {@code ${now:...}} shows: one instant for all jobs of a command
   */
  Interpolator(ObjectNode root, Map<String, String> environment, LocalDateTime now) {
    this.root = root;
    this.environment = environment;
    this.now = now;
  }

  /** A copy of the whole tree without interpolations. */
  ObjectNode resolve() {
    return (ObjectNode) resolve(root, List.of());
  }

  private JsonNode resolve(JsonNode node, List<String> path) {
    if (node instanceof ObjectNode map) {
      ObjectNode resolved = JsonNodeFactory.instance.objectNode();
      map.properties()
          .forEach(
              field ->
                  resolved.set(
                      field.getKey(), resolve(field.getValue(), child(path, field.getKey()))));
      return resolved;
    }
    if (node instanceof ArrayNode list) {
      ArrayNode resolved = JsonNodeFactory.instance.arrayNode();
      for (int i = 0; i < list.size(); i++) {
        resolved.add(resolve(list.get(i), child(path, Integer.toString(i))));
      }
      return resolved;
    }
    if (!node.isTextual() || !node.textValue().contains("${")) {
      return node;
    }
    String name = String.join(".", path);
    if (open.contains(name)) {
      throw LockstepException.user(
          "Cannot resolve %s=%s: it refers to itself.".formatted(name, node.textValue()));
    }
    open.push(name);
    JsonNode resolved = new Text(node.textValue(), path).value();
    open.pop();
    return resolved;
  }

  private static List<String> child(List<String> path, String key) {
    List<String> child = new ArrayList<>(path);
    child.add(key);
    return child;
  }

  /** One text being read; {@code path} is where it stands. */
  private final class Text {

    private final String text;
    private final List<String> path;
    private int position;

    Text(String text, List<String> path) {
      this.text = text;
      this.path = path;
    }

    /** text : (character | '\${' | interpolation)* */
    JsonNode value() {
      StringBuilder value = new StringBuilder();
      while (position < text.length()) {
        if (text.startsWith("\\${", position)) {
          value.append("${");
          position += 3;
        } else if (text.startsWith("${", position)) {
          int start = position;
          JsonNode part = interpolation();
          if (start == 0 && position == text.length()) {
            return part;
          }
          value.append(asText(part));
        } else {
          value.append(text.charAt(position++));
        }
      }
      return TextNode.valueOf(value.toString());
    }

    private String asText(JsonNode part) {
      if (part.isContainerNode()) {
        throw failure("a map or a list cannot be written into a text");
      }
      return part.asText();
    }

    /** interpolation : '${' (reference | resolver ':' arguments) '}' */
    private JsonNode interpolation() {
      int start = position;
      position += 2;
      int depth = 1;
      int colon = -1;
      while (depth > 0) {
        if (position >= text.length()) {
          throw failure("the '${' in column %d is not closed by '}'".formatted(start + 1));
        }
        char c = text.charAt(position);
        if (text.startsWith("${", position)) {
          depth++;
          position++;
        } else if (c == '}') {
          depth--;
        } else if (c == ':' && depth == 1 && colon < 0) {
          colon = position;
        }
        position++;
      }
      if (colon < 0) {
        return reference(nested(text.substring(start + 2, position - 1)).trim());
      }
      String resolver = text.substring(start + 2, colon).trim();
      return call(resolver, text.substring(colon + 1, position - 1));
    }

    private String nested(String inner) {
      return asText(new Text(inner, path).value());
    }

    /** reference : '.'* path */
    private JsonNode reference(String reference) {
      return find(reference)
          .orElseThrow(
              () -> {
                List<String> keys = ConfigTree.leaves(root);
                String hint =
                    NearestName.of(reference, keys)
                        .map(name -> " Did you mean '%s'?".formatted(name))
                        .orElse("");
                return LockstepException.user(
                    "Cannot resolve %s=%s: there is no key '%s'.%s"
                        .formatted(String.join(".", path), text, reference, hint));
              });
    }

    private Optional<JsonNode> find(String reference) {
      int points = 0;
      while (points < reference.length() && reference.charAt(points) == '.') {
        points++;
      }
      if (points > path.size()) {
        return Optional.empty();
      }
      List<String> segments = new ArrayList<>();
      if (points > 0) {
        segments.addAll(path.subList(0, path.size() - points));
      }
      segments.addAll(ConfigTree.segments(reference.substring(points)));
      if (segments.isEmpty()) {
        return Optional.empty();
      }
      return ConfigTree.find(root, segments).map(place -> resolve(place.value(), segments));
    }

    private JsonNode call(String resolver, String argumentText) {
      // The format of a date may hold commas and colons.
      if (resolver.equals("now")) {
        return TextNode.valueOf(DatePattern.format(now, nested(argumentText)));
      }
      List<String> arguments = arguments(argumentText);
      switch (resolver) {
        case "oc.env":
          return environment(arguments);
        case "oc.select":
          return find(arguments.get(0)).orElseGet(() -> ScalarText.typed(second(arguments)));
        case "oc.decode":
          return ScalarText.typed(arguments.get(0));
        default:
          throw failure(
              "there is no resolver '%s' (available: now, oc.decode, oc.env, oc.select)"
                  .formatted(resolver));
      }
    }

    private JsonNode environment(List<String> arguments) {
      String variable = arguments.get(0);
      String value = environment.get(variable);
      if (value != null) {
        return TextNode.valueOf(value);
      }
      if (arguments.size() < 2) {
        throw failure(
            "the environment variable %s is not set; set it or give a default: ${oc.env:%s,null}"
                .formatted(variable, variable));
      }
      return ScalarText.typed(second(arguments));
    }

    private static String second(List<String> arguments) {
      return arguments.size() < 2 ? "null" : arguments.get(1);
    }

    /** argument (',' argument)* */
    private List<String> arguments(String argumentText) {
      List<String> arguments = new ArrayList<>();
      int start = 0;
      int depth = 0;
      for (int i = 0; i <= argumentText.length(); i++) {
        boolean end = i == argumentText.length();
        if (end || (argumentText.charAt(i) == ',' && depth == 0)) {
          arguments.add(unquoted(nested(argumentText.substring(start, i)).trim()));
          start = i + 1;
        } else if (argumentText.charAt(i) == '{') {
          depth++;
        } else if (argumentText.charAt(i) == '}') {
          depth--;
        }
      }
      return arguments;
    }

    private static String unquoted(String argument) {
      boolean quoted =
          argument.length() >= 2
              && "'\"".indexOf(argument.charAt(0)) >= 0
              && argument.charAt(argument.length() - 1) == argument.charAt(0);
      return quoted ? argument.substring(1, argument.length() - 1) : argument;
    }

    private LockstepException failure(String problem) {
      return LockstepException.user(
          "Cannot resolve %s=%s: %s.".formatted(String.join(".", path), text, problem));
    }
  }

  /** The letters of C's strftime that dates in paths and names use. */
  private static final class DatePattern {

    static String format(LocalDateTime time, String pattern) {
      StringBuilder formatted = new StringBuilder();
      for (int i = 0; i < pattern.length(); i++) {
        char c = pattern.charAt(i);
        if (c != '%' || i + 1 == pattern.length()) {
          formatted.append(c);
          continue;
        }
        formatted.append(field(time, pattern.charAt(++i)));
      }
      return formatted.toString();
    }

    private static String field(LocalDateTime time, char letter) {
      return switch (letter) {
        case 'Y' -> String.format(Locale.ROOT, "%tY", time);
        case 'y' -> String.format(Locale.ROOT, "%ty", time);
        case 'm' -> String.format(Locale.ROOT, "%tm", time);
        case 'd' -> String.format(Locale.ROOT, "%td", time);
        case 'j' -> String.format(Locale.ROOT, "%tj", time);
        case 'H' -> String.format(Locale.ROOT, "%tH", time);
        case 'I' -> String.format(Locale.ROOT, "%tI", time);
        case 'M' -> String.format(Locale.ROOT, "%tM", time);
        case 'S' -> String.format(Locale.ROOT, "%tS", time);
        case 'f' -> String.format(Locale.ROOT, "%06d", time.getNano() / 1000);
        case 'a' -> String.format(Locale.ENGLISH, "%ta", time);
        case 'A' -> String.format(Locale.ENGLISH, "%tA", time);
        case 'b' -> String.format(Locale.ENGLISH, "%tb", time);
        case 'B' -> String.format(Locale.ENGLISH, "%tB", time);
        case 'p' -> time.getHour() < 12 ? "AM" : "PM";
        case '%' -> "%";
        default ->
            throw LockstepException.user(
                "Cannot show the time with %%%s in ${now:...}: use %%Y %%y %%m %%d %%j %%H %%I %%M %%S %%f %%a %%A %%b %%B %%p or %%%%."
                    .formatted(letter));
      };
    }
  }
}
