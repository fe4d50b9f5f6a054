package ai.lockstep.jobs.report;

import ai.lockstep.jobs.run.PackagedFile;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/** A query that ships as a .sql file of this package; the file says what it reads and answers. */
enum ReportQuery {
  TASKS,
  PASSES,
  CONFIDENCE,
  SAMPLES;

  /** The answer, over the session's views; small, or cut by a parameter. */
  List<Row> ask(SparkSession spark, Map<String, Object> parameters) {
    return spark
        .sql(
            PackagedFile.text(ReportQuery.class, name().toLowerCase(Locale.ROOT) + ".sql"),
            parameters)
        .collectAsList();
  }

  List<Row> ask(SparkSession spark) {
    return ask(spark, Map.of());
  }
}
