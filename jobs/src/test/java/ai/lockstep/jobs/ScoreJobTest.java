package ai.lockstep.jobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import ai.lockstep.datasets.Benchmark;
import ai.lockstep.datasets.Benchmarks;
import ai.lockstep.datasets.Suite;
import ai.lockstep.jobs.run.FileDigest;
import ai.lockstep.jobs.tables.CompletionsTable;
import ai.lockstep.jobs.tables.MetricsTable;
import ai.lockstep.jobs.tables.ScoresTable;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** The whole job on a handful of tasks of the bundled suite. */
@ExtendWith(LocalSpark.class)
class ScoreJobTest {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Benchmark STARTER = Benchmarks.open(Suite.STARTER);

  @TempDir Path folder;
  private Path out;
  private Path samples;
  private SparkSession spark;

  @BeforeEach
  void takeSession(SparkSession session) {
    spark = session;
    out = folder.resolve("out");
    samples = folder.resolve("samples.jsonl");
  }

  private JobRun score(String... more) {
    List<String> words =
        new ArrayList<>(
            List.of("samples=" + samples, "output.dir=" + out, "run.id=test", "viz.enabled=false"));
    words.addAll(List.of(more));
    return JobRun.of(ScoreJob.DESCRIPTION, ScoreJob::run, words);
  }

  private static String line(int task, String key, String text) {
    ObjectNode line = JSON.createObjectNode();
    return line.put("task_id", "Starter/" + task).put(key, text).toString();
  }

  private static String right(int task) {
    return line(task, "solution", STARTER.tasks().get(task).referenceProgram());
  }

  private static String wrong(int task) {
    String name = STARTER.tasks().get(task).entryPoint();
    return line(task, "solution", "def %s(*arguments):\n    return 'no'\n".formatted(name));
  }

  private void write(String... lines) throws IOException {
    Files.write(samples, List.of(lines));
  }

  private List<Row> scores() {
    return ScoresTable.TABLE.read(spark, out.toString()).orderBy("input_index").collectAsList();
  }

  private List<String> statuses() {
    return scores().stream()
        .map(
            row ->
                "%s#%d %s %s"
                    .formatted(
                        row.<String>getAs("task_id"),
                        row.<Integer>getAs("sample_index"),
                        row.<String>getAs("base_status"),
                        row.<String>getAs("plus_status")))
        .toList();
  }

  private JsonNode results() throws IOException {
    return JSON.readTree(out.resolve("eval_results.json").toFile());
  }

  @Test
  void judgesSamplesInTheOrderOfTheFile() throws IOException {
    write(right(2), wrong(0), right(0), right(2));

    JobRun result = score("viz.enabled=true", "wandb.enabled=true");

    assertThat(result.errors()).isEmpty();
    assertThat(result.exitCode()).isZero();
    assertThat(result.output())
        .contains("report: " + out + "/report.html\n")
        .contains("Weights & Biases: wandb sync " + out)
        .doesNotContain("missing:");
    assertThat(
            JSON.readTree(out.resolve("wandb/latest-run/files/wandb-summary.json").toFile())
                .at("/samples_table/nrows")
                .asInt())
        .isEqualTo(4);
    assertThat(statuses())
        .containsExactly(
            "Starter/2#0 pass pass",
            "Starter/0#0 fail fail",
            "Starter/0#1 pass pass",
            "Starter/2#1 pass pass");
    JsonNode results = results();
    assertThat(results.get("hash").asText()).isEqualTo(STARTER.md5());
    assertThat(results.get("eval").fieldNames())
        .toIterable()
        .containsExactly("Starter/2", "Starter/0");
    assertThat(results.get("eval").get("Starter/0"))
        .extracting(sample -> sample.get("base_status").asText())
        .containsExactly("fail", "pass");
    assertThat(results.get("eval").get("Starter/0").get(0).get("base_fail_tests").toString())
        .isEqualTo("[[[3,8,5,12]]]");
    assertThat(results.get("pass_at_k").toString())
        .isEqualTo("{\"base\":{\"pass@1\":0.75},\"plus\":{\"pass@1\":0.75}}");
    Row metrics = MetricsTable.TABLE.read(spark, out.toString()).first();
    assertThat(metrics.<Double>getAs("pass_at_1_plus")).isEqualTo(0.75);
    assertThat(metrics.<Long>getAs("samples")).isEqualTo(4);
  }

  @Test
  void namesTheTasksWithoutASample() throws IOException {
    write(right(0), right(2));

    assertThat(score().output())
        .contains(
            "\n118 of 120 tasks have no sample and are not counted: Starter/1, Starter/3, Starter/4, Starter/5, Starter/6, Starter/7, Starter/8, Starter/9, Starter/10, Starter/11, ...\n");
  }

