package ai.lockstep.jobs.tables;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.explode;
import static org.apache.spark.sql.types.DataTypes.FloatType;
import static org.apache.spark.sql.types.DataTypes.IntegerType;
import static org.apache.spark.sql.types.DataTypes.LongType;
import static org.apache.spark.sql.types.DataTypes.StringType;

import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/** {@code steps}: one row per sample and forward pass. */
public final class StepsTable {

  /** The declaration. */
  public static final Table TABLE =
      Table.named("steps")
          .required("task_id", StringType, "task id, or the prompt's id")
          .required("sample_index", IntegerType, "sample within the task, from 0")
          .required("nfe", IntegerType, "the row's forward pass, from 0")
          .required("sweep", IntegerType, "sweep of lockstep or step of other decoders, from 1")
          .required("blocks", StringType, "targeted blocks, such as R, A or R+A")
          .required("masks_before", IntegerType, "masked positions in those blocks before the pass")
          .required("committed", IntegerType, "tokens committed by the pass, eos_fill not counted")
          .required("forced", IntegerType, "how many of those met no threshold")
          .optional("mean_p", FloatType, "mean probability of the committed tokens; null when none")
          .required("wall_micros", LongType, "microseconds of the batch the pass ran in")
          .required(Table.PARTITION, StringType, "digest of the configuration")
          .declared();

  private StepsTable() {}

  /** The steps of completions: the entries of their {@code passes}. */
  public static Dataset<Row> of(Dataset<Row> completions) {
    return completions
        .select(
            col("task_id"),
            col("sample_index"),
            explode(col("passes")).as("pass"),
            col(Table.PARTITION))
        .select(
            "task_id",
            "sample_index",
            "pass.nfe",
            "pass.sweep",
            "pass.blocks",
            "pass.masks_before",
            "pass.committed",
            "pass.forced",
            "pass.mean_p",
            "pass.wall_micros",
            Table.PARTITION);
  }
}
