package ai.lockstep.jobs.tracking;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.expr;
import static org.apache.spark.sql.functions.input_file_name;

import ai.lockstep.jobs.metrics.MetricsReport;
import ai.lockstep.jobs.report.ReportStage;
import ai.lockstep.jobs.tables.CompletionsTable;
import ai.lockstep.jobs.tables.MetricsTable;
import ai.lockstep.jobs.tables.RunsTable;
import ai.lockstep.jobs.tables.ScoresTable;
import ai.lockstep.jobs.tables.Table;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocatedFileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RemoteIterator;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.jspecify.annotations.Nullable;

/**
 * What came of a run: its tables as trackers see them, and the files beside them. A run that only
 * trains has none of them but {@code runs}.
 */
public final class RunResults {

  /** Columns of {@link #shards}. */
  public static final List<String> SHARD_MEASURES =
      List.of(
          "rows",
          "failed_rows",
          "tokens",
          "passes",
          "seconds",
          "tokens_per_second",
          "tokens_per_pass",
          "fill_rate",
          "empty_answer_rate",
          "pass_base",
          "pass_plus");

  /** Columns of {@code metrics} that measure something. */
  public static final List<String> CONFIG_MEASURES =
      MetricsTable.TABLE.columns().stream()
          .map(ai.lockstep.jobs.tables.Column::name)
          .filter(name -> !List.of("run_id", "dataset", Table.PARTITION).contains(name))
          .toList();

  /** As many as W&amp;B shows of a table, and in a panel. */
  private static final int MAX_SAMPLES = 10_000;

  private static final int MAX_PICTURES = 100;

  private static final ObjectMapper JSON = new ObjectMapper();

  /** Columns of {@code runs} that say where the numbers come from. */
  private static final List<String> PROVENANCE =
      List.of(
          "dataset_md5",
          "model",
          "model_digest",
          "isolation",
          "interpreter",
          "machine_factor",
          "machine_slowness",
          "lockstep_version",
          "code_commit",
          "spark_version",
          "java_version");

  private static final List<String> SAMPLE_COLUMNS =
      List.of(
          Table.PARTITION,
          "task_id",
          "sample_index",
          "prompt",
          "answer",
          "program",
          "base_status",
          "plus_status",
          "outcome",
          "tokens",
          "nfe",
          "fill_rate",
          "seconds");

  private final SparkSession spark;
  private final TrackedRun run;
  private final List<Row> metrics;
  private final Map<String, Double> measures;
  private final List<String> kept;
  private @Nullable List<Row> shards;

  /**
   * Results whose tables are written.
   *
   * @param metrics rows of {@code metrics}, one a configuration, in their order; none of a training
   * @param measures what the job measured beyond that, by name
   * @param kept files of the run's folder that a tracker keeps, by their paths in it
   */
  public RunResults(
      SparkSession spark,
      TrackedRun run,
      List<Row> metrics,
      Map<String, Double> measures,
      List<String> kept) {
    this.kept = List.copyOf(kept);
    this.spark = spark;
    this.run = run;
    this.metrics = List.copyOf(metrics);
    this.measures = new TreeMap<>(measures);
  }

  /** Rows of {@code metrics}, one a configuration, in their order; none of a training. */
  public List<Row> metrics() {
    return metrics;
  }

  /** What the job measured beyond {@code metrics}, by name. */
  public Map<String, Double> measures() {
    return measures;
  }

  /** Whether all rows were decoded and judged. */
  public boolean isWhole() {
    return MetricsReport.isWhole(metrics);
  }

  /** Files of the run's folder that a tracker keeps, by their paths in it. */
  public List<String> kept() {
    return kept;
  }

  /** The table that the job prints; of a training, its measures line by line. */
  public String text() {
    if (!metrics.isEmpty()) {
      return MetricsReport.of(metrics, run.labels());
    }
    StringBuilder text = new StringBuilder();
    measures.forEach((name, value) -> text.append(name).append(' ').append(value).append('\n'));
    return text.toString();
  }

  private Dataset<Row> read(Table table) {
    return table
        .read(spark, run.location())
        .where(col(Table.PARTITION).isin(run.configIds().toArray()));
  }

  /** Where the numbers come from, of the configuration recorded first. */
  public ObjectNode provenance() {
    Row row =
        read(RunsTable.TABLE)
            .orderBy("started_at", Table.PARTITION)
            .limit(1)
            .collectAsList()
            .get(0);
    return json(row, PROVENANCE);
  }

  /**
   * What every shard of decoding gave, in the order in which they ended: {@code config_id}, {@code
   * finished_at} and measures with the meanings that they have in {@code metrics}. A shard is what
   * one Spark task decoded, which is one file of {@code completions}.
   */
  public List<Row> shards() {
    if (shards == null) {
      shards = readShards();
    }
    return shards;
  }

