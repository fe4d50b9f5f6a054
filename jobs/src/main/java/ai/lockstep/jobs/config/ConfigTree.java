package ai.lockstep.jobs.config;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Finding, merging and replacing in a tree of keys.
 *
 * <p>A path is dotted ({@code model.generation.steps}); {@code list.0} and {@code list[0]} name an
 * element. A key may itself hold points, as Spark's do: {@code hardware.spark.executor.memory}
 * finds the key {@code spark.executor.memory} in {@code hardware}.
 */
final class ConfigTree {

  private ConfigTree() {}

  /** A place in a tree: the key of a map or the index of a list. */
  record Place(JsonNode container, String key) {

    JsonNode value() {
      return container instanceof ArrayNode list
          ? list.get(Integer.parseInt(key))
          : container.get(key);
    }

    void set(JsonNode value) {
      if (container instanceof ArrayNode list) {
        list.set(Integer.parseInt(key), value);
      } else {
        ((ObjectNode) container).set(key, value);
      }
    }

    void remove() {
      if (container instanceof ArrayNode list) {
        list.remove(Integer.parseInt(key));
      } else {
        ((ObjectNode) container).remove(key);
      }
    }
  }

  /** How far a path that leads nowhere can be followed. */
  record DeadEnd(JsonNode reached, List<String> followed, String missing) {

    String followedPath() {
      return String.join(".", followed);
    }
  }

  /** The parts of a dotted path. */
  static List<String> segments(String path) {
    String dotted = path.replace("[", ".").replace("]", "");
    return dotted.isEmpty() ? List.of() : List.of(dotted.split("\\.", -1));
  }

  /** The place that a path names, if there is one. */
  static Optional<Place> find(JsonNode root, List<String> segments) {
    if (root instanceof ArrayNode list) {
      return findInList(list, segments);
    }
    // The longest key first, so that a key with points wins over maps in maps.
    for (int length = segments.size(); length >= 1; length--) {
      String key = String.join(".", segments.subList(0, length));
      JsonNode child = root.get(key);
      if (child == null) {
        continue;
      }
      if (length == segments.size()) {
        return Optional.of(new Place(root, key));
      }
      Optional<Place> place = find(child, segments.subList(length, segments.size()));
      if (place.isPresent()) {
        return place;
      }
    }
    return Optional.empty();
  }

  private static Optional<Place> findInList(ArrayNode list, List<String> segments) {
    String index = segments.get(0);
    if (!index.matches("[0-9]{1,6}") || Integer.parseInt(index) >= list.size()) {
      return Optional.empty();
    }
    return segments.size() == 1
        ? Optional.of(new Place(list, index))
        : find(list.get(Integer.parseInt(index)), segments.subList(1, segments.size()));
  }

  /** Where a path that {@link #find} does not find ends. */
  static DeadEnd deadEnd(ObjectNode root, List<String> segments) {
    JsonNode reached = root;
    List<String> followed = new ArrayList<>();
    for (String segment : segments) {
      Optional<Place> place = find(reached, List.of(segment));
      if (place.isEmpty()) {
        return new DeadEnd(reached, List.copyOf(followed), segment);
      }
      reached = place.get().value();
      followed.add(segment);
    }
    throw new IllegalArgumentException("The path exists: " + segments);
  }

  /** Merges {@code source} into {@code target}: maps key by key, everything else replaces. */
  static void merge(ObjectNode target, ObjectNode source) {
    for (Map.Entry<String, JsonNode> field : source.properties()) {
      if (target.get(field.getKey()) instanceof ObjectNode inner
          && field.getValue() instanceof ObjectNode addition) {
        merge(inner, addition);
      } else {
        target.set(field.getKey(), field.getValue().deepCopy());
      }
    }
  }

  /** The map at a path, made where there is none; a value in the way is replaced. */
  static ObjectNode mapAt(ObjectNode root, List<String> segments) {
    ObjectNode map = root;
    for (String segment : segments) {
      map = map.get(segment) instanceof ObjectNode inner ? inner : map.putObject(segment);
    }
    return map;
  }

  /** The dotted paths of all values, in order. */
  static List<String> leaves(ObjectNode root) {
    List<String> leaves = new ArrayList<>();
    collectLeaves("", root, leaves);
    return leaves;
  }

  private static void collectLeaves(String prefix, ObjectNode map, List<String> leaves) {
    for (Map.Entry<String, JsonNode> field : map.properties()) {
      if (field.getValue() instanceof ObjectNode inner) {
        collectLeaves(prefix + field.getKey() + ".", inner, leaves);
      } else {
        leaves.add(prefix + field.getKey());
      }
    }
  }
}
