package ai.lockstep.jobs.tables;

import static org.apache.spark.sql.types.DataTypes.BooleanType;
import static org.apache.spark.sql.types.DataTypes.DoubleType;
import static org.apache.spark.sql.types.DataTypes.FloatType;
import static org.apache.spark.sql.types.DataTypes.IntegerType;
import static org.apache.spark.sql.types.DataTypes.StringType;
import static org.apache.spark.sql.types.DataTypes.createArrayType;

/**
 * {@code logprobs}: one row a sample and estimate; what {@code rl.logprobs} asked the model beyond
 * decoding. {@link GrpoTable} has the columns under the estimate's name.
 */
public final class LogProbsTable {

  /** The declaration. */
  public static final Table TABLE =
      Table.named("logprobs")
          .required("run_id", StringType, "run that made the estimate")
          .required("task_id", StringType, "task id")
          .required("sample_index", IntegerType, "sample within the task, from 0")
          .required("method", StringType, "'d1' or 'coupled'")
          .required("prompt_mask", DoubleType, "rl.d1_prompt_mask; 0 for coupled")
          .required("logp", createArrayType(FloatType, false), "per token; NaN for markers")
          .optional(
              "logp_full",
              createArrayType(FloatType, false),
              "per token, all of the completion hidden; NaN for markers; null for d1")
          .required(
              "hidden",
              createArrayType(BooleanType, false),
              "d1: per token of the prompt; coupled: per token of the completion, first of the pair")
          .required("ratio", FloatType, "probability that hidden was drawn with")
          .required("passes", IntegerType, "full passes of the model that the row took")
          .required(Table.PARTITION, StringType, "digest of the configuration")
          .declared();

  private LogProbsTable() {}
}
