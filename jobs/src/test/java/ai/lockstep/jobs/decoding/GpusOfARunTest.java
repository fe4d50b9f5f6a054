package ai.lockstep.jobs.decoding;

import static org.assertj.core.api.Assertions.assertThat;

import ai.lockstep.jobs.LocalSpark;
import ai.lockstep.jobs.config.Composer;
import ai.lockstep.jobs.config.ConfigSource;
import ai.lockstep.jobs.run.PlannedRun;
import ai.lockstep.jobs.run.RunFolder;
import ai.lockstep.jobs.run.RunManifest;
import ai.lockstep.jobs.run.RunRecord;
import ai.lockstep.jobs.tables.RunsTable;
import ai.lockstep.udf.spark.DeviceChoice;
import ai.lockstep.udf.spark.ExecutorModel;
import ai.lockstep.udf.spark.GpuUse;
import ai.lockstep.udf.spark.Placement;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.SparkEnv;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** A script stands in for NVIDIA's command, and a model that computes nothing for one on a GPU. */
@ExtendWith(LocalSpark.class)
class GpusOfARunTest {

  private static final String COMMAND = "spark.lockstep.nvidiaSmi";

  private static final List<PlannedRun> RUNS =
      PlannedRun.of(
          List.of(
              new Composer(ConfigSource.bundled())
                  .compose(
                      Composer.DEFAULT_CONFIG,
                      List.of(
                          "hardware.shards=2",
                          "decode=dream",
                          "model.generation.max_new_tokens=4",
                          "model.generation.steps=2"))));

  @TempDir Path folder;

  @AfterEach
  void forgetTheCommand() {
    SparkEnv.get().conf().remove(COMMAND);
  }

  private List<GpuUse> decode(SparkSession spark, String nvidiaSmi) throws IOException {
    Path command = Files.writeString(folder.resolve("nvidia-smi"), "#!/bin/sh\n" + nvidiaSmi);
    assertThat(command.toFile().setExecutable(true)).isTrue();
    SparkEnv.get().conf().set(COMMAND, command.toString());
    DecodeInput input =
        new DecodeInput.Prompts(
            "md5", List.of(Prompt.ofIds("a", new int[] {40}), Prompt.ofIds("b", new int[] {41})));
    String out = folder.resolve("out").toString();
    return DecodeStage.run(
        spark,
        DecodePlan.of(spark, RUNS, input, SampleRange::configured, out),
        new RunIdentity("run", "prompts", "timed", "timed"),
        config -> onGpu3(config.hardware().batchRows()),
        out,
        whole -> {});
  }

  private static ExecutorModel onGpu3(int batchRows) {
    ExecutorModel model =
        ExecutorModel.get(new TimedModel.Source(0, ""), Placement.on(DeviceChoice.CPU), batchRows);
    return new ExecutorModel(model.tokenizer(), model.replica(), "gpu:3", model.readyNanos());
  }

  @Test
  void areReadAtTheEndOfEveryShardAndRecorded(SparkSession spark) throws IOException {
    List<GpuUse> gpus = decode(spark, "[ \"$1\" = --id=3 ] && echo '15342, 97, [N/A]'\n");

    assertThat(gpus).hasSize(1);
    String replica = gpus.get(0).replica();
    assertThat(gpus).containsExactly(new GpuUse(replica, 2, 97, 15342, Double.NaN));

    try (RunFolder run = claim()) {
      new RunRecord(
              "generate",
              "prompts",
              "md5",
              Optional.of(new RunRecord.Model("timed", "timed", gpus)),
              Optional.empty(),
              Instant.EPOCH)
          .write(spark, RUNS, Set.copyOf(RUNS), run);
    }
    List<Row> recorded =
        RunsTable.TABLE
            .read(spark, folder.resolve("run").toString())
            .selectExpr("explode(gpus) AS gpu")
            .select("gpu.*")
            .collectAsList();
    assertThat(recorded).containsExactly(RowFactory.create(replica, 2, 97.0, 15342.0, null));
  }

  private RunFolder claim() {
    return RunFolder.claim(
        folder.resolve("run").toString(),
        new RunManifest("generate", "run", "prompts", "md5", "", "sha", Map.of(), Map.of()),
        new Configuration());
  }

  @Test
  void areLeftOutWhereNoneCanBeRead(SparkSession spark) throws IOException {
    assertThat(decode(spark, "exit 1\n")).isEmpty();
  }
}
