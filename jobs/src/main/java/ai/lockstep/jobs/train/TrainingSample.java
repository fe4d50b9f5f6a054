package ai.lockstep.jobs.train;

import ai.lockstep.jobs.decoding.CompletedTokens;
import ai.lockstep.udf.model.ModelSpec;
import ai.lockstep.udf.rollout.LogProbabilityEstimate;
import java.util.List;
import org.apache.spark.sql.Row;

/**
 * A rolled-out sample as the trainer needs it. Arrays are over the tokens of R and A, in order.
 *
 * @param id {@code sample_id}
 * @param reward of the sample
 * @param advantage of all its tokens
 * @param estimate asks a policy about the sample, with the tokens hidden that the old one was asked
 *     about
 * @param learnt {@code loss_mask}
 * @param old estimate of the policy that rolled out
 */
record TrainingSample(
    String id,
    double reward,
    double advantage,
    LogProbabilityEstimate estimate,
    boolean[] learnt,
    float[] old) {

  /** Reads a row of {@code grpo} with one of its estimates. */
  static TrainingSample of(Row row, ModelSpec spec) {
    CompletedTokens completed = CompletedTokens.of(row);
    int[] tokens = completed.tokens();
    int[] indexes = completed.indexes();
    int[] positions = completed.positions();
    boolean coupled = !row.isNullAt(row.fieldIndex("logp_coupled"));
    LogProbabilityEstimate estimate =
        coupled
            ? LogProbabilityEstimate.coupled(
                tokens,
                positions,
                at(flags(row, "coupled_mask"), indexes),
                row.<Float>getAs("coupled_t"),
                spec)
            : LogProbabilityEstimate.ofHiddenPrompt(
                tokens, positions, flags(row, "d1_prompt_mask"), spec);
    List<Float> stored = row.getList(row.fieldIndex(coupled ? "logp_coupled" : "logp_d1"));
    float[] old = new float[indexes.length];
    for (int k = 0; k < old.length; k++) {
      old[k] = stored.get(indexes[k]);
    }
    return new TrainingSample(
        row.getAs("sample_id"),
        row.<Double>getAs("reward"),
        row.<Double>getAs("advantage"),
        estimate,
        at(flags(row, "loss_mask"), indexes),
        old);
  }

  /** Tokens that are learnt from. */
  int learntCount() {
    int count = 0;
    for (boolean flag : learnt) {
      count += flag ? 1 : 0;
    }
    return count;
  }

  private static boolean[] at(boolean[] flags, int[] indexes) {
    boolean[] chosen = new boolean[indexes.length];
    for (int k = 0; k < chosen.length; k++) {
      chosen[k] = flags[indexes[k]];
    }
    return chosen;
  }

  private static boolean[] flags(Row row, String column) {
    List<Boolean> values = row.getList(row.fieldIndex(column));
    boolean[] flags = new boolean[values.size()];
    for (int i = 0; i < flags.length; i++) {
      flags[i] = values.get(i);
    }
    return flags;
  }
}
