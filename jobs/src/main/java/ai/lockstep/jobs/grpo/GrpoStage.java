package ai.lockstep.jobs.grpo;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.concat;
import static org.apache.spark.sql.functions.lit;

import ai.lockstep.failure.LockstepException;
import ai.lockstep.jobs.config.RewardWeights;
import ai.lockstep.jobs.config.RlConfig;
import ai.lockstep.jobs.config.RunConfig;
import ai.lockstep.jobs.decoding.EstimateStage;
import ai.lockstep.jobs.run.PlannedRun;
import ai.lockstep.jobs.tables.CompletionsTable;
import ai.lockstep.jobs.tables.GrpoTable;
import ai.lockstep.jobs.tables.ScoresTable;
import ai.lockstep.jobs.tables.Table;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Arrays;
import java.util.List;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;

/**
 * Writes {@code grpo} from {@code completions} and {@code scores}. It is derived: written anew each
 * time, so a change of weights decodes nothing. Driver only.
 */
public final class GrpoStage {

  private GrpoStage() {}

  /**
   * Checks what can be checked before anything is decoded.
   *
   * @throws LockstepException naming the keys that do not go together
   */
  public static void check(List<PlannedRun> runs) {
    RlConfig rl = runs.get(0).config().rl();
    if (runs.size() > 1 && rl.group() == RlConfig.Group.CONFIG) {
      throw LockstepException.user(
          "Cannot sweep with rollout and rl.group=config: the trainers' files hold one configuration. Use one rollout for each, or compare all samples of a task with rl.group=task.");
    }
    runs.forEach(run -> check(run.config()));
  }

  private static void check(RunConfig config) {
    RlConfig rl = config.rl();
    int samples = config.model().generation().n();
    double temperature = config.model().generation().temperature();
    if (samples != rl.samples()) {
      throw LockstepException.user(
          "Cannot roll out with model.generation.n=%d and rl.samples=%d: a group is what is sampled of a task. Give rl.samples alone."
              .formatted(samples, rl.samples()));
    }
    if (temperature == 0 && rl.greedy() == RlConfig.Greedy.REFUSED) {
      throw LockstepException.user(
          "Cannot roll out %d samples a task with model.generation.temperature=0.0: all samples of a group would be equal. Set rl.temperature above 0, or insist with rl.allow_greedy=true."
              .formatted(samples));
    }
    EstimateStage.check(config);
    requireTests(config, RewardWeights.Part.PLUS, config.harness().baseOnly(), "base_only");
    requireTests(config, RewardWeights.Part.TESTS, config.harness().failFast(), "fail_fast");
  }

  private static void requireTests(
      RunConfig config, RewardWeights.Part part, boolean leavesOut, String key) {
    double weight = config.rl().rewards().of(part);
    if (leavesOut && weight != 0) {
      throw LockstepException.user(
          "Cannot reward by rl.rewards.%s=%s with harness.%s=true: not all of the tests run. Set harness.%s=false, or rl.rewards.%s=0."
              .formatted(part.spelling(), weight, key, key, part.spelling()));
    }
  }

  /** Writes the rows of a run's configurations. */
  public static void run(SparkSession spark, List<PlannedRun> runs, String outputDir) {
    RlConfig rl = runs.get(0).config().rl();
    Dataset<Row> compared =
        GroupComparison.of(
            spark,
            ofConfigs(CompletionsTable.TABLE.read(spark, outputDir), runs),
            ofConfigs(ScoresTable.TABLE.read(spark, outputDir), runs),
            rl);
    Dataset<Row> rows =
        EstimateStage.join(spark, compared, rl, outputDir)
            .withColumn(
                "sample_id",
                concat(
                    col(Table.PARTITION), lit("/"), col("task_id"), lit("#"), col("sample_index")))
            .withColumn("decoder", decoder(runs))
            .select(columns());
    GrpoTable.TABLE.replace(rows, outputDir);
  }

  /** Rows of the given configurations. */
  public static Dataset<Row> ofConfigs(Dataset<Row> rows, List<PlannedRun> runs) {
    return rows.where(col(Table.PARTITION).isin(PlannedRun.configIds(runs).toArray()));
  }

  private static Column decoder(List<PlannedRun> runs) {
    Column decoder = lit(decoder(runs.get(0)));
    for (PlannedRun run : runs) {
      decoder =
          functions
              .when(col(Table.PARTITION).equalTo(run.config().configId()), lit(decoder(run)))
              .otherwise(decoder);
    }
    return decoder;
  }

  private static Column[] columns() {
    return Arrays.stream(GrpoTable.TABLE.schema().fieldNames())
        .map(functions::col)
        .toArray(Column[]::new);
  }

  private static String decoder(PlannedRun run) {
    ObjectNode resolved = run.composition().resolved();
    ObjectNode decoder = JsonNodeFactory.instance.objectNode();
    decoder.set("decode", resolved.path("decode"));
    decoder.set("generation", resolved.path("model").path("generation"));
    return decoder.toString();
  }
}
