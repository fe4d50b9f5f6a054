package ai.lockstep.jobs.scoring;

import ai.lockstep.datasets.Benchmark;
import ai.lockstep.datasets.Task;
import ai.lockstep.harness.evalplus.EvalResultWriter;
import ai.lockstep.harness.evalplus.FailTests;
import ai.lockstep.harness.evalplus.SampleResult;
import ai.lockstep.jobs.config.HarnessConfig;
import ai.lockstep.jobs.config.RunConfig;
import ai.lockstep.jobs.run.RunFolder;
import ai.lockstep.jobs.tables.ScoresTable;
import ai.lockstep.jobs.tables.Table;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.expressions.Window;
import org.apache.spark.sql.functions;
import org.jspecify.annotations.Nullable;

/** Writes {@code scores} as EvalPlus writes its {@code eval_results.json}. Driver only. */
public final class EvalPlusResultFile {

  private static final String NAME = "eval_results.json";

  private EvalPlusResultFile() {}

  /**
   * Writes the file of one configuration: tasks in the order in which the input names them first, a
   * task's samples in the order of the input.
   *
   * @param within folder below the run's folder, with a slash behind; empty for that folder itself
   */
  public static void write(
      SparkSession spark, RunConfig config, Benchmark benchmark, RunFolder folder, String within)
      throws IOException {
    Dataset<Row> scores =
        ScoresTable.TABLE
            .read(spark, folder.location())
            .where(functions.col(Table.PARTITION).equalTo(config.configId()));
    // Here first: the run's folder may lie on any file system that Hadoop knows.
    Path temporary = Files.createTempDirectory("lockstep");
    Path file = temporary.resolve(NAME);
    try {
      write(scores, benchmark, config.harness(), file);
      folder.write(within + NAME, out -> Files.copy(file, out));
    } finally {
      Files.deleteIfExists(file);
      Files.deleteIfExists(temporary);
    }
  }

  private static void write(
      Dataset<Row> scores, Benchmark benchmark, HarnessConfig harness, Path file) {
    Iterator<Row> rows =
        scores
            .withColumn(
                "first_index",
                functions.min("input_index").over(Window.partitionBy(functions.col("task_id"))))
            .orderBy("first_index", "input_index", "sample_index")
            .toLocalIterator();
    try (EvalResultWriter writer =
        EvalResultWriter.create(file, LocalDateTime.now(), benchmark.md5())) {
      List<SampleResult> results = new ArrayList<>();
      while (rows.hasNext()) {
        SampleResult result = result(rows.next(), benchmark, harness);
        if (!results.isEmpty() && !results.get(0).taskId().equals(result.taskId())) {
          writer.add(results.get(0).taskId(), results);
          results = new ArrayList<>();
        }
        results.add(result);
      }
      if (!results.isEmpty()) {
        writer.add(results.get(0).taskId(), results);
      }
      writer.finish();
    }
  }

  private static SampleResult result(Row row, Benchmark benchmark, HarnessConfig harness) {
    Task task = benchmark.task(row.getAs("task_id")).orElseThrow();
    String base = row.getAs("base_status");
    Optional<String> plus = Optional.ofNullable(row.getAs("plus_status"));
    return new SampleResult(
        task.taskId(),
        row.getAs("program"),
        base,
        plus,
        failTests(task.baseInputJson(), base, row.getAs("base_details"), harness),
        plus.map(
                status ->
                    failTests(task.plusInputJson(), status, row.getAs("plus_details"), harness))
            .orElse(List.of()));
  }

  private static List<String> failTests(
      String testsJson, String status, @Nullable String details, HarnessConfig harness) {
    if (status.equals(SampleResult.PASS) || details == null || details.isEmpty()) {
      return List.of();
    }
    return harness.failFast()
        ? FailTests.lastFinished(testsJson, details)
        : FailTests.everyFailed(testsJson, details);
  }
}
