package ai.lockstep.jobs.config;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Names a configuration by what decides a sample's result: two runs with one digest may share and
 * continue each other's rows.
 *
 * <p>Taken in are {@code model}, {@code decode}, {@code harness} and the dataset's name, file and
 * edition. Left out is what chooses or places work without changing any of it: how many samples and
 * which tasks, devices and parallelism, where things are written or shown.
 *
 * @param sha256 64 hex digits: SHA-256 of the canonical JSON (keys sorted, no blanks, numbers
 *     without trailing zeros, UTF-8)
 */
public record ConfigDigest(String sha256) {

  private static final int SHORT_LENGTH = 11;
  private static final List<String> LEFT_OUT =
      List.of(
          "/model/name",
          "/model/device",
          "/model/download",
          "/model/layout",
          "/model/generation/n",
          "/harness/parallel");

  /** The digest of a composed configuration. */
  public static ConfigDigest of(Composition composition) {
    return of(composition.resolved());
  }

  static ConfigDigest of(ObjectNode resolved) {
    return new ConfigDigest(sha256(canonical(deciding(resolved))));
  }

  /** The part of a resolved configuration that decides results. */
  public static ObjectNode deciding(ObjectNode whole) {
    ObjectNode resolved = whole.deepCopy();
    LEFT_OUT.forEach(pointer -> remove(resolved, pointer));
    ObjectNode deciding = JsonNodeFactory.instance.objectNode();
    deciding.set("model", resolved.path("model"));
    deciding.set("decode", resolved.path("decode"));
    deciding.set("harness", resolved.path("harness"));
    ObjectNode dataset = deciding.putObject("dataset");
    for (String key : List.of("name", "path", "mini")) {
      dataset.set(key, resolved.path("dataset").path(key));
    }
    return deciding;
  }

  private static void remove(ObjectNode root, String pointer) {
    int slash = pointer.lastIndexOf('/');
    if (root.at(pointer.substring(0, slash)) instanceof ObjectNode map) {
      map.remove(pointer.substring(slash + 1));
    }
  }

  /**
   * The {@code config_id} of tables: c and the first digits. The letter keeps readers that guess
   * the type of a partition column from taking 12e45 for a number.
   */
  public String shortId() {
    return "c" + sha256.substring(0, SHORT_LENGTH);
  }

  static String canonical(JsonNode node) {
    StringBuilder text = new StringBuilder();
    append(node, text);
    return text.toString();
  }

  private static void append(JsonNode node, StringBuilder text) {
    if (node.isObject()) {
      Map<String, JsonNode> sorted = new TreeMap<>();
      node.properties().forEach(field -> sorted.put(field.getKey(), field.getValue()));
      String separator = "{";
      for (Map.Entry<String, JsonNode> field : sorted.entrySet()) {
        text.append(separator);
        append(JsonNodeFactory.instance.textNode(field.getKey()), text);
        text.append(':');
        append(field.getValue(), text);
        separator = ",";
      }
      text.append(sorted.isEmpty() ? "{}" : "}");
    } else if (node.isArray()) {
      text.append('[');
      for (int i = 0; i < node.size(); i++) {
        text.append(i == 0 ? "" : ",");
        append(node.get(i), text);
      }
      text.append(']');
    } else if (node.isNumber() && Double.isFinite(node.doubleValue())) {
      // 1, 1.0 and 1.00 are one setting.
      BigDecimal value = node.decimalValue().stripTrailingZeros();
      text.append(value.signum() == 0 ? "0" : value.toPlainString());
    } else {
      text.append(node.isMissingNode() ? "null" : node.toString());
    }
  }

  private static String sha256(String text) {
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(digest);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every JDK has SHA-256", e);
    }
  }

  @Override
  public String toString() {
    return shortId();
  }
}
