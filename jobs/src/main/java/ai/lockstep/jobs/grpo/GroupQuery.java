package ai.lockstep.jobs.grpo;

import ai.lockstep.jobs.run.PackagedFile;
import java.util.Locale;
import java.util.Map;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/** A query that ships as a .sql file of this package; the file says what it reads. */
enum GroupQuery {
  REWARDS,
  ADVANTAGES,
  QUALITY,
  REWARD_DISTRIBUTION,
  DRIFT,
  DRIFT_DISTRIBUTION,
  VERL,
  FLAT,
  DLLM_RL;

  /** Runs the query over the session's views. */
  Dataset<Row> run(SparkSession spark, Map<String, Object> parameters) {
    return spark.sql(sql(), parameters);
  }

  private String sql() {
    return resource(name().toLowerCase(Locale.ROOT) + ".sql");
  }

  /** The text of a file of this package. */
  static String resource(String file) {
    return PackagedFile.text(GroupQuery.class, file);
  }
}
