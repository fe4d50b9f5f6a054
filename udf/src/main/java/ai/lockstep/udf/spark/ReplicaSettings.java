package ai.lockstep.udf.spark;

import ai.lockstep.failure.LockstepException;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.spark.SparkConf;

/**
 * Which replica {@link LockstepPlugin} loads: Spark properties named as {@link LockstepGenerator}'s
 * parameters, so that both mean the same replica.
 *
 * @param model {@code spark.lockstep.modelUrl}, {@code .adapter}, {@code .download}
 * @param placement {@code spark.lockstep.device} and {@code .dtype}, default auto
 * @param batchSize {@code spark.lockstep.batchSize}, default 8
 */
public record ReplicaSettings(CheckpointModel model, Placement placement, int batchSize) {

  private static final String PREFIX = "spark.lockstep.";
  static final int DEFAULT_BATCH_SIZE = 8;

  /** Reads the properties; empty when {@code spark.lockstep.modelUrl} is not set. */
  static Optional<ReplicaSettings> of(SparkConf conf) {
    String url = conf.get(PREFIX + "modelUrl", "");
    if (url.isEmpty()) {
      return Optional.empty();
    }
    CheckpointModel model =
        new CheckpointModel(
            url,
            conf.get(PREFIX + "adapter", CheckpointModel.NO_ADAPTER),
            conf.getBoolean(PREFIX + "download", false)
                ? CheckpointModel.Download.ALLOWED
                : CheckpointModel.Download.DENIED);
    return Optional.of(
        new ReplicaSettings(
            model,
            new Placement(
                choice(conf, "device", DeviceChoice.AUTO, DeviceChoice.values()),
                choice(conf, "dtype", NumberFormat.AUTO, NumberFormat.values())),
            conf.getInt(PREFIX + "batchSize", DEFAULT_BATCH_SIZE)));
  }

  private static <E extends Enum<E>> E choice(
      SparkConf conf, String key, E otherwise, E[] choices) {
    String spelling = conf.get(PREFIX + key, otherwise.name());
    for (E choice : choices) {
      if (choice.name().equals(spelling.toUpperCase(Locale.ROOT))) {
        return choice;
      }
    }
    throw LockstepException.user(
        "Cannot run with %s%s=%s: it must be one of %s."
            .formatted(
                PREFIX,
                key,
                spelling,
                Stream.of(choices)
                    .map(choice -> choice.name().toLowerCase(Locale.ROOT))
                    .collect(Collectors.joining(", "))));
  }

  /** The properties, the plugin's own among them. */
  public Map<String, String> properties() {
    Map<String, String> properties = new LinkedHashMap<>();
    properties.put("spark.plugins", LockstepPlugin.class.getName());
    properties.put(PREFIX + "modelUrl", model.url());
    properties.put(PREFIX + "adapter", model.adapter());
    properties.put(
        PREFIX + "download", String.valueOf(model.download() == CheckpointModel.Download.ALLOWED));
    properties.put(PREFIX + "device", placement.device().spelling());
    properties.put(PREFIX + "dtype", placement.dtype().spelling());
    properties.put(PREFIX + "batchSize", String.valueOf(batchSize));
    return properties;
  }
}
