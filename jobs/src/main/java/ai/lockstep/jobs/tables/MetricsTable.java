package ai.lockstep.jobs.tables;

import static org.apache.spark.sql.types.DataTypes.DoubleType;
import static org.apache.spark.sql.types.DataTypes.IntegerType;
import static org.apache.spark.sql.types.DataTypes.LongType;
import static org.apache.spark.sql.types.DataTypes.StringType;

/** {@code metrics}: one row a configuration. */
public final class MetricsTable {

  /** The declaration. */
  public static final Table TABLE =
      Table.named("metrics")
          .required("run_id", StringType, "run that computed the row")
          .required("dataset", StringType, "dataset.name")
          .required("tasks", IntegerType, "tasks with at least one sample")
          .required("samples", LongType, "judged samples")
          .required("failed_rows", LongType, "samples that could not be decoded")
          .optional("pass_at_1_base", DoubleType, "mean over tasks, 0..1; null without scores")
          .optional("pass_at_1_base_low", DoubleType, "lower end of the 95% interval")
          .optional("pass_at_1_base_high", DoubleType, "upper end of the 95% interval")
          .optional("pass_at_1_plus", DoubleType, "base and plus pass, mean over tasks, 0..1")
          .optional("pass_at_1_plus_low", DoubleType, "lower end of the 95% interval")
          .optional("pass_at_1_plus_high", DoubleType, "upper end of the 95% interval")
          .optional("pass_at_10_base", DoubleType, "null when a task has fewer than 10 samples")
          .optional("pass_at_10_plus", DoubleType, "null when a task has fewer than 10 samples")
          .optional("pass_at_100_base", DoubleType, "null when a task has fewer than 100 samples")
          .optional("pass_at_100_plus", DoubleType, "null when a task has fewer than 100 samples")
          .optional("empty_answer_rate", DoubleType, "share of decoded rows without an answer")
          .optional("fill_rate", DoubleType, "mean of the rows' fill_rate")
          .optional("fill_rate_r", DoubleType, "mean of the rows' fill_rate_r; null without R")
          .optional("fill_rate_a", DoubleType, "mean of the rows' fill_rate_a")
          .optional("tokens_per_pass", DoubleType, "committed tokens / forward passes of all rows")
          .optional("forced_commit_rate", DoubleType, "forced commits / committed tokens")
          .optional("ar_ness_local", DoubleType, "mean of the rows' ar_ness_local")
          .optional("ar_ness_global", DoubleType, "mean of the rows' ar_ness_global")
          .optional("passes_per_row", DoubleType, "mean nfe")
          .optional("tokens_per_second", DoubleType, "tokens before eos / decode_seconds")
          .optional("raw_tokens_per_second", DoubleType, "committed tokens / decode_seconds")
          .optional("decode_seconds", DoubleType, "time in which a row was being decoded")
          .required("tampered", LongType, "samples that tried to forge their verdict")
          .required("unjudged", LongType, "samples whose sandbox was lost; they count as failed")
          .required(Table.PARTITION, StringType, "digest of the configuration")
          .declared();

  private MetricsTable() {}
}
