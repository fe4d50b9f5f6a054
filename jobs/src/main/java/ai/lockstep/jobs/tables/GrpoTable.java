package ai.lockstep.jobs.tables;

import static org.apache.spark.sql.types.DataTypes.BooleanType;
import static org.apache.spark.sql.types.DataTypes.DoubleType;
import static org.apache.spark.sql.types.DataTypes.FloatType;
import static org.apache.spark.sql.types.DataTypes.IntegerType;
import static org.apache.spark.sql.types.DataTypes.LongType;
import static org.apache.spark.sql.types.DataTypes.StringType;
import static org.apache.spark.sql.types.DataTypes.createArrayType;

/**
 * {@code grpo}: one row a sample that was decoded and judged, with all that an offline trainer
 * needs to learn from it.
 *
 * <p>The arrays are parallel to {@code token_ids}. The state that the model saw before its pass f
 * is the prompt, then {@code token_ids} with the mask token wherever {@code commit_nfe} is f or
 * more, after every entry of {@code overwritten} with an {@code nfe} below f was written where no
 * later entry or token replaced it.
 */
public final class GrpoTable {

  /** The declaration. */
  public static final Table TABLE =
      Table.named("grpo")
          .required("run_id", StringType, "run that decoded and judged the row")
          .required("dataset", StringType, "dataset.name")
          .required("sample_id", StringType, "config_id, /, task_id, # and sample_index")
          .required(
              "group_id", StringType, "config_id, / and task_id; with rl.group=task the task_id")
          .required("task_id", StringType, "task id")
          .required("sample_index", IntegerType, "sample within the group, from 0")
          .as(CompletionsTable.TABLE, "input_index")
          .required("prompt", StringType, "the prompt before the chat template")
          .as(CompletionsTable.TABLE, "prompt_ids")
          .required(
              "blocks",
              createArrayType(CompletionsTable.BLOCK, false),
              "filled spans, R and A or A; what lies between them are the markers' ids")
          .required(
              "token_ids",
              createArrayType(IntegerType, false),
              "completion from the prompt's end, markers included")
          .required("response", StringType, "the completion's text without special tokens")
          .as(CompletionsTable.TABLE, "text_r")
          .required("text_a", StringType, "text of block A up to its first eos")
          .required("passed_base", BooleanType, "the base tests pass")
          .required("passed_plus", BooleanType, "base and plus tests pass")
          .required("outcome", StringType, "as in scores: passed, wrong_answer, exception, ...")
          .required("tampered", BooleanType, "the program tried to forge its verdict")
          .required("program_sha256", StringType, "hex digest of the program that was run")
          .required("reward_plus", DoubleType, "part: 1 when base and plus pass, untampered")
          .required("reward_base", DoubleType, "part: 1 when base passes, untampered")
          .required(
              "reward_tests",
              DoubleType,
              "part: share of tests passed, 0..1, untampered; up to the first failure with fail_fast")
          .required("reward_format", DoubleType, "part: 1 when R and A hold text and A a program")
          .required("reward_length", DoubleType, "part: share of positions left behind eos, 0..1")
          .required("reward_tamper", DoubleType, "part: 1 when tampered")
          .required("reward", DoubleType, "sum of rl.rewards' weights times the parts")
          .required("group_samples", LongType, "samples of the group")
          .required("group_mean", DoubleType, "mean reward of the group")
          .required("group_std", DoubleType, "standard deviation with n - 1; 0 for one sample")
          .required("zero_spread", BooleanType, "all rewards of the group are equal")
          .optional(
              "duplicate_of",
              IntegerType,
              "first sample of the group with the same token_ids; null for that one")
          .required("advantage_grpo", DoubleType, "(reward - mean) / (std + 1e-6)")
          .required("advantage_dr_grpo", DoubleType, "reward - mean")
          .required("advantage_rloo", DoubleType, "reward - mean of the group's others")
          .required("advantage", DoubleType, "the one of rl.advantage, cut at rl.advantage_clip")
          .required("decoder", StringType, "decode and model.generation of the run as JSON")
          .as(
              CompletionsTable.TABLE,
              "seed",
              "model",
              "model_digest",
              "nfe",
              "tokens_r",
              "tokens_a",
              "forced_commits",
              "fill_rate",
              "tokens_per_nfe",
              "ar_ness_local",
              "ar_ness_global",
              "replayable",
              "commit_block",
              "commit_sweep",
              "commit_nfe",
              "commit_kind",
              "commit_p",
              "commit_logp",
              "commit_score",
              "loss_mask")
          .optional(
              "logp_d1",
              createArrayType(FloatType, false),
              "per token: d1's estimate of ln p; NaN for markers; null unless rl.logprobs=d1")
          .optional(
              "d1_prompt_mask",
              createArrayType(BooleanType, false),
              "per token of prompt_ids: hidden for logp_d1; null without it")
          .optional(
              "logp_coupled",
              createArrayType(FloatType, false),
              "per token: the coupled estimate, of use in differences; NaN for markers; null unless rl.logprobs=coupled")
          .optional(
              "coupled_mask",
              createArrayType(BooleanType, false),
              "per token: hidden in the first of the coupled pair; null without logp_coupled")
          .optional(
              "coupled_t", FloatType, "probability coupled_mask was drawn with, 0.2..0.8; or null")
          .optional(
              "logp_full",
              createArrayType(FloatType, false),
              "per token: ln p with all of the completion hidden; NaN for markers; null without logp_coupled")
          .as(CompletionsTable.TABLE, "overwritten", Table.PARTITION)
          .declared();

  private GrpoTable() {}
}
