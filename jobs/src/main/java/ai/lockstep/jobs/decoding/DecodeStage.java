package ai.lockstep.jobs.decoding;

import ai.lockstep.jobs.cli.Progress;
import ai.lockstep.jobs.config.RunConfig;
import ai.lockstep.jobs.run.PlannedRun;
import ai.lockstep.jobs.run.RunFolder;
import ai.lockstep.jobs.tables.CompletionsTable;
import ai.lockstep.jobs.tables.StepsTable;
import ai.lockstep.jobs.tables.Table;
import ai.lockstep.udf.spark.GpuUse;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.spark.SparkContext;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.apache.spark.util.CollectionAccumulator;
import org.apache.spark.util.LongAccumulator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Decodes what is missing and writes {@code completions} and {@code steps}. Driver only. */
public final class DecodeStage {

  private static final Logger LOG = LoggerFactory.getLogger(DecodeStage.class);

  /** Each shard becomes a file: more of them make every later look at the table slow. */
  private static final int MAX_SHARDS = 2000;

  /** Of a shard in a long run: a Spark task costs about as much as a few rows. */
  private static final int BATCHES_A_SHARD = 4;

  /** Of a short run: a killed one loses what is in flight, and late shards even out. */
  private static final int SHARDS_A_SLOT = 8;

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

  /**
   * Runs the stage: one Spark job for all configurations, so that a replica's batch never runs
   * empty between two of them.
   *
   * @param whole told of every configuration as soon as all its completions are there, in any order
   *     and on any thread; must return at once
   * @return what the replicas' GPUs did, where they have any
   */
  public static List<GpuUse> run(
      SparkSession spark,
      DecodePlan plan,
      RunIdentity identity,
      String outputDir,
      Consumer<PlannedRun> whole) {
    return run(spark, plan, identity, ConfiguredModel::onExecutor, outputDir, whole);
  }

  /** The same with models from elsewhere. */
  static List<GpuUse> run(
      SparkSession spark,
      DecodePlan plan,
      RunIdentity identity,
      DecodeShard.Models models,
      String outputDir,
      Consumer<PlannedRun> whole) {
    SparkContext context = spark.sparkContext();
    List<DecodePlan.Shard> shards = new ArrayList<>();
    Map<String, LongAccumulator> decoded = new HashMap<>();
    CollectionAccumulator<GpuUse> gpus = context.collectionAccumulator("gpus");
    for (DecodePlan.Part part : plan.parts()) {
      RunConfig config = part.run().config();
      LOG.info(
          "plan: config={} rows={} done={} missing={}",
          config.configId(),
          part.rows(),
          part.rows() - part.missingRows(),
          part.missingRows());
      decoded.put(config.configId(), context.longAccumulator("decoded " + config.configId()));
      if (part.missingRows() > 0) {
        shards.addAll(
            part.shards(shards(context, part.missingRows(), config, plan.parts().size())));
      }
    }
    WholeConfigurations announced = new WholeConfigurations(plan, decoded, whole);
    announced.look();
    if (!shards.isEmpty()) {
      CrashMarks crashes = new CrashMarks(outputDir);
      JavaRDD<Row> rows =
          JavaSparkContext.fromSparkContext(context)
              .parallelize(shards, shards.size())
              .flatMap(new DecodeShard(identity, models, crashes, decoded, gpus));
      // Not createDataFrame: every Spark task would generate the code that encodes its rows.
      Dataset<Row> completions =
          spark.createDataset(rows.rdd(), Encoders.row(CompletionsTable.TABLE.schema()));
      context.addSparkListener(announced);
      try {
        Progress.during(
            "decoding",
            "rows",
            plan.missingRows(),
            () -> decoded.values().stream().mapToLong(LongAccumulator::value).sum(),
            () -> CompletionsTable.TABLE.append(completions, outputDir));
      } finally {
        context.removeSparkListener(announced);
      }
      forget(crashes);
    }
    announced.all();
    writeSteps(spark, outputDir);
    return GpuUse.merged(gpus.value());
  }

  /** All rows are there: nothing is tried again. */
  private static void forget(CrashMarks crashes) {
    try {
      crashes.clearAll();
    } catch (IOException e) {
      LOG.warn("marks of rows that ended their process could not be removed", e);
    }
  }

  /** Writes the steps of configurations that have not as many as their completions had passes. */
  private static void writeSteps(SparkSession spark, String outputDir) {
    Dataset<Row> completions = CompletionsTable.TABLE.read(spark, outputDir);
    Dataset<Row> steps =
        StepsTable.TABLE
            .read(spark, outputDir)
            .groupBy(Table.PARTITION)
            .agg(functions.count("*").as("steps"));
    List<String> stale =
        completions
            .groupBy(Table.PARTITION)
            .agg(functions.sum("nfe").as("passes"))
            .join(steps, new String[] {Table.PARTITION}, "left")
            .where("passes <> coalesce(steps, 0)")
            .select(Table.PARTITION)
            .as(Encoders.STRING())
            .collectAsList();
    if (!stale.isEmpty()) {
      StepsTable.TABLE.replace(
          StepsTable.of(completions.where(functions.col(Table.PARTITION).isin(stale.toArray()))),
          outputDir);
    }
  }

  /** The completions of one configuration. */
  private static Dataset<Row> written(SparkSession spark, RunConfig config, String outputDir) {
    return CompletionsTable.TABLE
        .read(spark, outputDir)
        .where(functions.col(Table.PARTITION).equalTo(config.configId()));
  }

  /** How many rows of some configurations could not be decoded. */
  public static long failedRows(SparkSession spark, List<String> configIds, String outputDir) {
    return CompletionsTable.TABLE
        .read(spark, outputDir)
        .where(functions.col(Table.PARTITION).isin(configIds.toArray()))
        .where("status <> 'ok'")
        .count();
  }

  /**
   * Writes {@code completions.jsonl} of a configuration.
   *
   * @param prefix of the file's name in the run's folder, such as {@code 0/}
   */
  public static void writeJsonLines(
      SparkSession spark, RunConfig config, RunFolder folder, String prefix) throws IOException {
    folder.write(
        prefix + "completions.jsonl",
        out -> CompletionsFile.write(written(spark, config, folder.location()), out));
  }

  /**
   * How many parts the rows of a configuration are decoded in.
   *
   * @param configurations that are decoded together
   */
  static int shards(SparkContext context, long rows, RunConfig config, int configurations) {
    int slots = context.defaultParallelism();
    long batches = ceiling(rows, config.hardware().batchRows());
    long enough = ceiling((long) SHARDS_A_SLOT * slots, configurations);
    long usual = Math.max(ceiling(batches, BATCHES_A_SHARD), Math.min(batches, enough));
    // A small run is spread over all slots, though that makes its batches smaller.
    long shards = Math.max(Math.min(usual, MAX_SHARDS), slots);
    return (int) Math.min(config.hardware().shards().orElse((int) shards), rows);
  }

  private static long ceiling(long all, long size) {
    return (all + size - 1) / size;
  }
}
