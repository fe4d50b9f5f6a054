package ai.lockstep.jobs.grpo;

import ai.lockstep.jobs.config.RewardWeights;
import ai.lockstep.jobs.config.RlConfig;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/** Rewards samples and compares them within their groups. Driver only. */
final class GroupComparison {

  private GroupComparison() {}

  /**
   * The decoded and judged samples with the parts of their reward, their reward and their
   * advantages; see {@code rewards.sql} and {@code advantages.sql}.
   *
   * @param completions rows of {@code completions}
   * @param scores rows of {@code scores}
   */
  static Dataset<Row> of(
      SparkSession spark, Dataset<Row> completions, Dataset<Row> scores, RlConfig rl) {
    completions.createOrReplaceTempView("completions");
    scores.createOrReplaceTempView("scores");
    GroupQuery.REWARDS.run(spark, weights(rl.rewards())).createOrReplaceTempView("rewards");
    return GroupQuery.ADVANTAGES.run(
        spark,
        Map.of(
            "advantage",
            rl.advantage().spelling(),
            "clip",
            rl.advantageClip().orElse(Double.MAX_VALUE),
            "group",
            rl.group().name().toLowerCase(Locale.ROOT)));
  }

  /** The parameters of a query that weighs the parts of rewards. */
  static Map<String, Object> weights(RewardWeights rewards) {
    Map<String, Object> weights = new HashMap<>();
    for (RewardWeights.Part part : RewardWeights.Part.values()) {
      weights.put(part.spelling(), rewards.of(part));
    }
    return weights;
  }
}
