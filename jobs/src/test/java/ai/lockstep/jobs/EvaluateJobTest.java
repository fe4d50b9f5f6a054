package ai.lockstep.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import ai.lockstep.datasets.download.CacheFolder;
import ai.lockstep.jobs.metrics.NamedQuery;
import ai.lockstep.jobs.tables.CompletionsTable;
import ai.lockstep.jobs.tables.MetricsTable;
import ai.lockstep.jobs.tables.RunsTable;
import ai.lockstep.jobs.tables.ScoresTable;
import ai.lockstep.jobs.tables.StepsTable;
import ai.lockstep.jobs.tables.Table;
import ai.lockstep.udf.checkpoint.CheckpointLocator;
import ai.lockstep.udf.checkpoint.CheckpointSource;
import ai.lockstep.udf.checkpoint.HubSettings;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** The whole job on the bundled model and suite, with short blocks. */
@ExtendWith(LocalSpark.class)
class EvaluateJobTest {

  private static final List<Table> TABLES =
      List.of(
          RunsTable.TABLE,
          CompletionsTable.TABLE,
          StepsTable.TABLE,
          ScoresTable.TABLE,
          MetricsTable.TABLE);

  @TempDir Path folder;
  private Path out;
  private SparkSession spark;

  @BeforeEach
  void takeSession(SparkSession session) {
    spark = session;
    out = folder.resolve("out");
  }

  private JobRun evaluate(String... more) {
    List<String> words =
        new ArrayList<>(
            List.of("output.dir=" + out, "decode.r_length=6", "decode.a_length=10", "run.id=test"));
    words.addAll(List.of(more));
    return JobRun.of(EvaluateJob.DESCRIPTION, EvaluateJob::run, words);
  }

  private List<Row> rows(Table table, String... order) {
    return table
        .read(spark, out.toString())
        .orderBy(
            Stream.of(order)
                .map(org.apache.spark.sql.functions::col)
                .toArray(org.apache.spark.sql.Column[]::new))
        .collectAsList();
  }

  /** Every table's rows as text, in no particular order of files. */
  private Map<String, List<String>> everything() {
    Map<String, List<String>> everything = new TreeMap<>();
    for (Table table : TABLES) {
      everything.put(
          table.name(),
          table.read(spark, out.toString()).toJSON().collectAsList().stream().sorted().toList());
    }
    return everything;
  }

  private JsonNode results(String file) throws IOException {
    ObjectNode results = (ObjectNode) new ObjectMapper().readTree(out.resolve(file).toFile());
    results.remove("date");
    return results;
  }

  @Test
  void decodesJudgesAndWritesEveryTable() throws IOException {
    JobRun result = evaluate("tasks=0-2");

    assertThat(result.errors()).isEmpty();
    assertThat(result.exitCode()).isZero();
    List<Row> completions = rows(CompletionsTable.TABLE, "input_index");
    assertThat(completions)
        .extracting(row -> row.<String>getAs("task_id"))
        .containsExactly("Starter/0", "Starter/1", "Starter/2");
    List<Row> scores = rows(ScoresTable.TABLE, "input_index");
    assertThat(scores)
        .extracting(row -> row.<String>getAs("text"))
        .isEqualTo(completions.stream().map(row -> row.<String>getAs("text_a")).toList());
    assertThat(scores).allMatch(row -> row.<Integer>getAs("base_tests") == 3);
    long passes = completions.stream().mapToLong(row -> row.<Integer>getAs("nfe")).sum();
    assertThat(rows(StepsTable.TABLE, "nfe")).hasSize((int) passes);

    Row metrics = rows(MetricsTable.TABLE, Table.PARTITION).get(0);
    double passed = scores.stream().filter(row -> row.<Boolean>getAs("passed_plus")).count() / 3.0;
    assertThat(metrics.<Integer>getAs("tasks")).isEqualTo(3);
    assertThat(metrics.<Double>getAs("pass_at_1_plus")).isEqualTo(passed);
    assertThat(metrics.<Double>getAs("tokens_per_pass"))
        .isEqualTo(
            completions.stream()
                    .mapToDouble(
                        row ->
                            row.<Integer>getAs("committed_r") + row.<Integer>getAs("committed_a"))
                    .sum()
                / passes);
    Row run = rows(RunsTable.TABLE, Table.PARTITION).get(0);
    assertThat(run.<String>getAs("run_id")).isEqualTo("test");
    assertThat(run.<String>getAs("interpreter")).startsWith("Python 3.");
    assertThat(results("eval_results.json").get("eval").fieldNames())
        .toIterable()
        .containsExactly("Starter/0", "Starter/1", "Starter/2");
    assertThat(result.output())
        .contains("pass@1 base", "tables: " + out + "/{runs,completions,steps,scores,metrics}")
        .contains("EvalPlus's result file: " + out + "/eval_results.json");
  }

