package ai.lockstep.jobs.scoring;

import ai.lockstep.datasets.Task;
import ai.lockstep.harness.Harness;
import ai.lockstep.harness.MachineFactor;
import ai.lockstep.jobs.cli.Progress;
import ai.lockstep.jobs.config.DecodeConfig;
import ai.lockstep.jobs.run.PlannedRun;
import ai.lockstep.jobs.run.RunRecord;
import ai.lockstep.jobs.tables.CompletionsTable;
import ai.lockstep.jobs.tables.ScoresTable;
import ai.lockstep.jobs.tables.Table;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.apache.spark.util.LongAccumulator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Judges what has no verdict yet and writes {@code scores}. Driver only. */
public final class ScoreStage {

  private static final Logger LOG = LoggerFactory.getLogger(ScoreStage.class);

  /** Shards a core: verdicts take from milliseconds to a minute, and late shards even out. */
  private static final int SHARDS_PER_CORE = 4;

  private ScoreStage() {}

  /**
   * Starts the sandbox where programs will run, so that a machine that lacks one is found out
   * before anything is decoded.
   *
   * @throws ai.lockstep.failure.LockstepException saying what is missing and how to install it
   */
  public static RunRecord.Judge check(SparkSession spark, PlannedRun run) {
    ExecutorSettings settings = ExecutorSettings.of(spark, run.json());
    if (spark.sparkContext().isLocal()) {
      return judge(settings);
    }
    return JavaSparkContext.fromSparkContext(spark.sparkContext())
        .parallelize(List.of(settings), 1)
        .map(ScoreStage::judge)
        .first();
  }

  /** What judges on this executor. */
  private static RunRecord.Judge judge(ExecutorSettings settings) {
    Harness harness = ExecutorHarness.get(settings.harness(), settings.cores()).harness();
    return new RunRecord.Judge(
        harness.isolation().settingName(),
        harness.interpreter().toString(),
        harness.machineFactor(),
        MachineFactor.measured(harness));
  }

  /**
   * Judges the completions of one configuration that have no row in {@code scores} yet.
   *
   * @return how many were judged
   */
  public static long runOnCompletions(
      SparkSession spark, PlannedRun run, JudgedTasks target, String outputDir) {
    String configId = run.config().configId();
    String opening =
        run.config().decode() instanceof DecodeConfig.Lockstep lockstep ? lockstep.aOpen() : "";
    Dataset<Row> completions =
        CompletionsTable.TABLE
            .read(spark, outputDir)
            .where(functions.col(Table.PARTITION).equalTo(configId));
    return run(
        spark, run, target, Candidates.ofCompletions(completions, opening, configId), outputDir);
  }

  /**
   * Judges the candidates of one configuration that have no row in {@code scores} yet.
   *
   * @param candidates rows of {@link Candidates#SCHEMA}
   * @return how many were judged
   */
  public static long run(
      SparkSession spark,
      PlannedRun run,
      JudgedTasks target,
      Dataset<Row> candidates,
      String outputDir) {
    Dataset<Row> missing = missing(spark, candidates, outputDir).cache();
    try {
      long count = missing.count();
      LOG.info("plan: config={} programs={}", run.config().configId(), count);
      if (count > 0) {
        judge(spark, ExecutorSettings.of(spark, run.json()), target, missing, count, outputDir);
      }
      return count;
    } finally {
      missing.unpersist();
    }
  }

  /** The candidates that have no row in {@code scores} yet. */
  public static Dataset<Row> missing(
      SparkSession spark, Dataset<Row> candidates, String outputDir) {
    Dataset<Row> done = ScoresTable.TABLE.read(spark, outputDir).select(Table.withSampleKey());
    return candidates.join(done, Table.sampleKey(), "left_anti").select(Candidates.COLUMNS);
  }

  private static void judge(
      SparkSession spark,
      ExecutorSettings settings,
      JudgedTasks target,
      Dataset<Row> candidates,
      long count,
      String outputDir) {
    Map<String, Task> byId = new HashMap<>();
    target.tasks().forEach(task -> byId.put(task.taskId(), task));
    Broadcast<Map<String, Task>> tasks =
        JavaSparkContext.fromSparkContext(spark.sparkContext()).broadcast(byId);
    LongAccumulator judged = spark.sparkContext().longAccumulator("judged rows");
    int cores = spark.sparkContext().defaultParallelism();
    int shards = (int) Math.min(count, (long) SHARDS_PER_CORE * cores);
    Dataset<Row> programs =
        CpuStage.of(
            candidates
                .repartition(shards)
                .mapPartitions(
                    new ExtractPartition(settings, tasks), Encoders.row(ExtractPartition.SCHEMA)));
    Dataset<Row> scores =
        CpuStage.of(
            // Equal programs of a task meet in one partition, which judges them once.
            programs
                .repartition(shards, functions.col("task_id"), functions.col("program_sha256"))
                .mapPartitions(
                    new ScorePartition(settings, target, tasks, judged),
                    Encoders.row(ScoresTable.TABLE.schema())));
    Progress.during(
        "scoring",
        "programs",
        count,
        judged::value,
        () -> ScoresTable.TABLE.append(scores, outputDir));
    tasks.destroy();
  }
}