  @Test
  void keepsTheLinesOwnIds() throws IOException {
    write(
        right(0).replaceFirst("\\{", "{\"id\": \"mine\", "),
        right(1),
        right(1).replaceFirst("\\{", "{\"id\": 7, "));

    score();

    assertThat(scores())
        .extracting(row -> row.getAs("task_id"), row -> row.getAs("id"))
        .containsExactly(
            tuple("Starter/0", "mine"), tuple("Starter/1", null), tuple("Starter/1", "7"));
  }

  @Test
  void judgesEqualProgramsOfATaskOnce() throws IOException {
    write(right(0), wrong(1), right(0), right(0), wrong(1));

    score();

    assertThat(scores())
        .extracting(
            row -> row.getAs("task_id"),
            row -> row.getAs("base_status"),
            row -> row.getAs("reused"))
        .containsExactlyInAnyOrder(
            tuple("Starter/0", "pass", false),
            tuple("Starter/0", "pass", true),
            tuple("Starter/0", "pass", true),
            tuple("Starter/1", "fail", false),
            tuple("Starter/1", "fail", true));
  }

  @Test
  void aCompletionFollowsItsPrompt() throws IOException {
    write(line(0, "completion", STARTER.tasks().get(0).canonicalSolution()));

    score("harness.sanitize=false");

    assertThat(scores().get(0).<String>getAs("program"))
        .isEqualTo(STARTER.tasks().get(0).referenceProgram());
    assertThat(statuses()).containsExactly("Starter/0#0 pass pass");
  }

  @Test
  void theProgramIsCutOutUnlessItShallStand() throws IOException {
    write(line(0, "solution", STARTER.tasks().get(0).referenceProgram() + "\nThat is all.\n"));

    score();
    assertThat(statuses()).containsExactly("Starter/0#0 pass pass");
    assertThat(scores().get(0).<String>getAs("text")).endsWith("That is all.\n");

    out = folder.resolve("standing");
    score("harness.sanitize=false");
    assertThat(statuses()).containsExactly("Starter/0#0 fail fail");
  }

  @Test
  void everyTestHasAResultWithoutFailFast() throws IOException {
    write(wrong(0));

    score("harness.fail_fast=false");

    assertThat(scores().get(0).<String>getAs("base_details")).isEqualTo("000");
    assertThat(scores().get(0).<String>getAs("plus_details")).isEqualTo("0000000000");
    assertThat(results().get("eval").get("Starter/0").get(0).get("base_fail_tests")).hasSize(3);
  }

  @Test
  void thePlusTestsCanBeLeftOut() throws IOException {
    write(right(0));

    score("harness.base_only=true");

    assertThat(statuses()).containsExactly("Starter/0#0 pass null");
    assertThat(results().get("eval").get("Starter/0").get(0).get("plus_status").isNull()).isTrue();
    assertThat(results().get("pass_at_k").toString()).isEqualTo("{\"base\":{\"pass@1\":1.0}}");
    Row metrics = MetricsTable.TABLE.read(spark, out.toString()).first();
    assertThat(metrics.<Double>getAs("pass_at_1_base")).isEqualTo(1.0);
    assertThat(metrics.<Double>getAs("pass_at_1_plus")).isNull();
  }

  @Test
  void aLoneSurrogateIsNotMendedOnTheWay() throws IOException {
    String program = STARTER.tasks().get(0).referenceProgram() + "x = 'MARK'\n";
    write(line(0, "solution", program).replace("MARK", "\\ud800"));

    score("harness.sanitize=false");

    assertThat(statuses()).containsExactly("Starter/0#0 fail fail");
  }

  @Test
  void readsGzipAndFolders() throws IOException {
    samples = folder.resolve("samples.jsonl.gz");
    try (OutputStream gzip = new GZIPOutputStream(Files.newOutputStream(samples))) {
      gzip.write((right(0) + "\n" + wrong(1) + "\n").getBytes(StandardCharsets.UTF_8));
    }
    score();
    assertThat(statuses()).containsExactly("Starter/0#0 pass pass", "Starter/1#0 fail fail");

    out = folder.resolve("of a folder");
    samples = Files.createDirectories(folder.resolve("programs"));
    Path task = Files.createDirectory(samples.resolve("Starter_3"));
    Files.writeString(task.resolve("0.py"), STARTER.tasks().get(3).referenceProgram());
    score();
    assertThat(statuses()).containsExactly("Starter/3#0 pass pass");
  }

