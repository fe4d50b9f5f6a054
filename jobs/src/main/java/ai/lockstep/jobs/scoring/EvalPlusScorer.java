package ai.lockstep.jobs.scoring;

import ai.lockstep.datasets.Benchmark;
import ai.lockstep.datasets.Benchmarks;
import ai.lockstep.datasets.Suite;
import ai.lockstep.datasets.Task;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.ml.Transformer;
import org.apache.spark.ml.param.BooleanParam;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.ml.util.DefaultParamsReader;
import org.apache.spark.ml.util.DefaultParamsWritable;
import org.apache.spark.ml.util.Identifiable;
import org.apache.spark.ml.util.MLReader;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * Judges a column of answers by the tests of their tasks, as a Spark ML transformer:
 *
 * <pre>
 * new EvalPlusScorer().setInputCol("answer").setTaskCol("task_id").setOutputCol("passed")
 *     .setDataset("humanevalplus").transform(answers)
 * </pre>
 *
 * <p>The driver reads the benchmark and sends it to the executors, whose sandboxes run as many
 * programs at once as they have cores. {@code spark.lockstep.harness.KEY} sets {@code harness.KEY}.
 *
 * <p>Lazy, and a program costs from milliseconds to a minute: cache or write what comes out before
 * it is read twice. An answer or task that is null is not judged: its columns are null.
 */
public final class EvalPlusScorer extends Transformer implements DefaultParamsWritable {

  private static final long serialVersionUID = 1;

  /** What {@code detailsCol} holds. */
  public static final StructType DETAILS =
      new StructType()
          .add("program", DataTypes.StringType, false)
          .add("base_status", DataTypes.StringType, false)
          .add("plus_status", DataTypes.StringType, true)
          .add("outcome", DataTypes.StringType, false)
          .add("message", DataTypes.StringType, true)
          .add("tampered", DataTypes.BooleanType, false);

  private final String uid;
  private final Param<String> inputCol;
  private final Param<String> taskCol;
  private final Param<String> outputCol;
  private final Param<String> detailsCol;
  private final Param<String> dataset;
  private final Param<String> datasetPath;
  private final Param<String> opening;
  private final BooleanParam sanitize;

  /** With a uid of its own. */
  public EvalPlusScorer() {
    this(Identifiable.randomUID("evalPlusScorer"));
  }

  /** With a given uid; a saved transformer is read so. */
  public EvalPlusScorer(String uid) {
    this.uid = uid;
    this.inputCol = new Param<>(this, "inputCol", "column with the answer's text");
    this.taskCol = new Param<>(this, "taskCol", "column with the task's id");
    this.outputCol =
        new Param<>(this, "outputCol", "column to add: whether all tests pass and none was forged");
    this.detailsCol =
        new Param<>(this, "detailsCol", "column to add with program and statuses; empty for none");
    this.dataset = new Param<>(this, "dataset", "starter, humanevalplus or mbppplus");
    this.datasetPath =
        new Param<>(this, "datasetPath", "the benchmark's file; empty for its usual place");
    this.opening =
        new Param<>(this, "opening", "fixed text in front of every answer; empty for none");
    this.sanitize =
        new BooleanParam(
            this, "sanitize", "whether the program is cut out of the answer, or is all of it");
    setDefault(taskCol, "task_id");
    setDefault(detailsCol, "");
    setDefault(dataset, Suite.STARTER.datasetName());
    setDefault(datasetPath, "");
    setDefault(opening, "");
    setDefault(sanitize, true);
  }

  @Override
  public String uid() {
    return uid;
  }

  /** Column with the answer's text. */
  public Param<String> inputCol() {
    return inputCol;
  }

  /** See {@link #inputCol}. */
  public EvalPlusScorer setInputCol(String value) {
    set(inputCol, value);
    return this;
  }

  /** Column with the task's id; {@code task_id} unless set. */
  public Param<String> taskCol() {
    return taskCol;
  }

  /** See {@link #taskCol}. */
  public EvalPlusScorer setTaskCol(String value) {
    set(taskCol, value);
    return this;
  }

  /** Boolean column to add: whether all tests pass and the program tried to forge nothing. */
  public Param<String> outputCol() {
    return outputCol;
  }

