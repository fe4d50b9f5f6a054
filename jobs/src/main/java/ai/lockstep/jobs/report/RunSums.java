package ai.lockstep.jobs.report;

import ai.lockstep.jobs.tables.Table;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import org.apache.spark.sql.Row;

/** The sums of a run's tables that a report shows, made by Spark. Driver only. */
final class RunSums {

  private final RunTables run;
  private final CompletableFuture<List<TaskSum>> tasks;
  private final CompletableFuture<List<Row>> passes;
  private final CompletableFuture<List<Row>> confidence;

  private RunSums(RunTables run) {
    this.run = run;
    this.tasks =
        ReportQuery.DECODED
            .ask(run.spark())
            .thenCombine(ReportQuery.JUDGED.ask(run.spark()), TaskSum::of);
    this.confidence = ReportQuery.CONFIDENCE.ask(run.spark());
    this.passes = ReportQuery.PASSES.ask(run.spark());
  }

  /** Has them made; each is waited for when it is first asked for. */
  static RunSums of(RunTables run) {
    return new RunSums(run);
  }

  RunTables run() {
    return run;
  }

  /** In the order of the benchmark. */
  List<TaskSum> tasks() {
    return tasks.join();
  }

  /** The answers of {@link ReportQuery#PASSES} by config id. */
  Map<String, List<Row>> passes() {
    return byConfig(passes.join());
  }

  /** The answers of {@link ReportQuery#CONFIDENCE} by config id. */
  Map<String, List<Row>> confidence() {
    return byConfig(confidence.join());
  }

  private static Map<String, List<Row>> byConfig(List<Row> rows) {
    return rows.stream().collect(Collectors.groupingBy(row -> row.<String>getAs(Table.PARTITION)));
  }
}