  @Test
  void judgesTheCompletionsOfAnEarlierRun() throws IOException {
    samples = folder.resolve("generated");
    JobRun generated =
        JobRun.of(
            GenerateJob.DESCRIPTION,
            GenerateJob::run,
            List.of(
                "tasks=0-1", "output.dir=" + samples, "decode.r_length=6", "decode.a_length=10"));
    assertThat(generated.errors()).isEmpty();

    JobRun result = score();

    assertThat(result.errors()).isEmpty();
    assertThat(scores())
        .extracting(row -> row.<String>getAs("text"))
        .isEqualTo(
            CompletionsTable.TABLE
                .read(spark, samples.toString())
                .orderBy("input_index")
                .collectAsList()
                .stream()
                .map(row -> row.<String>getAs("text_a"))
                .toList());
    assertThat(result.output()).contains("118 of 120 tasks have no sample");
  }

  @Test
  void aSecondCommandJudgesNothingAgain() throws IOException {
    write(right(0), wrong(1));
    score();
    List<Row> first = scores();

    assertThat(score("run.id=later").exitCode()).isZero();

    assertThat(scores()).isEqualTo(first);
  }

  @Nested
  class AMistake {

    private void isTold(String message, String... words) {
      JobRun result = score(words);
      assertThat(result.errors()).isEqualTo("lockstep: " + message + "\n");
      assertThat(result.exitCode()).isEqualTo(2);
    }

    @Test
    void withoutSamplesSaysWhatToGive() {
      isTold(
          "Cannot score without samples: give samples=FILE.jsonl, a folder of programs, or the output.dir of an earlier run.",
          "samples=null");
    }

    @Test
    void inASamplesLineShowsFileLineAndColumn() throws IOException {
      write(right(0), "{\"task_id\": \"Starter/1\", \"solution\": oops}");
      isTold(
          "Cannot read samples=%s:2:42: not JSON (Unrecognized token 'oops': was expecting (JSON String, Number (or 'NaN'/'+INF'/'-INF'), Array, Object or token 'null', 'true' or 'false')). Each line must be an object with task_id and solution or completion."
              .formatted(samples));
      assertThat(out).doesNotExist();
    }

    @Test
    void inTheBenchmarkNamesATaskThatItLacks() throws IOException {
      write("{\"task_id\": \"HumanEval/0\", \"solution\": \"\"}");
      isTold(
          "Cannot read samples=%s: none of its task ids (HumanEval/0, ...) is in starter; check dataset=NAME."
              .formatted(samples));
    }

    @Test
    void otherSamplesInTheSameFolderAreRefused() throws IOException {
      write(right(0));
      score();
      String before = FileDigest.md5(samples);
      write(right(1));
      isTold(
          "Cannot write to output.dir=%s: it holds run test, and the samples' MD5 was %s and is %s. Repeat that run's settings to go on with it, or choose another output.dir."
              .formatted(out, before, FileDigest.md5(samples)));
    }

    @Test
    void inASweepSaysWhatToDo() throws IOException {
      write(right(0));
      isTold(
          "Cannot sweep with score: eval_results.json holds one configuration. Use one score for each.",
          "-m",
          "harness.fail_fast=true,false");
    }

    @Test
    void theCompletionsOfASweepAreRefused() throws IOException {
      samples = Files.createDirectories(folder.resolve("earlier"));
      Files.writeString(
          samples.resolve("lockstep.json"),
          """
          {"job": "evaluate", "run_id": "r", "dataset": "starter", "dataset_md5": "0ab1",
           "input_md5": "", "model_digest": "d", "configs": {"c1": {}, "c2": {}}}
          """);
      isTold(
          "Cannot read samples=%s: it holds a sweep of 2 configurations, and score takes one. evaluate -m scores every one of a sweep."
              .formatted(samples));
    }

    @Test
    void anEarlierRunThatDecodedNothingIsRefused() throws IOException {
      samples = Files.createDirectories(folder.resolve("earlier"));
      Files.writeString(
          samples.resolve("lockstep.json"),
          """
          {"job": "generate", "run_id": "r", "dataset": "starter", "dataset_md5": "%s",
           "input_md5": "", "model_digest": "d", "configs": {"c1": {}}}
          """
              .formatted(STARTER.md5()));
      isTold(
          "Cannot read samples=%s: run r left no completions there. Finish it first, or name a samples file."
              .formatted(samples));
    }

    @Test
    void theCompletionsOfAnotherBenchmarkAreRefused() throws IOException {
      samples = Files.createDirectories(folder.resolve("earlier"));
      Files.writeString(
          samples.resolve("lockstep.json"),
          """
          {"job": "generate", "run_id": "r", "dataset": "mbppplus", "dataset_md5": "0ab1",
           "input_md5": "", "model_digest": "d", "configs": {"c1": {}}}
          """);
      isTold(
          "Cannot read samples=%s: it holds completions of mbppplus with MD5 0ab1, and the MD5 of dataset=starter is %s. Choose the benchmark with dataset=NAME and dataset.path=FILE."
              .formatted(samples, STARTER.md5()));
    }
  }
}
