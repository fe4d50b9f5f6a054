package ai.lockstep.jobs.decoding;

import ai.lockstep.jobs.cli.Progress;
import ai.lockstep.jobs.config.RunConfig;
import ai.lockstep.jobs.run.RunFolder;
import ai.lockstep.jobs.tables.CompletionsTable;
import ai.lockstep.jobs.tables.StepsTable;
import ai.lockstep.jobs.tables.Table;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.apache.spark.util.LongAccumulator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Decodes what is missing of one configuration and writes {@code completions} and {@code steps}.
 */
public final class DecodeStage {

  private static final Logger LOG = LoggerFactory.getLogger(DecodeStage.class);

  private DecodeStage() {}

  /**
   * Checks what can be checked before Spark starts: the settings, and that the model is there.
   *
   * @return the model, not loaded
   * @throws ai.lockstep.failure.LockstepException naming the first mistake
   */
  public static LocatedModel check(RunConfig config) {
    ConfiguredDecoder.check(config);
    return LocatedModel.of(config);
  }

  /** Spark properties that have every executor load its replica before the first Spark task. */
  public static Map<String, String> sparkProperties(RunConfig config) {
    return ConfiguredModel.sparkProperties(config);
  }

  /** Runs the stage for all samples that {@code model.generation.n} asks for. */
  public static int run(
      SparkSession spark,
      RunConfig config,
      String resolvedConfig,
      RunIdentity identity,
      List<Prompt> prompts,
      String outputDir) {
    SampleRange samples = SampleRange.first(config.model().generation().n());
    return run(spark, config, resolvedConfig, identity, prompts, samples, outputDir);
  }

  /**
   * Runs the stage for some samples.
   *
   * @param config for {@code config.configId()}'s rows
   * @param resolvedConfig the same as JSON, for executors
   * @return how many rows were missing and are now there
   */
  public static int run(
      SparkSession spark,
      RunConfig config,
      String resolvedConfig,
      RunIdentity identity,
      List<Prompt> prompts,
      SampleRange samples,
      String outputDir) {
    Dataset<Row> all = DecodePlan.all(spark, config.configId(), prompts, samples);
    Dataset<Row> missing = DecodePlan.missing(spark, all, outputDir);
    List<Row> plan = missing.orderBy("sample_index", "input_index").collectAsList();
    long total = all.count();
    LOG.info(
        "plan: config={} rows={} done={} missing={}",
        config.configId(),
        total,
        total - plan.size(),
        plan.size());
    if (!plan.isEmpty()) {
      LongAccumulator decoded = spark.sparkContext().longAccumulator("decoded rows");
      // A few shards a core: a killed run loses what is in flight, and late shards even out.
      int shards = config.hardware().shards().orElse(shards(spark, plan.size(), config));
      Dataset<Row> rows =
          spark
              .createDataFrame(plan, DecodePlan.SCHEMA)
              .repartition(shards)
              .mapPartitions(
                  new DecodePartition(resolvedConfig, identity, decoded),
                  Encoders.row(CompletionsTable.TABLE.schema()));
      Progress.during(
          "decoding",
          "rows",
          plan.size(),
          decoded::value,
          () -> CompletionsTable.TABLE.append(rows, outputDir));
    }
    StepsTable.TABLE.replace(StepsTable.of(written(spark, config, outputDir)), outputDir);
    return plan.size();
  }

  /** The completions of one configuration. */
  private static Dataset<Row> written(SparkSession spark, RunConfig config, String outputDir) {
    return CompletionsTable.TABLE
        .read(spark, outputDir)
        .where(functions.col(Table.PARTITION).equalTo(config.configId()));
  }

  /** How many rows of a configuration could not be decoded. */
  public static long failedRows(SparkSession spark, RunConfig config, String outputDir) {
    return written(spark, config, outputDir).where("status <> 'ok'").count();
  }

  /** Writes {@code completions.jsonl}. */
  public static void writeJsonLines(SparkSession spark, RunConfig config, RunFolder folder)
      throws IOException {
    folder.write(
        "completions.jsonl",
        out -> CompletionsFile.write(written(spark, config, folder.location()), out));
  }

  private static int shards(SparkSession spark, int rows, RunConfig config) {
    int slots = spark.sparkContext().defaultParallelism();
    int byBatch = (rows + config.hardware().batchRows() - 1) / config.hardware().batchRows();
    return Math.max(1, Math.max(byBatch, Math.min(slots, rows)));
  }
}
