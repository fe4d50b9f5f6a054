package ai.lockstep.jobs.report;

import ai.lockstep.failure.LockstepException;
import ai.lockstep.jobs.config.RunConfig;
import ai.lockstep.jobs.metrics.MetricsStage;
import ai.lockstep.jobs.run.RunFolder;
import ai.lockstep.jobs.run.RunManifest;
import ai.lockstep.jobs.tables.CompletionsTable;
import ai.lockstep.jobs.tables.MetricsTable;
import ai.lockstep.jobs.tables.RunsTable;
import ai.lockstep.jobs.tables.ScoresTable;
import ai.lockstep.jobs.tables.StepsTable;
import ai.lockstep.jobs.tables.Table;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/**
 * A run's folder, as a report reads it. Driver only.
 *
 * @param spark a session whose views show the run
 * @param location the folder
 * @param manifest whose run it is
 * @param metrics the rows of {@code metrics}, one a configuration, in the order of their labels
 */
record RunTables(SparkSession spark, String location, RunManifest manifest, List<Row> metrics) {

  /** Some 10,000 samples. */
  private static final long FEW_BYTES = 64L << 20;

  private static final List<Table> TABLES =
      List.of(RunsTable.TABLE, CompletionsTable.TABLE, StepsTable.TABLE, ScoresTable.TABLE);

  /**
   * Opens a run that may still be going on: its metrics are computed anew.
   *
   * @throws LockstepException when no run is there
   */
  static RunTables open(SparkSession spark, String location) {
    RunManifest manifest = RunFolder.manifest(location, spark.sessionState().newHadoopConf());
    SparkSession session = session(spark, location);
    List<Row> metrics =
        MetricsStage.compute(
            session,
            manifest.runId(),
            manifest.dataset(),
            List.copyOf(manifest.configs().keySet()),
            location);
    return shown(session, location, manifest, metrics);
  }

  /** A run whose metrics are at hand. */
  static RunTables of(
      SparkSession spark, String location, RunManifest manifest, List<Row> metrics) {
    return shown(session(spark, location), location, manifest, metrics);
  }

  private static RunTables shown(
      SparkSession session, String location, RunManifest manifest, List<Row> metrics) {
    Map<String, String> labels = manifest.labels();
    List<Row> sorted =
        metrics.stream()
            .sorted(Comparator.comparing(row -> labels.get(row.<String>getAs(Table.PARTITION))))
            .toList();
    RunTables run = new RunTables(session, location, manifest, sorted);
    run.show();
    return run;
  }

  /**
   * A session of its own, so that the caller's views and settings stay. Over few bytes Spark's time
   * goes into generating and compiling code and into planning stage by stage: both are left out.
   */
  private static SparkSession session(SparkSession spark, String location) {
    SparkSession session = spark.newSession();
    if (TABLES.stream().mapToLong(table -> table.bytes(session, location)).sum() < FEW_BYTES) {
      session.conf().set("spark.sql.codegen.wholeStage", "false");
      session.conf().set("spark.sql.adaptive.enabled", "false");
      session.conf().set("spark.sql.shuffle.partitions", "2");
    }
    return session;
  }

  /** Makes the session's views show this run. */
  private void show() {
    for (Table table : TABLES) {
      table.read(spark, location).createOrReplaceTempView(table.name());
    }
    spark
        .createDataFrame(metrics, MetricsTable.TABLE.schema())
        .createOrReplaceTempView(MetricsTable.TABLE.name());
  }

  /** Any of the run's configurations: they share dataset and model. */
  RunConfig anyConfig(ObjectNode rest) {
    return RunConfig.of(manifest.config(manifest.configs().keySet().iterator().next(), rest));
  }
}
