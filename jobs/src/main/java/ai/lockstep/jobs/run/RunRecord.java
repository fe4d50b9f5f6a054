package ai.lockstep.jobs.run;

import ai.lockstep.jobs.tables.RowBuilder;
import ai.lockstep.jobs.tables.RunsTable;
import ai.lockstep.jobs.tables.Table;
import ai.lockstep.udf.spark.GpuUse;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import java.io.Serializable;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.jspecify.annotations.Nullable;

/**
 * The rows of {@code runs}: what the other tables' rows were made with.
 *
 * @param job the job's name
 * @param dataset {@code dataset.name}, or {@code prompts}
 * @param datasetMd5 of the input file
 * @param model the checkpoint; empty when nothing is decoded
 * @param judge sandbox level and interpreter; empty when nothing is judged
 * @param started when the job started
 */
public record RunRecord(
    String job,
    String dataset,
    String datasetMd5,
    Optional<Model> model,
    Optional<Judge> judge,
    Instant started) {

  /**
   * A checkpoint.
   *
   * @param gpus what the GPUs that decoded with it did
   */
  public record Model(String name, String digest, List<GpuUse> gpus) {}

  /**
   * What ran the programs.
   *
   * @param machineFactor what time limits were multiplied by
   * @param machineSlowness what {@link ai.lockstep.harness.MachineFactor} measured, applied or not
   */
  public record Judge(
      String isolation, String interpreter, double machineFactor, double machineSlowness)
      implements Serializable {}

  /**
   * Writes a row for each configuration that is new or for which something was done; a command that
   * found everything done leaves the row of the one that did it.
   */
  public void write(
      SparkSession spark, List<PlannedRun> runs, Set<PlannedRun> worked, RunFolder folder) {
    Set<String> recorded =
        new HashSet<>(
            RunsTable.TABLE
                .read(spark, folder.location())
                .select(Table.PARTITION)
                .as(Encoders.STRING())
                .collectAsList());
    List<Row> rows = new ArrayList<>();
    for (PlannedRun run : runs) {
      if (worked.contains(run) || !recorded.contains(run.config().configId())) {
        rows.add(row(spark, run, folder.runId()));
      }
    }
    if (!rows.isEmpty()) {
      RunsTable.TABLE.replace(
          spark.createDataFrame(rows, RunsTable.TABLE.schema()), folder.location());
    }
  }

  private Row row(SparkSession spark, PlannedRun run, String runId) {
    ArrayNode overrides = new ObjectMapper().createArrayNode();
    run.composition().overrides().forEach(overrides::add);
    RowBuilder row =
        RunsTable.TABLE
            .row()
            .set("run_id", runId)
            .set("job", job)
            .set("config", run.json())
            .set("overrides", overrides.toString())
            .set("dataset", dataset)
            .set("dataset_md5", datasetMd5)
            .set("model", model.map(Model::name).orElse(null))
            .set("model_digest", model.map(Model::digest).orElse(null))
            .set(
                "gpus",
                model.map(Model::gpus).filter(g -> !g.isEmpty()).map(RunRecord::gpus).orElse(null))
            .set("isolation", judge.map(Judge::isolation).orElse(null))
            .set("interpreter", judge.map(Judge::interpreter).orElse(null))
            .set("machine_factor", judge.map(Judge::machineFactor).orElse(null))
            .set("machine_slowness", judge.map(Judge::machineSlowness).orElse(null))
            .set("lockstep_version", CodeVersion.version())
            .set("code_commit", CodeVersion.commit().orElse(null))
            .set("spark_version", spark.version())
            .set("java_version", System.getProperty("java.version"))
            .set("started_at", Timestamp.from(started))
            .set("finished_at", Timestamp.from(Instant.now()))
            .set(Table.PARTITION, run.config().configId());
    return row.build();
  }

  private static Row[] gpus(List<GpuUse> gpus) {
    return gpus.stream()
        .map(
            gpu ->
                RowFactory.create(
                    gpu.replica(),
                    gpu.readings(),
                    told(gpu.utilizationPercent()),
                    told(gpu.memoryUsedMebibytes()),
                    told(gpu.powerWatts())))
        .toArray(Row[]::new);
  }

  private static @Nullable Double told(double value) {
    return Double.isNaN(value) ? null : value;
  }
}
