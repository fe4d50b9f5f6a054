package ai.lockstep.jobs.tracking;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The configurations of one command as one: a tracker shows one for a run. */
final class SweepConfig {

  private SweepConfig() {}

  /**
   * The configurations in one tree: where they differ stands the list of their values, in the order
   * of the jobs, with null where one has no such key.
   */
  static ObjectNode merged(List<ObjectNode> configs) {
    ObjectNode merged = JsonNodeFactory.instance.objectNode();
    for (String key : keys(configs)) {
      List<JsonNode> values = values(configs, key);
      if (values.stream().distinct().count() == 1) {
        merged.set(key, values.get(0));
      } else if (values.stream().allMatch(JsonNode::isObject)) {
        merged.set(key, merged(values.stream().map(ObjectNode.class::cast).toList()));
      } else {
        ArrayNode all = merged.putArray(key);
        values.forEach(all::add);
      }
    }
    return merged;
  }

  /** The same differences by dotted key: {@code decode.tau_a} to one value a configuration. */
  static Map<String, List<JsonNode>> differences(List<ObjectNode> configs) {
    Map<String, List<JsonNode>> differences = new LinkedHashMap<>();
    collect(differences, "", configs);
    return differences;
  }

  private static void collect(
      Map<String, List<JsonNode>> differences, String prefix, List<ObjectNode> configs) {
    for (String key : keys(configs)) {
      List<JsonNode> values = values(configs, key);
      if (values.stream().distinct().count() == 1) {
        continue;
      }
      if (values.stream().allMatch(JsonNode::isObject)) {
        collect(
            differences, prefix + key + ".", values.stream().map(ObjectNode.class::cast).toList());
      } else {
        differences.put(prefix + key, values);
      }
    }
  }

  private static Set<String> keys(List<ObjectNode> configs) {
    Set<String> keys = new LinkedHashSet<>();
    configs.forEach(config -> config.fieldNames().forEachRemaining(keys::add));
    return keys;
  }

  private static List<JsonNode> values(List<ObjectNode> configs, String key) {
    return configs.stream()
        .map(config -> config.has(key) ? config.get(key) : config.nullNode())
        .toList();
  }
}