  @Test
  void aSecondCommandDoesNothingAndGivesTheSameTables() throws IOException {
    evaluate("tasks=0-1");
    Map<String, List<String>> first = everything();
    JsonNode firstResults = results("eval_results.json");

    JobRun again = evaluate("tasks=0-1", "run.id=later");

    assertThat(again.exitCode()).isZero();
    assertThat(everything()).isEqualTo(first);
    assertThat(results("eval_results.json")).isEqualTo(firstResults);
  }

  @Test
  void aRunThatWasKilledBetweenDecodingAndScoringGoesOnThere() throws IOException {
    evaluate("tasks=0-1");
    Map<String, List<String>> first = everything();
    for (Table table : List.of(ScoresTable.TABLE, MetricsTable.TABLE, StepsTable.TABLE)) {
      delete(Path.of(table.location(out.toString())));
    }
    Files.createDirectories(out.resolve("scores/_temporary/0/_temporary"));

    assertThat(evaluate("tasks=0-1").exitCode()).isZero();

    Map<String, List<String>> second = everything();
    for (String table : List.of("completions", "steps", "metrics")) {
      assertThat(second.get(table)).isEqualTo(first.get(table));
    }
    assertThat(second.get("scores")).hasSize(2);
  }

  private static void delete(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      files
          .sorted(Comparator.reverseOrder())
          .forEach(
              file -> {
                try {
                  Files.delete(file);
                } catch (IOException e) {
                  throw new UncheckedIOException(e);
                }
              });
    }
  }

  @Test
  void moreTasksAreAddedToWhatIsThere() {
    evaluate("tasks=0-1");
    List<String> first = everything().get("completions");

    assertThat(evaluate("tasks=0-2").exitCode()).isZero();

    assertThat(everything().get("completions")).hasSize(3).containsAll(first);
    assertThat(rows(ScoresTable.TABLE, "input_index")).hasSize(3);
    assertThat(rows(MetricsTable.TABLE, Table.PARTITION).get(0).<Integer>getAs("tasks"))
        .isEqualTo(3);
  }

  @Test
  void aSweepSharesFolderAndReplica() throws IOException {
    JobRun result = evaluate("tasks=0-1", "-m", "decode.tau_a=0.5,0.9");

    assertThat(result.errors()).isEmpty();
    assertThat(result.exitCode()).isZero();
    for (Table table : TABLES) {
      assertThat(rows(table, Table.PARTITION))
          .extracting(row -> row.<String>getAs(Table.PARTITION))
          .as(table.name())
          .satisfies(ids -> assertThat(ids.stream().distinct()).hasSize(2));
    }
    assertThat(
            CompletionsTable.TABLE.read(spark, out.toString()).select("replica").distinct().count())
        .isEqualTo(1);
    assertThat(out.resolve("multirun.yaml")).exists();
    assertThat(results("0/eval_results.json").get("eval")).hasSize(2);
    assertThat(results("1/eval_results.json").get("eval")).hasSize(2);
    assertThat(result.output().lines().filter(line -> line.startsWith("decode.tau_a=")))
        .extracting(line -> line.split(" ")[0])
        .containsExactly("decode.tau_a=0.5", "decode.tau_a=0.9");
    theBundledQueriesNeedOnlyTheParquet();
  }

  /** As in spark-sql without lockstep: columns, types and partitions are what Spark finds. */
  private void theBundledQueriesNeedOnlyTheParquet() {
    for (Table table : TABLES) {
      spark.read().parquet(table.location(out.toString())).createOrReplaceTempView(table.name());
    }
    for (NamedQuery query : NamedQuery.values()) {
      List<Row> answer = spark.sql(query.sql()).collectAsList();
      if (query != NamedQuery.EMPTY_ANSWERS) {
        assertThat(answer).as(query.spelling()).isNotEmpty();
      }
    }
  }

  @Test
  void aPlanIsSaidAndNothingIsWritten() throws IOException {
    JobRun result = evaluate("tasks=0-2", "plan=true", "-m", "decode.tau_a=0.5,0.9");

    assertThat(result.errors()).isEmpty();
    assertThat(result.exitCode()).isZero();
    assertThat(result.output())
        .isEqualTo(
            """
            config            tasks  samples  rows  done  missing  passes a row  passes
            decode.tau_a=0.5      3        1     3     0        3           4.0      12
            decode.tau_a=0.9      3        1     3     0        3           4.0      12

            assumed: 20.0 ms a row and pass, and the passes; %s holds no row of dream-tiny on local to measure
            decoding 6 rows: 0.00 replica hours (GPU hours where a replica has one), 0:00:00 on 1 replica
            planned only: nothing was written. Leave out plan=true to run it.
            """
                .formatted(out));
    assertThat(out).doesNotExist();
  }

  @Test
  void aPlanCountsWhatIsDoneAndMeasuresIt() {
    evaluate("tasks=0-1");
    Map<String, List<String>> before = everything();
    List<Row> rows = rows(CompletionsTable.TABLE, "input_index");
    double passes = rows.stream().mapToInt(row -> row.<Integer>getAs("nfe")).average().orElse(0);

    JobRun result = evaluate("tasks=0-3", "plan=true");

    assertThat(result.output().lines().skip(1).findFirst().orElse(""))
        .matches(
            "c\\S+ +4 +1 +4 +2 +2 +%s +%s"
                .formatted(
                    String.format(Locale.ROOT, "%.1f", passes),
                    String.format(Locale.ROOT, "%.0f", passes * 2)));
    assertThat(result.output())
        .containsPattern("measured: [0-9.]+ ms a row and pass, on 2 rows of dream-tiny on local");
    assertThat(everything()).isEqualTo(before);
  }

  @Test
  void samplesOfATaskStandInOrderInTheResultFile() throws IOException {
    assertThat(
            evaluate("tasks=0-1", "model.generation.n=2", "model.generation.temperature=0.8")
                .exitCode())
        .isZero();

    List<Row> scores = rows(ScoresTable.TABLE, "input_index", "sample_index");
    JsonNode eval = results("eval_results.json").get("eval");
    List<String> solutions = new ArrayList<>();
    for (JsonNode task : eval) {
      task.forEach(sample -> solutions.add(sample.get("solution").asText()));
    }
    assertThat(solutions)
        .isEqualTo(scores.stream().map(row -> row.<String>getAs("program")).toList())
        .hasSize(4);
  }

  /** Each is found before anything is written, with the user's exit code. */
  @Nested
  class AMistake {

    private void isTold(String message, String... words) {
      JobRun result = evaluate(words);
      assertThat(result.errors()).isEqualTo("lockstep: " + message + "\n");
      assertThat(result.exitCode()).isEqualTo(2);
      assertThat(out).doesNotExist();
    }

    @Test
    void inAKeyShowsTheNearest() {
      isTold(
          """
          Could not override 'decode.tau': the key is not in 'decode'. Did you mean 'decode.tau_r'? To add a new key use +decode.tau=0.5.
              decode.tau=0.5
                     ^""",
          "decode.tau=0.5");
    }

    @Test
    void inAGroupsOptionNamesTheOptions() {
      isTold(
          """
          Could not load 'decode=lockstp': the group 'decode' has no option 'lockstp'. Did you mean 'lockstep'? Available options: d2f, dream, fast_dllm, jacobi, llada, lockstep.
              decode=lockstp
                     ^""",
          "decode=lockstp");
    }

    @Test
    void inAValueNamesWhatIsAllowed() {
      isTold(
          "Cannot decode with decode.tau_a=1.4: the acceptance threshold must lie in (0, 1]. Try decode.tau_a=0.85.",
          "decode.tau_a=1.4");
    }

    @Test
    void inAHarnessValueNamesWhatIsAllowed() {
      isTold(
          "Cannot run with harness.parallel=0: it must be 1 or more, or null for all cores.",
          "harness.parallel=0");
    }

    @Test
    void inADatasetsPathNamesIt() {
      isTold(
          "Cannot use nowhere.jsonl.gz as humanevalplus: it does not exist; get the benchmark with `submit/lockstep fetch dataset=humanevalplus` or set dataset.path to another file.",
          "dataset=humanevalplus",
          "dataset.path=nowhere.jsonl.gz");
    }

    @Test
    void inADatasetsLineShowsFileLineAndColumn() throws IOException {
      Path file = Files.writeString(folder.resolve("tasks.jsonl"), "{\"task_id\": oops}\n");
      isTold(
          "Cannot use %s:1:17 as humanevalplus: not JSON: Unrecognized token 'oops'; get the benchmark with `submit/lockstep fetch dataset=humanevalplus` or set dataset.path to another file."
              .formatted(file),
          "dataset=humanevalplus",
          "dataset.path=" + file);
    }

    @Test
    void ofACopyThatWasCutSaysSo() throws IOException {
      Path file = folder.resolve("cut.jsonl.gz");
      try (GZIPOutputStream out = new GZIPOutputStream(Files.newOutputStream(file))) {
        out.write("\n".repeat(100_000).getBytes(StandardCharsets.UTF_8));
      }
      byte[] whole = Files.readAllBytes(file);
      Files.write(file, Arrays.copyOf(whole, whole.length / 2));
      isTold(
          "Cannot use %s as humanevalplus: its gzip data ends too early, after 40960 lines; get the benchmark with `submit/lockstep fetch dataset=humanevalplus` or set dataset.path to another file."
              .formatted(file),
          "dataset=humanevalplus",
          "dataset.path=" + file);
    }

    @Test
    void inATaskNamesTheNearest() {
      isTold(
          "Cannot select dataset.tasks=Starter/500: starter has no such task; the nearest is Starter/119.",
          "tasks=Starter/500");
    }

    @Test
    void inAModelsFolderNamesWhatIsMissing() throws IOException {
      Path model = Files.createDirectory(folder.resolve("model"));
      isTold(
          "Cannot load Dream from %s: config.json is missing (the folder holds nothing). Set model.path to a checkpoint folder."
              .formatted(model),
          "model=dream",
          "model.path=" + model);
    }

    @Test
    void inAModelsFolderNamesTheShardThatIsMissing() throws IOException {
      Path bundled =
          new CheckpointLocator(HubSettings.fromEnvironment(), CacheFolder.current())
              .locate(new CheckpointSource.Bundled("dream-tiny"))
              .folder();
      Path model = Files.createDirectory(folder.resolve("model"));
      Files.copy(bundled.resolve("config.json"), model.resolve("config.json"));
      Files.writeString(
          model.resolve("model.safetensors.index.json"),
          """
          {"metadata": {}, "weight_map": {"lm_head.weight": "model-00001-of-00002.safetensors"}}
          """);
      isTold(
          "Cannot load Dream from %s: shard model-00001-of-00002.safetensors is missing (listed in model.safetensors.index.json). Copy or download it there."
              .formatted(model),
          "model=dream",
          "model.path=" + model);
    }

    @Test
    void inASweepOverBenchmarksSaysWhatToDo() {
      isTold(
          "Cannot sweep over dataset: one run has one benchmark. Use one evaluate for each.",
          "-m",
          "dataset=starter,humanevalplus");
    }

    @Test
    void inASweepOverJudgesSaysWhatToDo() {
      isTold(
          "Cannot sweep over harness.sandbox or harness.python: one run has one judge. Use one evaluate for each.",
          "-m",
          "harness.sandbox=auto,seccomp");
    }

    @Test
    void inASweepOfOneConfigurationNamesTheJobs() {
      isTold(
          "Cannot sweep: jobs #0 and #1 (output.dir=%s decode.r_length=6 decode.a_length=10 run.id=test hardware.batch_rows=4) differ in nothing that decides results. Sweep over keys of model, decode or harness."
              .formatted(out),
          "-m",
          "hardware.batch_rows=2,4");
    }
  }

  @Test
  void aMachineWithoutThatPythonIsNamed() {
    JobRun result = evaluate("harness.python=/nowhere/python3");

    assertThat(result.exitCode()).isEqualTo(3);
    assertThat(result.errors())
        .isEqualTo(
            "lockstep: Cannot run programs with harness.python=/nowhere/python3: there is no such executable. Install it (Debian: apt-get install python3 python3-numpy) or name another.\n");
    assertThat(out).doesNotExist();
  }

  @Test
  void anotherRunsFolderIsRefused() {
    evaluate("tasks=0");

    JobRun result = evaluate("tasks=0", "decode.tau_r=0.5", "decode.tau_a=0.5");

    assertThat(result.exitCode()).isEqualTo(2);
    assertThat(result.errors())
        .isEqualTo(
            "lockstep: Cannot write to output.dir=%s: it holds run test, and decode.tau_a was 0.92 and is 0.5; decode.tau_r was 0.9 and is 0.5. Repeat that run's settings to go on with it, or choose another output.dir.%n"
                .formatted(out));
  }
}
