package ai.lockstep.jobs.scoring;

import ai.lockstep.jobs.config.HarnessConfig;
import ai.lockstep.jobs.config.RunConfig;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.Serializable;
import java.util.OptionalInt;
import org.apache.spark.SparkContext;
import org.apache.spark.sql.SparkSession;

/**
 * What an executor needs to open its harness. Serialised: yes, with the configuration as JSON.
 *
 * @param config the resolved configuration
 * @param coresOrZero programs an executor runs at once; 0 for all processors of its machine
 */
record ExecutorSettings(String config, int coresOrZero) implements Serializable {

  /** The settings for the executors of a session. */
  static ExecutorSettings of(SparkSession spark, String config) {
    SparkContext context = spark.sparkContext();
    int cores =
        context.isLocal()
            ? context.defaultParallelism()
            : context.getConf().getInt("spark.executor.cores", 0);
    return new ExecutorSettings(config, cores);
  }

  /** The configuration's {@code harness} part. */
  HarnessConfig harness() {
    try {
      return RunConfig.of((ObjectNode) new ObjectMapper().readTree(config)).harness();
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("the driver sent a configuration that is not JSON", e);
    }
  }

  /** Programs to run at once; empty for all processors. */
  OptionalInt cores() {
    return coresOrZero == 0 ? OptionalInt.empty() : OptionalInt.of(coresOrZero);
  }
}
