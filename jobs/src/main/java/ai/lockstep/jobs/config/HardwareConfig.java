package ai.lockstep.jobs.config;

import ai.lockstep.failure.LockstepException;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalInt;

/**
 * {@code hardware}.
 *
 * @param name what reports call the machine
 * @param batchRows rows decoded together by a replica, at least 1
 * @param shards parts the work is cut into, at least 1; empty for a few a replica
 * @param sparkProperties {@code spark.*} to set where spark-submit was not given them; in the order
 *     of the file
 */
public record HardwareConfig(
    String name, int batchRows, OptionalInt shards, Map<String, String> sparkProperties) {

  private static final String SPARK = "spark";

  public HardwareConfig {
    if (batchRows < 1) {
      throw LockstepException.user(
          "Cannot run with hardware.batch_rows=%d: it must be 1 or more.".formatted(batchRows));
    }
    if (shards.isPresent() && shards.getAsInt() < 1) {
      throw LockstepException.user(
          "Cannot run with hardware.shards=%d: it must be 1 or more, or null."
              .formatted(shards.getAsInt()));
    }
    sparkProperties = Collections.unmodifiableMap(new LinkedHashMap<>(sparkProperties));
  }

  static HardwareConfig read(Keys keys) {
    String name = keys.text("name");
    int batchRows = keys.integer("batch_rows");
    OptionalInt shards = keys.optionalInteger("shards");
    Map<String, String> properties = new LinkedHashMap<>();
    for (String key : keys.rest(k -> k.equals(SPARK) || k.startsWith(SPARK + "."))) {
      if (key.equals(SPARK)) {
        // +hardware.spark.a.b=c makes maps in maps.
        keys.map(key).leaves().forEach((path, value) -> properties.put(SPARK + "." + path, value));
      } else {
        keys.optionalWord(key).ifPresent(value -> properties.put(key, value));
      }
    }
    keys.rejectUnread();
    return new HardwareConfig(name, batchRows, shards, properties);
  }
}
