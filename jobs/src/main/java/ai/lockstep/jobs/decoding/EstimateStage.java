package ai.lockstep.jobs.decoding;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.sum;

import ai.lockstep.failure.LockstepException;
import ai.lockstep.jobs.cli.Progress;
import ai.lockstep.jobs.config.DecodeConfig;
import ai.lockstep.jobs.config.RlConfig;
import ai.lockstep.jobs.config.RunConfig;
import ai.lockstep.jobs.run.PlannedRun;
import ai.lockstep.jobs.tables.CompletionsTable;
import ai.lockstep.jobs.tables.LogProbsTable;
import ai.lockstep.jobs.tables.Table;
import java.util.Locale;
import java.util.Optional;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.util.LongAccumulator;

/**
 * Makes the estimates of {@code rl.logprobs} that are missing and writes {@code logprobs}. Driver
 * only.
 */
public final class EstimateStage {

  private EstimateStage() {}

  /**
   * Checks that the estimate means something for the configured decoder.
   *
   * @throws LockstepException naming the keys that do not go together
   */
  public static void check(RunConfig config) {
    if (config.rl().logProbs() != RlConfig.LogProbs.TRACE
        && config.decode() instanceof DecodeConfig.D2f) {
      throw LockstepException.user(
          "Cannot estimate log-probabilities with rl.logprobs=%s and decode=d2f: its model attends block-causally, and the estimate's passes see the whole row. Set rl.logprobs=trace."
              .formatted(config.rl().logProbs().spelling()));
    }
  }

  /**
   * Runs the stage for one configuration; {@link RlConfig.LogProbs#TRACE} asks for nothing.
   *
   * @return how many samples were estimated
   */
  public static long run(SparkSession spark, PlannedRun run, String runId, String outputDir) {
    RlConfig rl = run.config().rl();
    if (rl.logProbs() == RlConfig.LogProbs.TRACE) {
      return 0;
    }
    Dataset<Row> done = made(spark, rl, outputDir).select(Table.withSampleKey());
    Dataset<Row> missing =
        CompletionsTable.TABLE
            .read(spark, outputDir)
            .where(col(Table.PARTITION).equalTo(run.config().configId()))
            .where(col("status").equalTo("ok"))
            .join(done, Table.sampleKey(), "left_anti")
            .select(Table.withSampleKey(col("prompt_ids"), col("token_ids"), col("commit_block")));
    long count = missing.count();
    if (count > 0) {
      LongAccumulator estimated = spark.sparkContext().longAccumulator("estimated rows");
      int shards = DecodeStage.shards(spark.sparkContext(), count, run.config(), 1);
      Dataset<Row> rows =
          missing
              .repartition(shards, col("task_id"), col("sample_index"))
              .mapPartitions(
                  new EstimatePartition(run.json(), runId, estimated),
                  Encoders.row(LogProbsTable.TABLE.schema()));
      Progress.during(
          "estimating",
          "samples",
          count,
          estimated::value,
          () -> LogProbsTable.TABLE.append(rows, outputDir));
    }
    return count;
  }

  /** What is there of the estimate that a configuration asks for. */
  private static Dataset<Row> made(SparkSession spark, RlConfig rl, String outputDir) {
    return LogProbsTable.TABLE
        .read(spark, outputDir)
        .where(
            col("method")
                .equalTo(rl.logProbs().spelling())
                .and(col("prompt_mask").equalTo(promptMask(rl))));
  }

  /** The column {@code prompt_mask} of the estimate. */
  static double promptMask(RlConfig rl) {
    return rl.logProbs() == RlConfig.LogProbs.D1 ? rl.d1PromptMask() : 0;
  }

  /**
   * Samples with the estimate's columns as {@code grpo} names them, null where there is none.
   *
   * @param samples with the columns of {@link Table#sampleKey}
   */
  public static Dataset<Row> join(
      SparkSession spark, Dataset<Row> samples, RlConfig rl, String outputDir) {
    Dataset<Row> made = made(spark, rl, outputDir);
    Dataset<Row> estimates =
        rl.logProbs() == RlConfig.LogProbs.D1
            ? made.select(
                Table.withSampleKey(
                    col("logp").as("logp_d1"),
                    col("hidden").as("d1_prompt_mask"),
                    absent("logp_coupled", "array<float>"),
                    absent("coupled_mask", "array<boolean>"),
                    absent("coupled_t", "float"),
                    absent("logp_full", "array<float>")))
            : made.select(
                Table.withSampleKey(
                    absent("logp_d1", "array<float>"),
                    absent("d1_prompt_mask", "array<boolean>"),
                    col("logp").as("logp_coupled"),
                    col("hidden").as("coupled_mask"),
                    col("ratio").as("coupled_t"),
                    col("logp_full")));
    return samples.join(estimates, Table.sampleKey(), "left_outer");
  }

  private static org.apache.spark.sql.Column absent(String name, String type) {
    return lit(null).cast(type).as(name);
  }

  /** What the estimates cost, for the terminal and the data card; empty when none was asked for. */
  public static Optional<String> cost(SparkSession spark, RlConfig rl, String outputDir) {
    if (rl.logProbs() == RlConfig.LogProbs.TRACE) {
      return Optional.empty();
    }
    Dataset<Row> made = made(spark, rl, outputDir);
    long samples = made.count();
    long passes = samples == 0 ? 0 : made.agg(sum("passes")).first().getLong(0);
    return Optional.of(
        String.format(
            Locale.ROOT,
            "%s: %d samples, %d full passes, %.2f a sample",
            rl.logProbs().spelling(),
            samples,
            passes,
            samples == 0 ? 0 : (double) passes / samples));
  }
}
