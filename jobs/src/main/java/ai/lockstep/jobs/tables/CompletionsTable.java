package ai.lockstep.jobs.tables;

import static org.apache.spark.sql.types.DataTypes.BooleanType;
import static org.apache.spark.sql.types.DataTypes.ByteType;
import static org.apache.spark.sql.types.DataTypes.DoubleType;
import static org.apache.spark.sql.types.DataTypes.FloatType;
import static org.apache.spark.sql.types.DataTypes.IntegerType;
import static org.apache.spark.sql.types.DataTypes.LongType;
import static org.apache.spark.sql.types.DataTypes.ShortType;
import static org.apache.spark.sql.types.DataTypes.StringType;
import static org.apache.spark.sql.types.DataTypes.TimestampType;
import static org.apache.spark.sql.types.DataTypes.createArrayType;

import java.util.List;
import org.apache.spark.sql.types.StructType;

/** {@code completions}: one row a sample, with everything its decoding leaves behind. */
public final class CompletionsTable {

  /** A filled span: name, first position counted from the start of the sequence, positions. */
  public static final StructType BLOCK =
      new StructType()
          .add("name", StringType, false)
          .add("start", IntegerType, false)
          .add("length", IntegerType, false);

  /** One forward pass of the row; see {@link StepsTable}. */
  public static final StructType PASS =
      new StructType()
          .add("nfe", IntegerType, false)
          .add("sweep", IntegerType, false)
          .add("blocks", StringType, false)
          .add("masks_before", IntegerType, false)
          .add("committed", IntegerType, false)
          .add("forced", IntegerType, false)
          .add("mean_p", FloatType, true)
          .add("wall_micros", LongType, false);

  /** A token that was committed and later overwritten, by an end token or a hook. */
  public static final StructType OVERWRITTEN =
      new StructType()
          .add("index", IntegerType, false)
          .add("token", IntegerType, false)
          .add("nfe", IntegerType, false);

  /** One committed token, also one that an end token overwrote later. */
  public static final StructType COMMIT =
      new StructType()
          .add("nfe", IntegerType, false)
          .add("position", IntegerType, false)
          .add("token", IntegerType, false)
          .add("p", FloatType, true)
          .add("score", FloatType, true)
          .add("block", StringType, false)
          .add("kind", StringType, false);