  private List<Row> readShards() {
    Dataset<Row> completions =
        read(CompletionsTable.TABLE)
            .withColumn("file", input_file_name())
            .select(
                Table.withSampleKey(
                    col("file"),
                    col("status"),
                    col("nfe"),
                    col("fill_rate"),
                    expr("CAST(empty_answer AS DOUBLE) AS empty"),
                    expr("committed_r + committed_a AS committed"),
                    expr("tokens_r + tokens_a AS tokens"),
                    col("started_at"),
                    col("finished_at")));
    Dataset<Row> verdicts =
        read(ScoresTable.TABLE)
            .select(
                Table.withSampleKey(
                    expr("CAST(passed_base AS DOUBLE) AS base"),
                    // As in metrics, there is no plus to speak of where only base was judged.
                    expr("IF(plus_status IS NULL, NULL, CAST(passed_plus AS DOUBLE)) AS plus")));
    return completions
        .join(verdicts, Table.sampleKey(), "left")
        .groupBy(Table.PARTITION, "file")
        .agg(
            expr("COUNT(*) AS rows"),
            expr("COUNT_IF(status <> 'ok') AS failed_rows"),
            expr("SUM(tokens) AS tokens"),
            expr("SUM(nfe) AS passes"),
            expr("SUM(committed) / NULLIF(SUM(nfe), 0) AS tokens_per_pass"),
            expr("AVG(IF(status = 'ok', fill_rate, NULL)) AS fill_rate"),
            expr("AVG(IF(status = 'ok', empty, NULL)) AS empty_answer_rate"),
            expr("AVG(base) AS pass_base"),
            expr("AVG(plus) AS pass_plus"),
            expr(
                "(UNIX_MICROS(MAX(finished_at)) - UNIX_MICROS(MIN(started_at))) / 1e6D AS seconds"),
            expr("MAX(finished_at) AS finished_at"))
        .withColumn("tokens_per_second", expr("tokens / NULLIF(seconds, 0)"))
        .orderBy("finished_at", Table.PARTITION, "file")
        .collectAsList();
  }

  /** The first samples with their verdicts; no hidden test is among the columns. */
  public TableData samples() {
    Dataset<Row> verdicts =
        read(ScoresTable.TABLE)
            .withColumn("judged_index", col("input_index"))
            .withColumn("judged_text", col("text"))
            .select(
                columns(
                    "task_id",
                    "sample_index",
                    Table.PARTITION,
                    "program",
                    "base_status",
                    "plus_status",
                    "outcome",
                    "judged_index",
                    "judged_text"));
    List<Row> rows =
        read(CompletionsTable.TABLE)
            .withColumn("tokens", expr("tokens_r + tokens_a"))
            .withColumn("seconds", expr("wall_micros / 1e6D"))
            // A samples file was scored and not decoded here; a generation is not scored.
            .join(verdicts, Table.sampleKey(), "full")
            .withColumn("answer", expr("COALESCE(text_a, text, judged_text)"))
            .orderBy(
                expr("COALESCE(input_index, judged_index)"),
                col("sample_index"),
                col(Table.PARTITION))
            .select(columns(SAMPLE_COLUMNS.toArray(String[]::new)))
            .limit(MAX_SAMPLES)
            .collectAsList();
    return table(SAMPLE_COLUMNS, rows);
  }

  /**
   * The pictures and the report, as far as the job wrote any, by their paths in the run's folder.
   */
  public List<String> files() throws IOException {
    FileSystem files = fileSystem();
    List<String> names = new ArrayList<>();
    Path root = files.makeQualified(new Path(run.location()));
    Path pictures = new Path(root, ReportStage.PICTURES);
    if (files.exists(pictures)) {
      RemoteIterator<LocatedFileStatus> all = files.listFiles(pictures, true);
      while (all.hasNext()) {
        names.add(root.toUri().relativize(all.next().getPath().toUri()).getPath());
      }
    }
    names.sort(null);
    List<String> shown = new ArrayList<>(names.subList(0, Math.min(names.size(), MAX_PICTURES)));
    if (files.exists(new Path(root, ReportStage.FILE))) {
      shown.add(ReportStage.FILE);
    }
    return shown;
  }

  /** What one of {@link #files} or {@link #kept} holds. */
  public byte[] content(String file) throws IOException {
    try (InputStream in = fileSystem().open(new Path(run.location(), file))) {
      return in.readAllBytes();
    }
  }

  private FileSystem fileSystem() throws IOException {
    return new Path(run.location()).getFileSystem(spark.sessionState().newHadoopConf());
  }

  /** Rows as a table, without the columns that no row has. */
  public static TableData table(List<String> columns, List<Row> rows) {
    List<String> shown =
        columns.stream()
            .filter(column -> rows.stream().anyMatch(row -> row.getAs(column) != null))
            .toList();
    List<ArrayNode> cells = new ArrayList<>();
    for (Row row : rows) {
      ArrayNode line = JsonNodeFactory.instance.arrayNode();
      shown.forEach(column -> line.add(json(row.<Object>getAs(column))));
      cells.add(line);
    }
    return new TableData(shown, cells);
  }

  /** The columns of a row that are not null. */
  public static ObjectNode json(Row row, List<String> columns) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    for (String column : columns) {
      Object value = row.getAs(column);
      if (value != null) {
        json.set(column, json(value));
      }
    }
    return json;
  }

  private static JsonNode json(@Nullable Object value) {
    return JSON.valueToTree(value);
  }

  /** All keys with a prefix. */
  public static ObjectNode prefixed(String prefix, ObjectNode values) {
    ObjectNode prefixed = JsonNodeFactory.instance.objectNode();
    for (Map.Entry<String, JsonNode> value : values.properties()) {
      prefixed.set(prefix + value.getKey(), value.getValue());
    }
    return prefixed;
  }

  private static Column[] columns(String... names) {
    return Arrays.stream(names).map(name -> col(name)).toArray(Column[]::new);
  }
}
