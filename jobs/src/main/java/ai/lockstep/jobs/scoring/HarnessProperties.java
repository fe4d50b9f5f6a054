package ai.lockstep.jobs.scoring;

import ai.lockstep.jobs.config.Composer;
import ai.lockstep.jobs.config.Composition;
import ai.lockstep.jobs.config.ConfigSource;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.SparkConf;
import scala.Tuple2;

/**
 * The harness of an application that has no configuration of lockstep's: {@code
 * spark.lockstep.harness.KEY} stands for {@code harness.KEY}, the rest is as in {@code conf/}.
 */
final class HarnessProperties {

  private static final String PREFIX = "spark.lockstep.harness.";

  private HarnessProperties() {}

  /** The properties that are set, as overrides. */
  static List<String> overrides(SparkConf conf) {
    List<String> overrides = new ArrayList<>();
    for (Tuple2<String, String> property : conf.getAllWithPrefix(PREFIX)) {
      overrides.add("harness.%s=%s".formatted(property._1(), property._2()));
    }
    return overrides;
  }

  /**
   * The configuration.
   *
   * @throws ai.lockstep.failure.LockstepException for a key or value that the harness does not have
   */
  static Composition compose(List<String> overrides) {
    return new Composer(ConfigSource.bundled()).compose("config", overrides);
  }
}