  /** The declaration. */
  public static final Table TABLE =
      Table.named("completions")
          .required("run_id", StringType, "run that decoded the row")
          .required("dataset", StringType, "dataset.name, or 'prompts' for a prompts file")
          .required("task_id", StringType, "task id, or the prompt's id")
          .required("sample_index", IntegerType, "sample within the task, from 0")
          .required("input_index", IntegerType, "place of the task in the input, from 0")
          .required("status", StringType, "'ok', or 'failed' when the row could not be decoded")
          .optional("error", StringType, "why the row failed; null when ok")
          .optional("prompt", StringType, "prompt as given to the tokenizer; null for prompt_ids")
          .required("prompt_ids", createArrayType(IntegerType, false), "ids of the prompt")
          .required(
              "token_ids",
              createArrayType(IntegerType, false),
              "generated ids from the prompt's end, markers included; empty when failed")
          .optional("text", StringType, "decoded token_ids up to their end; null when failed")
          .optional("text_r", StringType, "text of block R up to its first eos; null without R")
          .optional("text_a", StringType, "text of block A up to its first eos; null without A")
          .required("blocks", createArrayType(BLOCK, false), "spans that were filled, in order")
          .required("nfe", IntegerType, "forward passes the row took part in")
          .required("nfe_r", IntegerType, "passes that targeted block R while it had masks")
          .required("nfe_a", IntegerType, "passes that targeted block A while it had masks")
          .required("committed_r", IntegerType, "tokens committed in R, eos_fill not counted")
          .required("committed_a", IntegerType, "tokens committed in A, eos_fill not counted")
          .required("tokens_r", IntegerType, "tokens of R before its first eos")
          .required("tokens_a", IntegerType, "tokens of A before its first eos")
          .required("forced_commits", IntegerType, "tokens committed without meeting a threshold")
          .required("forced_passes", IntegerType, "passes in which nothing met a threshold")
          .required("empty_answer", BooleanType, "whether A has no token before its first eos")
          .optional(
              "fill_rate_r", DoubleType, "committed_r / (nfe_r x length of R); null without R")
          .optional(
              "fill_rate_a", DoubleType, "committed_a / (nfe_a x length of A); null without A")
          .optional(
              "fill_rate", DoubleType, "committed / (nfe x filled positions); null when nfe=0")
          .optional("tokens_per_nfe", DoubleType, "committed / nfe; null when nfe=0")
          .required("eos_filled", IntegerType, "tokens written because they stand behind an eos")
          .required(
              "wall_micros",
              LongType,
              "microseconds of the batches of the row's passes, shared with the batch's other rows")
          .optional(
              "ar_ness_local", DoubleType, "commits whose predecessor position came just before")
          .optional("ar_ness_global", DoubleType, "commits at the leftmost mask, share in 0..1")
          .required(
              "ar_ness_local_k",
              createArrayType(DoubleType, false),
              "local AR-ness at k = 1, 2, 4, 8, share in 0..1; empty when nothing was committed")
          .required(
              "ar_ness_global_k",
              createArrayType(DoubleType, false),
              "global AR-ness at k = 1, 2, 4, 8, share in 0..1; empty when nothing was committed")
          .required(
              "commit_block",
              createArrayType(ByteType, false),
              "per token: index into blocks; -1 for markers")
          .required(
              "commit_sweep",
              createArrayType(ShortType, false),
              "per token: sweep or step that committed it, from 1; 0 for markers")
          .required(
              "commit_nfe",
              createArrayType(ShortType, false),
              "per token: pass that committed it, from 0; -1 for markers and hook tokens")
          .required(
              "commit_kind",
              createArrayType(ByteType, false),
              "per token: 0 threshold, 1 forced, 2 scheduled, 3 eos_fill, 4 hook; -1 marker")
          .required(
              "commit_p",
              createArrayType(FloatType, false),
              "per token: filtered probability when committed; NaN where there is none")
          .required(
              "commit_score",
              createArrayType(FloatType, false),
              "per token: ranking confidence when committed; NaN where there is none")
          .required(
              "commit_logp",
              createArrayType(FloatType, false),
              "per token: ln softmax(z)[token], temperature 1, unfiltered; NaN where there is none")
          .required(
              "loss_mask",
              createArrayType(BooleanType, false),
              "per token: the model chose it, up to and including its block's first eos")
          .required(
              "overwritten",
              createArrayType(OVERWRITTEN, false),
              "commits that are not in token_ids: index into it, token, pass; for rebuilding states")
          .required("passes", createArrayType(PASS, false), "one entry a forward pass")
          .optional(
              "trace",
              createArrayType(COMMIT, false),
              "every commit in commit order; null unless decode.trace=true")
          .required("seed", LongType, "model.generation.seed")
          .required(
              "replayable",
              BooleanType,
              "states can be rebuilt from token_ids, commit_nfe and overwritten")
          .required("model", StringType, "hub name or folder of the checkpoint")
          .required("model_digest", StringType, "SHA-256 over config.json and the weights' headers")
          .required("device", StringType, "device that decoded the row, such as cpu or gpu:0")
          .required("replica", StringType, "host, process and device of the replica")
          .required("started_at", TimestampType, "when the row was handed to the replica")
          .required("finished_at", TimestampType, "when the replica returned it")
          .required(Table.PARTITION, StringType, "digest of the configuration")
          .declared();

  /**
   * Columns that grow with a sample's tokens, or only speak of those: what is big. Figures per
   * sample and texts are not among them.
   */
  public static final List<String> PER_TOKEN =
      List.of(
          "prompt_ids",
          "token_ids",
          "commit_block",
          "commit_sweep",
          "commit_nfe",
          "commit_kind",
          "commit_p",
          "commit_score",
          "commit_logp",
          "loss_mask",
          "overwritten",
          "passes",
          "trace",
          "replayable");

  private CompletionsTable() {}
}
