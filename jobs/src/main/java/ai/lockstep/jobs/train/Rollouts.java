package ai.lockstep.jobs.train;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.expr;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.xxhash64;

import ai.lockstep.failure.LockstepException;
import ai.lockstep.jobs.decoding.LocatedModel;
import ai.lockstep.jobs.run.RunFolder;
import ai.lockstep.jobs.tables.GrpoTable;
import ai.lockstep.udf.model.ModelSpec;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/**
 * Rollouts that a policy can learn from: those of its own, with estimates, in groups that have
 * spread. Driver only; read row by row.
 */
public final class Rollouts {

  private final Dataset<Row> rows;

  private Rollouts(Dataset<Row> rows) {
    this.rows = rows;
  }

  /**
   * Opens a rollout's {@code grpo}.
   *
   * @throws LockstepException when there are no rollouts, they were sampled from another model, or
   *     nothing in them can be learnt from
   */
  public static Rollouts open(SparkSession spark, String folder, LocatedModel model) {
    Dataset<Row> all = GrpoTable.TABLE.read(spark, folder);
    if (!RunFolder.isThere(folder, spark.sessionState().newHadoopConf()) || all.isEmpty()) {
      throw LockstepException.user(
          "Cannot train on train.rollouts=%s: no rollouts are there. Name the output.dir of a rollout."
              .formatted(folder));
    }
    List<Row> others =
        all.where(col("model_digest").notEqual(model.revision()))
            .select("model", "model_digest")
            .distinct()
            .limit(1)
            .collectAsList();
    if (!others.isEmpty()) {
      throw LockstepException.user(
          "Cannot train %s (%s) on train.rollouts=%s: they were sampled from %s (%s), whose ratios would mean nothing. Roll out again, or choose that model."
              .formatted(
                  model.name(),
                  model.revision(),
                  folder,
                  others.get(0).getString(0),
                  others.get(0).getString(1)));
    }
    Dataset<Row> estimated =
        all.where(col("logp_coupled").isNotNull().or(col("logp_d1").isNotNull()));
    if (estimated.isEmpty()) {
      throw LockstepException.user(
          "Cannot train on train.rollouts=%s: its samples have no estimates of log-probabilities. Repeat the rollout's command with rl.logprobs=coupled; nothing is decoded again."
              .formatted(folder));
    }
    Dataset<Row> taught = estimated.where("NOT zero_spread AND advantage <> 0");
    if (taught.isEmpty()) {
      throw LockstepException.user(
          "Cannot train on train.rollouts=%s: the rewards of every group are equal, which teaches nothing. Roll out hotter, or more samples a task."
              .formatted(folder));
    }
    return new Rollouts(taught);
  }

  /** Samples to learn from. */
  public long count() {
    return rows.count();
  }

  /** Tells other samples, advantages or another model from these. */
  String fingerprint() {
    return rows.agg(expr("hex(bit_xor(xxhash64(sample_id, model_digest, advantage)))"))
        .head()
        .getString(0);
  }

  /** Tasks among them. */
  public long tasks() {
    return rows.select("task_id").distinct().count();
  }

  /** The samples in an order that seed and epoch decide alone. */
  Iterator<TrainingSample> shuffled(long seed, int epoch, ModelSpec spec) {
    Iterator<Row> ordered =
        rows.select(
                "sample_id",
                "prompt_ids",
                "token_ids",
                "commit_block",
                "loss_mask",
                "reward",
                "advantage",
                "logp_coupled",
                "coupled_mask",
                "coupled_t",
                "logp_d1",
                "d1_prompt_mask")
            .orderBy(xxhash64(col("sample_id"), lit(seed), lit(epoch)))
            .toLocalIterator();
    return new Iterator<>() {
      @Override
      public boolean hasNext() {
        return ordered.hasNext();
      }

      @Override
      public TrainingSample next() {
        return TrainingSample.of(ordered.next(), spec);
      }
    };
  }
}
