package ai.lockstep.udf.spark;

import ai.lockstep.failure.LockstepException;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.apache.spark.SparkConf;

/**
 * Which replica {@link LockstepPlugin} loads: Spark properties named as {@link LockstepGenerator}'s
 * parameters, so that both mean the same replica.
 *
 * @param model {@code spark.lockstep.modelUrl}, {@code .adapter}, {@code .download}
 * @param device {@code spark.lockstep.device}, default auto
 * @param batchSize {@code spark.lockstep.batchSize}, default 8
 */
public record ReplicaSettings(CheckpointModel model, DeviceChoice device, int batchSize) {

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
            device(conf.get(PREFIX + "device", DeviceChoice.AUTO.spelling())),
            conf.getInt(PREFIX + "batchSize", DEFAULT_BATCH_SIZE)));
  }

  private static DeviceChoice device(String spelling) {
    for (DeviceChoice choice : DeviceChoice.values()) {
      if (choice.name().equals(spelling.toUpperCase(Locale.ROOT))) {
        return choice;
      }
    }
    throw LockstepException.user(
        "Cannot run with spark.lockstep.device=%s: it must be auto, cpu or cuda."
            .formatted(spelling));
  }

  /** The properties, the plugin's own among them. */
  public Map<String, String> properties() {
    Map<String, String> properties = new LinkedHashMap<>();
    properties.put("spark.plugins", LockstepPlugin.class.getName());
    properties.put(PREFIX + "modelUrl", model.url());
    properties.put(PREFIX + "adapter", model.adapter());
    properties.put(
        PREFIX + "download", String.valueOf(model.download() == CheckpointModel.Download.ALLOWED));
    properties.put(PREFIX + "device", device.spelling());
    properties.put(PREFIX + "batchSize", String.valueOf(batchSize));
    return properties;
  }
}
