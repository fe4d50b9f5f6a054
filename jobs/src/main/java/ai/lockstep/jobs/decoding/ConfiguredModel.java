package ai.lockstep.jobs.decoding;

import ai.lockstep.jobs.config.ModelConfig;
import ai.lockstep.jobs.config.RunConfig;
import ai.lockstep.udf.checkpoint.CheckpointSource;
import ai.lockstep.udf.spark.CheckpointModel;
import ai.lockstep.udf.spark.DeviceChoice;
import ai.lockstep.udf.spark.ExecutorModel;
import ai.lockstep.udf.spark.ModelSource;
import ai.lockstep.udf.spark.NumberFormat;
import ai.lockstep.udf.spark.Placement;
import ai.lockstep.udf.spark.ReplicaSettings;
import java.util.Map;

/** The model that a configuration asks for. */
final class ConfiguredModel {

  private ConfiguredModel() {}

  /** The checkpoint, by name; nothing is looked at. */
  static CheckpointModel checkpoint(ModelConfig model) {
    return new CheckpointModel(
        model.path().orElseGet(() -> hubUrl(model)),
        model.adapter().orElse(CheckpointModel.NO_ADAPTER),
        switch (model.download()) {
          case DENIED -> CheckpointModel.Download.DENIED;
          case ALLOWED -> CheckpointModel.Download.ALLOWED;
        });
  }

  private static String hubUrl(ModelConfig model) {
    return CheckpointModel.hubUrl(
        model.hfName().orElseThrow(),
        model.revision().orElse(CheckpointSource.Hub.DEFAULT_REVISION));
  }

  /**
   * Properties that have every executor load its replica before the first Spark task; an exported
   * program is loaded by that task.
   */
  static Map<String, String> sparkProperties(RunConfig config) {
    ModelConfig model = config.model();
    return model.torchScript().isPresent()
        ? Map.of()
        : new ReplicaSettings(checkpoint(model), placement(model), config.hardware().batchRows())
            .properties();
  }

  /** The replica, in a Spark task. */
  static ExecutorModel onExecutor(RunConfig config) {
    ModelConfig model = config.model();
    ModelSource source =
        model
            .torchScript()
            .<ModelSource>map(exported -> new ExportedSource(config, exported))
            .orElseGet(() -> checkpoint(model));
    return ExecutorModel.get(source, placement(model), config.hardware().batchRows());
  }

  private static Placement placement(ModelConfig model) {
    return new Placement(
        switch (model.device()) {
          case AUTO -> DeviceChoice.AUTO;
          case CPU -> DeviceChoice.CPU;
          case CUDA -> DeviceChoice.CUDA;
        },
        switch (model.dtype()) {
          case AUTO -> NumberFormat.AUTO;
          case FLOAT32 -> NumberFormat.FLOAT32;
          case BFLOAT16 -> NumberFormat.BFLOAT16;
        });
  }
}
