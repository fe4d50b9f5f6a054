package ai.lockstep.jobs.wandb;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.expr;
import static org.apache.spark.sql.functions.input_file_name;

import ai.lockstep.jobs.tables.CompletionsTable;
import ai.lockstep.jobs.tables.RunsTable;
import ai.lockstep.jobs.tables.ScoresTable;
import ai.lockstep.jobs.tables.Table;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.jspecify.annotations.Nullable;

/** What is tracked of a run's tables. */
final class RunTables {

  /** As many as W&amp;B shows of a table. */
  private static final int MAX_SAMPLES = 10_000;

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
  private final String outputDir;
  private final List<String> configIds;

  /**
   * @param configIds the configurations that count; others may lie in the folder
   */
  RunTables(SparkSession spark, String outputDir, List<String> configIds) {
    this.spark = spark;
    this.outputDir = outputDir;
    this.configIds = List.copyOf(configIds);
  }

  private Dataset<Row> read(Table table) {
    return table.read(spark, outputDir).where(col(Table.PARTITION).isin(configIds.toArray()));
  }

  /** Where the numbers come from, of the configuration recorded first. */
  ObjectNode provenance() {
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
  List<Row> shards() {
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
  TableData samples() {
    Dataset<Row> verdicts =
        read(ScoresTable.TABLE)
            .select(
                columns(
                    "task_id",
                    "sample_index",
                    Table.PARTITION,
                    "program",
                    "base_status",
                    "plus_status",
                    "outcome"));
    List<Row> rows =
        read(CompletionsTable.TABLE)
            .withColumn("answer", expr("COALESCE(text_a, text)"))
            .withColumn("tokens", expr("tokens_r + tokens_a"))
            .withColumn("seconds", expr("wall_micros / 1e6D"))
            .join(verdicts, Table.sampleKey(), "left")
            .orderBy("input_index", "sample_index", Table.PARTITION)
            .select(columns(SAMPLE_COLUMNS.toArray(String[]::new)))
            .limit(MAX_SAMPLES)
            .collectAsList();
    return table(SAMPLE_COLUMNS, rows);
  }

  /** Rows as a table, without the columns that no row has. */
  static TableData table(List<String> columns, List<Row> rows) {
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
  static ObjectNode json(Row row, List<String> columns) {
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
    return WandbJson.MAPPER.valueToTree(value);
  }

  /** All keys with a prefix. */
  static ObjectNode prefixed(String prefix, ObjectNode values) {
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
