package ai.lockstep.jobs.config;

import ai.lockstep.failure.LockstepException;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import java.util.regex.Pattern;

/** YAML to trees and back, with the float spelling that OmegaConf reads. */
final class YamlText {

  private static final ObjectMapper MAPPER =
      new ObjectMapper(
              YAMLFactory.builder()
                  .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                  .disable(YAMLGenerator.Feature.WRITE_DOC_START_MARKER)
                  .disable(YAMLGenerator.Feature.SPLIT_LINES)
                  .enable(YAMLGenerator.Feature.MINIMIZE_QUOTES)
                  .enable(YAMLGenerator.Feature.ALWAYS_QUOTE_NUMBERS_AS_STRINGS)
                  .build())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

  // YAML 1.1 demands a point and a signed exponent; OmegaConf, like people, does not.
  private static final Pattern BARE_EXPONENT = Pattern.compile("[-+]?[0-9][0-9.]*[eE][-+]?[0-9]+");

  private YamlText() {}

  /**
   * Reads a file that holds a map, or nothing.
   *
   * @param name names the file in messages
   */
  static ObjectNode parse(String name, String text) {
    try {
      JsonNode tree = MAPPER.readTree(text);
      if (tree == null || tree.isMissingNode() || tree.isNull()) {
        return JsonNodeFactory.instance.objectNode();
      }
      if (tree instanceof ObjectNode map) {
        return (ObjectNode) withExponents(map);
      }
      throw LockstepException.user(
          "Cannot read the configuration file %s: it must hold keys, not a single value or a list."
              .formatted(name));
    } catch (JsonProcessingException e) {
      JsonLocation location = e.getLocation();
      String place = location == null ? "" : " in line " + location.getLineNr();
      throw LockstepException.user(
          "Cannot read the configuration file %s%s: %s."
              .formatted(name, place, e.getOriginalMessage().lines().findFirst().orElse("")),
          e);
    }
  }

  private static JsonNode withExponents(JsonNode node) {
    if (node.isTextual() && BARE_EXPONENT.matcher(node.textValue()).matches()) {
      return ScalarText.typed(node.textValue());
    }
    if (node instanceof ObjectNode map) {
      map.properties().forEach(field -> field.setValue(withExponents(field.getValue())));
    } else if (node instanceof ArrayNode list) {
      for (int i = 0; i < list.size(); i++) {
        list.set(i, withExponents(list.get(i)));
      }
    }
    return node;
  }

  /** Writes a tree as a YAML document that ends with a line break. */
  static String write(JsonNode tree) {
    try {
      return MAPPER.writeValueAsString(tree);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("A tree of plain values is always YAML", e);
    }
  }
}