  /** See {@link #outputCol}. */
  public EvalPlusScorer setOutputCol(String value) {
    set(outputCol, value);
    return this;
  }

  /** Column of {@link #DETAILS} to add; empty for none. */
  public Param<String> detailsCol() {
    return detailsCol;
  }

  /** See {@link #detailsCol}. */
  public EvalPlusScorer setDetailsCol(String value) {
    set(detailsCol, value);
    return this;
  }

  /** {@code starter}, {@code humanevalplus} or {@code mbppplus}. */
  public Param<String> dataset() {
    return dataset;
  }

  /** See {@link #dataset}. */
  public EvalPlusScorer setDataset(String value) {
    set(dataset, value);
    return this;
  }

  /** The benchmark's file on the driver; empty for its usual place. */
  public Param<String> datasetPath() {
    return datasetPath;
  }

  /** See {@link #datasetPath}. */
  public EvalPlusScorer setDatasetPath(String value) {
    set(datasetPath, value);
    return this;
  }

  /** Fixed text in front of every answer, such as an opened code fence; empty for none. */
  public Param<String> opening() {
    return opening;
  }

  /** See {@link #opening}. */
  public EvalPlusScorer setOpening(String value) {
    set(opening, value);
    return this;
  }

  /** Whether the program is cut out of the answer; false judges the answer as it stands. */
  public BooleanParam sanitize() {
    return sanitize;
  }

  /** See {@link #sanitize}. */
  public EvalPlusScorer setSanitize(boolean value) {
    set(sanitize, value);
    return this;
  }

  @Override
  public StructType transformSchema(StructType schema) {
    for (String column : List.of(getOrDefault(inputCol), getOrDefault(taskCol))) {
      if (!schema.apply(column).dataType().equals(DataTypes.StringType)) {
        throw new IllegalArgumentException(
            "Column %s must be of type string, not %s"
                .formatted(column, schema.apply(column).dataType().simpleString()));
      }
    }
    Suite.named(getOrDefault(dataset));
    StructType out = schema.add(getOrDefault(outputCol), DataTypes.BooleanType, true);
    String details = getOrDefault(detailsCol);
    return details.isEmpty() ? out : out.add(details, DETAILS, true);
  }

  @Override
  public Dataset<Row> transform(Dataset<?> rows) {
    StructType schema = transformSchema(rows.schema());
    SparkSession spark = rows.toDF().sparkSession();
    Suite suite = Suite.named(getOrDefault(dataset));
    String path = getOrDefault(datasetPath);
    Benchmark benchmark =
        path.isEmpty() ? Benchmarks.open(suite) : Benchmarks.open(suite, Path.of(path));
    Map<String, Task> byId = new HashMap<>();
    benchmark.tasks().forEach(task -> byId.put(task.taskId(), task));
    Broadcast<Map<String, Task>> tasks =
        JavaSparkContext.fromSparkContext(spark.sparkContext()).broadcast(byId);
    return rows.toDF()
        .mapPartitions(
            new ScoreAnswersPartition(settings(spark, benchmark), tasks, schema),
            Encoders.row(schema));
  }

  private ScoreAnswersPartition.Settings settings(SparkSession spark, Benchmark benchmark) {
    SparkConf conf = spark.sparkContext().getConf();
    List<String> overrides = new ArrayList<>(HarnessProperties.overrides(conf));
    overrides.add("harness.sanitize=" + getOrDefault(sanitize));
    return new ScoreAnswersPartition.Settings(
        ExecutorSettings.of(spark, HarnessProperties.compose(overrides).resolved().toString()),
        benchmark.suite().datasetName(),
        benchmark.md5(),
        getOrDefault(inputCol),
        getOrDefault(taskCol),
        getOrDefault(opening));
  }

  @Override
  public EvalPlusScorer copy(ParamMap extra) {
    return defaultCopy(extra);
  }

  /** Reads what {@link #save} wrote. */
  public static MLReader<EvalPlusScorer> read() {
    return new DefaultParamsReader<>();
  }

  /** Reads what {@link #save} wrote. */
  public static EvalPlusScorer load(String path) {
    return read().load(path);
  }
}
