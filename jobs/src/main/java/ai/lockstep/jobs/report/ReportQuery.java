package ai.lockstep.jobs.report;

import ai.lockstep.jobs.run.PackagedFile;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/** A query that ships as a .sql file of this package; the file says what it reads and answers. */
enum ReportQuery {
  DECODED,
  JUDGED,
  PASSES,
  CONFIDENCE,
  COMPLETIONS,
  SCORES;

  /**
   * Asks, over the views that the session shows now, and lets Spark work on it: on small runs it
   * spends most of its time on planning, which uses one core.
   */
  CompletableFuture<List<Row>> ask(SparkSession spark) {
    return ask(spark, UnaryOperator.identity());
  }

  /** Asks for a part of the answer. */
  CompletableFuture<List<Row>> ask(SparkSession spark, UnaryOperator<Dataset<Row>> part) {
    Dataset<Row> answer =
        part.apply(
            spark.sql(
                PackagedFile.text(ReportQuery.class, name().toLowerCase(Locale.ROOT) + ".sql")));
    return collect(answer);
  }

  /** Has Spark collect an answer, on a thread that inherits what the caller's has of Spark. */
  static CompletableFuture<List<Row>> collect(Dataset<Row> answer) {
    return behind(answer::collectAsList);
  }

  /** Does work with Spark on a thread of its own, as {@link #collect} does. */
  static <T> CompletableFuture<T> behind(Supplier<T> work) {
    return CompletableFuture.supplyAsync(work, ReportQuery::start);
  }

  private static void start(Runnable task) {
    Thread thread = new Thread(task, "lockstep-report");
    thread.setDaemon(true);
    thread.start();
  }
}
