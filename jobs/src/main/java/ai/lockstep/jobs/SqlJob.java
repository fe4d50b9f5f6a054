package ai.lockstep.jobs;

import static org.apache.spark.sql.functions.col;

import ai.lockstep.failure.LockstepException;
import ai.lockstep.jobs.cli.JobContext;
import ai.lockstep.jobs.cli.JobDescription;
import ai.lockstep.jobs.cli.JobMain;
import ai.lockstep.jobs.cli.TextTable;
import ai.lockstep.jobs.config.RunConfig;
import ai.lockstep.jobs.metrics.NamedQuery;
import ai.lockstep.jobs.run.RunFolder;
import ai.lockstep.jobs.tables.CompletionsTable;
import ai.lockstep.jobs.tables.GrpoTable;
import ai.lockstep.jobs.tables.LogProbsTable;
import ai.lockstep.jobs.tables.MetricsTable;
import ai.lockstep.jobs.tables.RunsTable;
import ai.lockstep.jobs.tables.ScoresTable;
import ai.lockstep.jobs.tables.StepsTable;
import ai.lockstep.jobs.tables.Table;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.spark.sql.AnalysisException;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.jspecify.annotations.Nullable;

/** {@code sql}: asks the tables of a run. */
public final class SqlJob {

  /** Rows that are printed; whoever wants more reads the Parquet. */
  private static final int PRINTED_ROWS = 1000;

  private static final List<Table> TABLES =
      List.of(
          RunsTable.TABLE,
          CompletionsTable.TABLE,
          StepsTable.TABLE,
          ScoresTable.TABLE,
          MetricsTable.TABLE,
          LogProbsTable.TABLE,
          GrpoTable.TABLE);

  private static final JobDescription DESCRIPTION =
      new JobDescription(
          "sql",
          "Runs a query over the tables of a run: runs, completions, steps, scores, metrics, logprobs, grpo.",
          help());

  private SqlJob() {}

  private static List<String> help() {
    List<String> help = new ArrayList<>();
    help.addAll(
        List.of("", "The first word is the query, or the name of one that comes with lockstep:"));
    help.addAll(NamedQuery.help());
    help.addAll(
        List.of(
            "",
            "Keys that matter most",
            "  output.dir=DIR         of the run that is asked",
            "",
            "Examples",
            "  submit/lockstep sql worst_tasks output.dir=out",
            "  submit/lockstep sql \"SELECT task_id, nfe FROM completions\" output.dir=out"));
    return help;
  }

  public static void main(String[] args) {
    System.exit(exitCode(args));
  }

  /** Runs the job; its first word that is no flag is not an override. */
  static int exitCode(String... args) {
    List<String> words = new ArrayList<>(List.of(args));
    int first = 0;
    while (first < words.size() && words.get(first).startsWith("-")) {
      first++;
    }
    String query = first < words.size() ? words.remove(first) : "";
    return JobMain.exitCode(
        DESCRIPTION, words.toArray(String[]::new), context -> run(context, query));
  }

  private static void run(JobContext context, String query) {
    if (query.isBlank()) {
      throw LockstepException.user(
          "Cannot run sql without a query: give one as the first word, or a name. Try submit/lockstep sql --help.");
    }
    if (context.compositions().size() > 1) {
      throw LockstepException.user("Cannot sweep with sql: it asks one run. Use one sql for each.");
    }
    RunConfig config = RunConfig.of(context.compositions().get(0));
    String location = config.output().dir();
    SparkSession spark = context.spark(config.hardware().sparkProperties());
    if (!RunFolder.isThere(location, spark.sessionState().newHadoopConf())) {
      throw LockstepException.user(
          "Cannot ask output.dir=%s: no run of lockstep is there. Name a run's folder with output.dir=DIR."
              .formatted(location));
    }
    for (Table table : TABLES) {
      table.read(spark, location).createOrReplaceTempView(table.name());
    }
    print(answer(spark, NamedQuery.named(query).map(NamedQuery::sql).orElse(query)));
  }

  private static void print(Dataset<Row> answer) {
    List<String> headings = List.of(answer.columns());
    // By place: a query may give two columns one name.
    String[] places =
        IntStream.range(0, headings.size()).mapToObj(i -> "c" + i).toArray(String[]::new);
    Column[] texts =
        Stream.of(places).map(place -> col(place).cast("string")).toArray(Column[]::new);
    List<Row> rows = answer.toDF(places).select(texts).limit(PRINTED_ROWS + 1).collectAsList();
    TextTable table = new TextTable(headings);
    for (Row row : rows.subList(0, Math.min(PRINTED_ROWS, rows.size()))) {
      table.row(IntStream.range(0, headings.size()).mapToObj(i -> cell(row.getString(i))).toList());
    }
    System.out.print(table);
    if (rows.size() > PRINTED_ROWS) {
      System.out.printf("... only the first %d rows are shown%n", PRINTED_ROWS);
    }
  }

  private static String cell(@Nullable String value) {
    return value == null ? "NULL" : value.replace("\n", "\\n");
  }

  private static Dataset<Row> answer(SparkSession spark, String sql) {
    try {
      return spark.sql(sql);
    } catch (Exception e) {
      // Scala's exceptions are undeclared, so javac would refuse to catch this one by its name.
      if (e instanceof AnalysisException mistake) {
        throw LockstepException.user(
            "Cannot run the query: %s".formatted(mistake.getSimpleMessage().strip()), e);
      }
      throw e;
    }
  }
}
