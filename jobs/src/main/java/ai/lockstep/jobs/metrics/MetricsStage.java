package ai.lockstep.jobs.metrics;

import ai.lockstep.harness.estimate.PassAtK;
import ai.lockstep.harness.estimate.PassInterval;
import ai.lockstep.harness.estimate.TaskTally;
import ai.lockstep.jobs.tables.CompletionsTable;
import ai.lockstep.jobs.tables.MetricsTable;
import ai.lockstep.jobs.tables.RowBuilder;
import ai.lockstep.jobs.tables.ScoresTable;
import ai.lockstep.jobs.tables.Table;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.jspecify.annotations.Nullable;

/** Computes {@code metrics} from {@code completions} and {@code scores}. Driver only. */
public final class MetricsStage {

  /** Fixed, so that the same tables always give the same interval. */
  private static final long INTERVAL_SEED = 0;

  private static final List<String> DECODING_COLUMNS =
      List.of(
          "empty_answer_rate",
          "fill_rate",
          "fill_rate_r",
          "fill_rate_a",
          "tokens_per_pass",
          "forced_commit_rate",
          "ar_ness_local",
          "ar_ness_global",
          "passes_per_row",
          "tokens_per_second",
          "raw_tokens_per_second",
          "decode_seconds");

  private MetricsStage() {}

  /** The verdicts of one task under one configuration. */
  private record TaskVerdicts(
      TaskTally base, TaskTally plus, long plusJudged, long tampered, long unjudged) {}

  /**
   * Replaces the rows of the given configurations.
   *
   * @return the rows, in the order of {@code configIds}
   */
  public static List<Row> run(
      SparkSession spark, String runId, String dataset, List<String> configIds, String outputDir) {
    List<Row> rows = compute(spark, runId, dataset, configIds, outputDir);
    MetricsTable.TABLE.replace(spark.createDataFrame(rows, MetricsTable.TABLE.schema()), outputDir);
    return rows;
  }

  /** The rows as the other tables are now; writes nothing. */
  public static List<Row> compute(
      SparkSession spark, String runId, String dataset, List<String> configIds, String outputDir) {
    CompletionsTable.TABLE.read(spark, outputDir).createOrReplaceTempView("completions");
    ScoresTable.TABLE.read(spark, outputDir).createOrReplaceTempView("scores");
    Map<String, Row> decoding = new LinkedHashMap<>();
    for (Row row : spark.sql(NamedQuery.DECODING.sql()).collectAsList()) {
      decoding.put(row.getAs(Table.PARTITION), row);
    }
    Map<String, List<TaskVerdicts>> verdicts = new LinkedHashMap<>();
    for (Row row : spark.sql(NamedQuery.VERDICTS.sql()).collectAsList()) {
      verdicts
          .computeIfAbsent(row.getAs(Table.PARTITION), id -> new ArrayList<>())
          .add(verdicts(row));
    }
    List<Row> rows = new ArrayList<>();
    for (String configId : configIds) {
      RowBuilder row =
          MetricsTable.TABLE
              .row()
              .set("run_id", runId)
              .set("dataset", dataset)
              .set(Table.PARTITION, configId);
      setVerdicts(row, verdicts.getOrDefault(configId, List.of()));
      setDecoding(row, decoding.get(configId));
      rows.add(row.build());
    }
    return rows;
  }

  private static TaskVerdicts verdicts(Row row) {
    int samples = Math.toIntExact(row.<Long>getAs("samples"));
    return new TaskVerdicts(
        new TaskTally(samples, Math.toIntExact(row.<Long>getAs("base"))),
        new TaskTally(samples, Math.toIntExact(row.<Long>getAs("plus"))),
        row.getAs("plus_judged"),
        row.getAs("tampered"),
        row.getAs("unjudged"));
  }

  private static void setVerdicts(RowBuilder row, List<TaskVerdicts> tasks) {
    row.set("tasks", tasks.size())
        .set("samples", tasks.stream().mapToLong(task -> task.base.samples()).sum())
        .set("tampered", tasks.stream().mapToLong(TaskVerdicts::tampered).sum())
        .set("unjudged", tasks.stream().mapToLong(TaskVerdicts::unjudged).sum());
    setPassAtK(row, "base", tasks.stream().map(TaskVerdicts::base).toList());
    // With harness.base_only=true there is no plus to speak of.
    if (tasks.stream().allMatch(task -> task.plusJudged == task.plus.samples())) {
      setPassAtK(row, "plus", tasks.stream().map(TaskVerdicts::plus).toList());
    }
  }

  private static void setPassAtK(RowBuilder row, String tests, List<TaskTally> tallies) {
    if (tallies.isEmpty()) {
      return;
    }
    for (int k : PassAtK.REPORTED) {
      row.set("pass_at_%d_%s".formatted(k, tests), orNull(PassAtK.mean(tallies, k)));
    }
    PassInterval interval = PassInterval.of(tallies, INTERVAL_SEED);
    row.set("pass_at_1_%s_low".formatted(tests), interval.low());
    row.set("pass_at_1_%s_high".formatted(tests), interval.high());
  }

  private static @Nullable Double orNull(OptionalDouble value) {
    return value.isPresent() ? value.getAsDouble() : null;
  }

  /** Nothing was decoded when a samples file was scored: those columns stay null. */
  private static void setDecoding(RowBuilder row, @Nullable Row decoding) {
    row.set("failed_rows", decoding == null ? 0L : decoding.<Long>getAs("failed_rows"));
    if (decoding != null) {
      for (String column : DECODING_COLUMNS) {
        Object value = decoding.getAs(column);
        row.set(column, value == null ? null : ((Number) value).doubleValue());
      }
    }
  }
}
