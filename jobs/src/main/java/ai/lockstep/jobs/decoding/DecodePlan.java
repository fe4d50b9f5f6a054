package ai.lockstep.jobs.decoding;

import static org.apache.spark.sql.types.DataTypes.IntegerType;
import static org.apache.spark.sql.types.DataTypes.StringType;
import static org.apache.spark.sql.types.DataTypes.createArrayType;

import ai.lockstep.jobs.tables.CompletionsTable;
import ai.lockstep.jobs.tables.Table;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.StructType;

/** Which samples are to be decoded: configurations x prompts x samples, minus what is there. */
final class DecodePlan {

  /** One sample to decode; {@code prompt} is null where {@code prompt_ids} are given. */
  static final StructType SCHEMA =
      new StructType()
          .add("task_id", StringType, false)
          .add("sample_index", IntegerType, false)
          .add("input_index", IntegerType, false)
          .add("prompt", StringType, true)
          .add("prompt_ids", createArrayType(IntegerType, false), true)
          .add(Table.PARTITION, StringType, false);

  private static final String[] KEY = {"task_id", "sample_index", Table.PARTITION};

  private DecodePlan() {}

  /**
   * The samples of one configuration.
   *
   * @param samples which samples of which prompts
   */
  static Dataset<Row> all(
      SparkSession spark, String configId, List<Prompt> prompts, SampleRange samples) {
    List<Row> rows = new ArrayList<>();
    for (int input = 0; input < prompts.size(); input++) {
      Prompt prompt = prompts.get(input);
      int[] ids = prompt.ids();
      if (!samples.takes(prompt)) {
        continue;
      }
      for (int sample = samples.from(); sample < samples.until(); sample++) {
        rows.add(
            RowFactory.create(
                prompt.id(),
                sample,
                input,
                prompt.text().orElse(null),
                ids.length == 0 ? null : ids,
                configId));
      }
    }
    return spark.createDataFrame(rows, SCHEMA);
  }

  /**
   * Those that have no completion yet. Looks at the rows' keys: files and markers of a killed run
   * prove nothing.
   */
  static Dataset<Row> missing(SparkSession spark, Dataset<Row> all, String outputDir) {
    Dataset<Row> done =
        CompletionsTable.TABLE.read(spark, outputDir).select("task_id", KEY[1], KEY[2]);
    return all.join(done, KEY, "left_anti").select(columns());
  }

  private static org.apache.spark.sql.Column[] columns() {
    return java.util.Arrays.stream(SCHEMA.fieldNames())
        .map(org.apache.spark.sql.functions::col)
        .toArray(org.apache.spark.sql.Column[]::new);
  }
}
