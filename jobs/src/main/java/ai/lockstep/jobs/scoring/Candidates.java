package ai.lockstep.jobs.scoring;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.encode;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.types.DataTypes.BinaryType;
import static org.apache.spark.sql.types.DataTypes.IntegerType;
import static org.apache.spark.sql.types.DataTypes.StringType;

import ai.lockstep.harness.evalplus.Sample;
import ai.lockstep.jobs.tables.Table;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.StructType;

/** What is to be judged: rows of {@link #SCHEMA}, from completions or from a samples file. */
public final class Candidates {

  /** How {@code text} becomes a program. */
  public enum Form {
    /** A model's answer: chat text, fences or a program. */
    ANSWER,
    /** A whole program, EvalPlus's {@code solution}. */
    SOLUTION,
    /** What follows the task's prompt, EvalPlus's {@code completion}. */
    COMPLETION
  }

  /**
   * Columns of a candidate: {@code id} is null when the input has none; {@code opening} is the
   * fixed text in front of an answer; {@code text} is UTF-16, see {@link ExactText}.
   */
  public static final StructType SCHEMA =
      new StructType()
          .add("task_id", StringType, false)
          .add("sample_index", IntegerType, false)
          .add("input_index", IntegerType, false)
          .add("id", StringType, true)
          .add("form", StringType, false)
          .add("opening", StringType, false)
          .add("text", BinaryType, false)
          .add(Table.PARTITION, StringType, false);

  /** {@link #SCHEMA}'s columns in order. */
  static final Column[] COLUMNS =
      Arrays.stream(SCHEMA.fieldNames()).map(functions::col).toArray(Column[]::new);

  private Candidates() {}

  /**
   * The answers of decoded completions: block A where there is one, else all that was generated.
   *
   * @param opening {@code decode.block_markers.a_open}; empty for decoders without markers
   * @param configId of the rows of {@code scores}
   */
  public static Dataset<Row> ofCompletions(
      Dataset<Row> completions, String opening, String configId) {
    return completions
        .where(col("status").equalTo("ok"))
        .select(
            col("task_id"),
            col("sample_index"),
            col("input_index"),
            lit(null).cast(StringType).as("id"),
            lit(Form.ANSWER.name()).as("form"),
            lit(opening).as("opening"),
            encode(functions.coalesce(col("text_a"), col("text")), "UTF-16BE").as("text"),
            lit(configId).as(Table.PARTITION));
  }

  /** The samples of a file, in reading order. */
  public static Dataset<Row> ofSamples(SparkSession spark, List<Sample> samples, String configId) {
    List<Row> rows = new ArrayList<>(samples.size());
    for (Sample sample : samples) {
      Form form = sample.form() == Sample.Form.SOLUTION ? Form.SOLUTION : Form.COMPLETION;
      rows.add(
          RowFactory.create(
              sample.taskId(),
              sample.sampleIndex(),
              rows.size(),
              sample.id().orElse(null),
              form.name(),
              "",
              ExactText.bytes(sample.text()),
              configId));
    }
    return spark.createDataFrame(rows, SCHEMA);
  }
}
