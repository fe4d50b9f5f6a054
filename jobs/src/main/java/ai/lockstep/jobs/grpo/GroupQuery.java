package ai.lockstep.jobs.grpo;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
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
    try (InputStream in = GroupQuery.class.getResourceAsStream(file)) {
      if (in == null) {
        throw new IllegalStateException("No resource " + file);
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
