package ai.lockstep.jobs.tables;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SaveMode;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/**
 * A Parquet table under a run's output folder, partitioned by {@code config_id}.
 *
 * <p>Serialisable parts ({@link #schema()}) go to executors; the rest is for the driver.
 */
public final class Table {

  /** The column every table is partitioned by. */
  public static final String PARTITION = "config_id";

  /**
   * A folder of an output folder with tables that are about to take the places of their older
   * copies. Each is whole: a reader that does not find a table looks here, so that none is missing
   * while it is exchanged.
   */
  public static final String REPLACEMENTS = ".compacted";

  /** What a compact copy's rows are sorted by, as far as a table has it. */
  private static final List<String> ORDER =
      List.of(PARTITION, "input_index", "task_id", "sample_index", "nfe");

  private static final String[] SAMPLE_KEY = {"task_id", "sample_index", PARTITION};

  private final String name;
  private final List<Column> columns;
  private final StructType schema;

  private Table(String name, List<Column> columns) {
    this.name = name;
    this.columns = List.copyOf(columns);
    this.schema =
        new StructType(this.columns.stream().map(Column::field).toArray(StructField[]::new));
    schema.fieldIndex(PARTITION);
  }

  /** Starts the declaration of a table. */
  public static Declaration named(String name) {
    return new Declaration(name);
  }

  /** The columns that tell samples apart, in every table that has a row a sample; to join by. */
  public static String[] sampleKey() {
    return SAMPLE_KEY.clone();
  }

  /** The columns that tell samples apart, and more; to select them. */
  public static org.apache.spark.sql.Column[] withSampleKey(org.apache.spark.sql.Column... more) {
    return Stream.concat(Arrays.stream(SAMPLE_KEY).map(functions::col), Arrays.stream(more))
        .toArray(org.apache.spark.sql.Column[]::new);
  }

  /** Folder name and the name in SQL. */
  public String name() {
    return name;
  }

  /** The columns in order. */
  public List<Column> columns() {
    return columns;
  }

  /** Spark's view of the columns, comments included. */
  public StructType schema() {
    return schema;
  }

  /** A row to be filled column by column. */
  public RowBuilder row() {
    return new RowBuilder(schema);
  }

  /** Where the table lies under an output folder. */
  public String location(String outputDir) {
    return outputDir + "/" + name;
  }

  /** The rows that are there; none when the table was never written. */
  public Dataset<Row> read(SparkSession spark, String outputDir) {
    for (String place : List.of(outputDir, outputDir + "/" + REPLACEMENTS)) {
      if (Storage.exists(spark, location(place))) {
        return spark.read().schema(schema).parquet(location(place));
      }
    }
    return spark.createDataFrame(List.<Row>of(), schema);
  }

  /** Bytes of the table's files; 0 when it was never written. */
  public long bytes(SparkSession spark, String outputDir) {
    return Storage.bytes(spark, location(outputDir));
  }

  /**
   * Adds rows. Each Spark task publishes its file when the task commits, not when the job does, so
   * that a killed driver loses only the tasks in flight. A reader that looks for finished work must
   * go by the rows' keys.
   */
  public void append(Dataset<Row> rows, String outputDir) {
    rows.write()
        .mode(SaveMode.Append)
        .option("mapreduce.fileoutputcommitter.algorithm.version", "2")
        .option("mapreduce.fileoutputcommitter.marksuccessfuljobs", "false")
        .partitionBy(PARTITION)
        .parquet(location(outputDir));
  }

  /** Replaces the rows of every {@code config_id} that occurs in {@code rows}; keeps the others. */
  public void replace(Dataset<Row> rows, String outputDir) {
    rows.write()
        .mode(SaveMode.Overwrite)
        .option("partitionOverwriteMode", "dynamic")
        .option("mapreduce.fileoutputcommitter.marksuccessfuljobs", "false")
        .partitionBy(PARTITION)
        .parquet(location(outputDir));
  }

  /**
   * Writes all rows to another folder, in one file a {@code config_id}, sorted and packed tighter.
   *
   * @param without columns that are left out; they read as null there
   */
  public void copyCompactly(
      SparkSession spark, String outputDir, String otherDir, List<String> without) {
    List<String> present = List.of(schema.fieldNames());
    read(spark, outputDir)
        .drop(without.toArray(String[]::new))
        .repartition(functions.col(PARTITION))
        .sortWithinPartitions(
            ORDER.stream()
                .filter(present::contains)
                .map(functions::col)
                .toArray(org.apache.spark.sql.Column[]::new))
        .write()
        .mode(SaveMode.Overwrite)
        .option("compression", "zstd")
        .option("mapreduce.fileoutputcommitter.marksuccessfuljobs", "false")
        .partitionBy(PARTITION)
        .parquet(location(otherDir));
  }

  @Override
  public String toString() {
    return "Table[" + name + "]";
  }

  /** Collects the columns of a table. */
  public static final class Declaration {

    private final String name;
    private final List<Column> columns = new ArrayList<>();

    private Declaration(String name) {
      this.name = name;
    }

    /** A column that every row has. */
    public Declaration required(String column, DataType type, String meaning) {
      columns.add(new Column(column, type, false, meaning));
      return this;
    }

    /** A column that a row may lack; {@code meaning} says when. */
    public Declaration optional(String column, DataType type, String meaning) {
      columns.add(new Column(column, type, true, meaning));
      return this;
    }

    /** Columns of another table that mean the same here. */
    public Declaration as(Table other, String... names) {
      for (String column : names) {
        columns.add(other.columns.get(other.schema.fieldIndex(column)));
      }
      return this;
    }

    /** The finished table. */
    public Table declared() {
      return new Table(name, columns);
    }
  }
}
