package ai.lockstep.jobs.decoding;

import ai.lockstep.jobs.config.Composer;
import ai.lockstep.jobs.config.ConfigSource;
import ai.lockstep.jobs.run.PlannedRun;
import ai.lockstep.udf.spark.DeviceChoice;
import ai.lockstep.udf.spark.ExecutorModel;
import ai.lockstep.udf.spark.Placement;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.SparkSession;

/** A driver of its own with two executors that {@link PoisonedModel} ends; see PoisonedRowsTest. */
final class PoisonedRun {

  static final int GOOD_ROWS = 6;

  private PoisonedRun() {}

  /** Prompts of one id; two that no executor survives lie in the same shard. */
  static List<Prompt> prompts() {
    List<Prompt> prompts = new ArrayList<>();
    prompts.add(Prompt.ofIds("hunger", new int[] {PoisonedModel.HUNGER}));
    prompts.add(Prompt.ofIds("good/0", new int[] {40}));
    prompts.add(Prompt.ofIds("crash", new int[] {PoisonedModel.CRASH}));
    for (int i = 1; i < GOOD_ROWS; i++) {
      prompts.add(Prompt.ofIds("good/" + i, new int[] {40 + i}));
    }
    return prompts;
  }

  /** Decodes into a folder. */
  public static void main(String[] args) {
    String output = args[0];
    List<PlannedRun> runs =
        PlannedRun.of(
            List.of(
                new Composer(ConfigSource.bundled())
                    .compose(
                        Composer.DEFAULT_CONFIG,
                        List.of(
                            "hardware=standalone",
                            "hardware.batch_rows=4",
                            "hardware.shards=2",
                            "decode=dream",
                            "model.generation.max_new_tokens=4",
                            "model.generation.steps=2"))));
    SparkSession.Builder builder =
        SparkSession.builder().master("local-cluster[2,1,1024]").appName("poisoned");
    // As a cluster is set, but for GPUs and size.
    runs.get(0)
        .config()
        .hardware()
        .sparkProperties()
        .forEach(
            (key, value) -> {
              if (!key.contains(".resource.")) {
                builder.config(key, value);
              }
            });
    SparkSession spark =
        builder
            .config("spark.executor.cores", "1")
            .config("spark.executor.memory", "600m")
            .config("spark.executor.extraClassPath", System.getProperty("java.class.path"))
            .config("spark.executor.defaultJavaOptions", "-XX:+UseSerialGC -XX:TieredStopAtLevel=1")
            .config("spark.ui.enabled", "false")
            .config("spark.sql.shuffle.partitions", "1")
            .config("spark.log.level", "WARN")
            .getOrCreate();
    try {
      DecodeInput input = new DecodeInput.Prompts("md5", prompts());
      DecodeStage.run(
          spark,
          DecodePlan.of(spark, runs, input, SampleRange::configured, output),
          new RunIdentity("poisoned", "prompts", "poisoned", "poisoned"),
          config ->
              ExecutorModel.get(
                  new PoisonedModel.Source(),
                  Placement.on(DeviceChoice.CPU),
                  config.hardware().batchRows()),
          output,
          whole -> {});
    } finally {
      spark.stop();
    }
  }
}
