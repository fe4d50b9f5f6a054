package ai.lockstep.jobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.lockstep.jobs.tables.CompletionsTable;
import ai.lockstep.jobs.tables.GrpoTable;
import ai.lockstep.jobs.tables.LogProbsTable;
import ai.lockstep.jobs.tables.ScoresTable;
import ai.lockstep.jobs.tables.Table;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.metadata.ParquetMetadata;
import org.apache.parquet.hadoop.util.HadoopInputFile;
import org.apache.parquet.schema.Type;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The whole job on the bundled model and suite, with short blocks. */
@ExtendWith(LocalSpark.class)
class RolloutJobTest {

  private static final int TASKS = 2;
  private static final int SAMPLES = 3;

  /** One run that most tests only look at: decoding takes seconds. */
  @TempDir static Path shared;

  private static SparkSession spark;
  private static JobRun run;

  @TempDir Path folder;

  private static JobRun rollout(Path out, String... more) {
    List<String> words =
        new ArrayList<>(
            List.of(
                "output.dir=" + out,
                "decode.r_length=6",
                "decode.a_length=20",
                "run.id=test",
                "tasks=0-" + (TASKS - 1),
                "rl.samples=" + SAMPLES,
                // Hot programs all fail, but their lengths differ.
                "rl.temperature=2",
                "rl.rewards.length=1",
                "viz.enabled=false"));
    words.addAll(List.of(more));
    return JobRun.of(RolloutJob.DESCRIPTION, RolloutJob::run, words);
  }

  @BeforeAll
  static void rollOutOnce(SparkSession session) {
    spark = session;
    run = rollout(shared.resolve("out"), "viz.enabled=true", "wandb.enabled=true");
  }

  private static Path out() {
    return shared.resolve("out");
  }

  private static List<Row> grpo(Path out) {
    return GrpoTable.TABLE
        .read(spark, out.toString())
        .orderBy("input_index", "sample_index")
        .collectAsList();
  }

  private static List<String> json(Table table, Path out) {
    return table.read(spark, out.toString()).toJSON().collectAsList().stream().sorted().toList();
  }

  private static <T> List<T> list(Row row, String column) {
    return row.getList(row.fieldIndex(column));
  }

  @Test
  void theRunIsReportedAndTracked() throws IOException {
    assertThat(run.output())
        .contains("report: " + out() + "/report.html\n")
        .contains("Weights & Biases: wandb sync " + out());
    JsonNode summary =
        new ObjectMapper()
            .readTree(out().resolve("wandb/latest-run/files/wandb-summary.json").toFile());
    assertThat(summary.path("rollout/reward_mean").asDouble())
        .isCloseTo(
            grpo(out()).stream()
                .mapToDouble(row -> row.<Double>getAs("reward"))
                .average()
                .orElse(-1),
            within(1e-9));
    assertThat(summary.path("rollout/samples").asInt()).isEqualTo(TASKS * SAMPLES);
  }

  @Test
  void theReportShowsItsRewards() throws IOException {
    List<Row> rows = grpo(out());

    JsonNode rewards = ReportJobTest.data(out()).path("rewards");

    assertThat(rewards.path("samples").asInt()).isEqualTo(TASKS * SAMPLES);
    for (Map.Entry<String, String> mean :
        Map.of("reward_mean", "reward", "length", "reward_length", "format", "reward_format")
            .entrySet()) {
      assertThat(rewards.path(mean.getKey()).asDouble())
          .as(mean.getKey())
          .isCloseTo(
              rows.stream()
                  .mapToDouble(row -> row.<Double>getAs(mean.getValue()))
                  .average()
                  .orElse(-1),
              within(1e-9));
    }
    long counted = 0;
    for (JsonNode value : rewards.path("values")) {
      counted += value.get(1).asLong();
    }
    assertThat(counted).isEqualTo(TASKS * SAMPLES);
    assertThat(run.output())
        .contains("\nreplay       " + rewards.path("checks").path("replay").asText() + "\n");
    assertThat(rewards.path("checks").path("failed_gates")).isEmpty();
  }

  @Test
  void everySampleOfEveryTaskHasARow() {
    assertThat(run.errors()).isEmpty();
    assertThat(run.exitCode()).isZero();
    assertThat(grpo(out()))
        .extracting(row -> row.<String>getAs("sample_id"))
        .extracting(id -> id.substring(id.indexOf('/') + 1))
        .containsExactly(
            "Starter/0#0",
            "Starter/0#1",
            "Starter/0#2",
            "Starter/1#0",
            "Starter/1#1",
            "Starter/1#2");
  }

  @Test
  void aRowSaysHowEachTokenCameAbout() {
    for (Row row : grpo(out())) {
      List<Integer> tokens = list(row, "token_ids");
      for (String perToken :
          List.of(
              "commit_block",
              "commit_sweep",
              "commit_nfe",
              "commit_kind",
              "commit_p",
              "commit_logp",
              "commit_score",
              "loss_mask")) {
        assertThat(list(row, perToken)).as(perToken).hasSameSizeAs(tokens);
      }
      List<Boolean> lossMask = list(row, "loss_mask");
      List<Float> logp = list(row, "commit_logp");
      List<Short> nfe = list(row, "commit_nfe");
      List<Byte> block = list(row, "commit_block");
      int trained = 0;
      for (int i = 0; i < tokens.size(); i++) {
        if (lossMask.get(i)) {
          trained++;
          assertThat(logp.get(i)).isLessThanOrEqualTo(0f);
          assertThat((int) nfe.get(i)).isBetween(0, row.<Integer>getAs("nfe") - 1);
          assertThat((int) block.get(i)).isBetween(0, 1);
        }
      }
      int filled = row.<Integer>getAs("tokens_r") + row.<Integer>getAs("tokens_a");
      // The tokens, and the end token of each block that has one.
      assertThat(trained).isBetween(filled, filled + 2);
    }
  }

  @Test
  void anAdvantageComparesARewardWithTheOthersOfItsTask() {
    List<Row> rows = grpo(out());
    for (int task = 0; task < TASKS; task++) {
      List<Row> group = rows.subList(task * SAMPLES, (task + 1) * SAMPLES);
      double sum = group.stream().mapToDouble(row -> row.<Double>getAs("reward")).sum();
      for (Row row : group) {
        double reward = row.getAs("reward");
        assertThat(row.<Double>getAs("advantage"))
            .isCloseTo(reward - (sum - reward) / (SAMPLES - 1), within(1e-9));
      }
    }
    assertThat(rows).anyMatch(row -> row.<Double>getAs("advantage") > 0);
  }

  @Test
  void theQualityOfTheDataIsPrinted() {
    assertThat(run.output())
        .contains("2 groups, 6 samples\nreward       mean ")
        .containsPattern(
            "\nzero spread  [01]\\.\\d{3} of the groups: all rewards equal, nothing to learn\n")
        .containsPattern(
            "\nduplicates   \\d samples with the tokens of an earlier one of their group\n")
        .containsPattern("\nreward +samples +share\n")
        .contains("for trainers: " + out() + "/trainers/{verl,flat,dllm_rl}\n")
        .contains("data card: " + out() + "/README.md\n");
  }

  @Test
  void storedLogProbabilitiesAreThoseOfTheRebuiltStates() {
    var line =
        Pattern.compile(
                "replay       (\\d+) tokens of 4 samples recomputed from their states; largest difference of ln p (\\S+)\n")
            .matcher(run.output());

    assertThat(line.find()).isTrue();
    assertThat(Integer.parseInt(line.group(1))).isPositive();
    assertThat(Double.parseDouble(line.group(2))).isLessThan(1e-3);
  }

  @Nested
  class ForVerl {

    private List<Row> rows() {
      return spark.read().parquet(out() + "/trainers/verl/rollouts-00000.parquet").collectAsList();
    }

    @Test
    void thereIsASingleFileWithOneRowATask() throws IOException {
      try (var files = Files.list(out().resolve("trainers/verl"))) {
        assertThat(files.map(file -> file.getFileName().toString()))
            .containsExactlyInAnyOrder(
                "rollouts-00000.parquet",
                "reward.py",
                "agent_loop.py",
                "agent_loop.yaml",
                "check.py");
      }
      assertThat(rows())
          .extracting(row -> row.<Row>getAs("extra_info").<String>getAs("task_id"))
          .containsExactly("Starter/0", "Starter/1");
    }

    @Test
    void theColumnsAreThoseThatItsReaderKnows() {
      Row row = rows().get(0);

      assertThat(row.<String>getAs("data_source")).isEqualTo("lockstep/starter");
      assertThat(row.<String>getAs("ability")).isEqualTo("code");
      assertThat(row.<String>getAs("agent_name")).isEqualTo("lockstep_replay");
      List<Row> messages = list(row, "prompt");
      assertThat(messages).hasSize(1);
      assertThat(messages.get(0).<String>getAs("role")).isEqualTo("user");
      assertThat(messages.get(0).<String>getAs("content")).contains("def ");
      assertThat(row.<Row>getAs("reward_model").<String>getAs("style")).isEqualTo("rule");
      Row extra = row.getAs("extra_info");
      assertThat(extra.<String>getAs("split")).isEqualTo("train");
      assertThat(extra.<Long>getAs("index")).isZero();
    }

    @Test
    void listsOfAGroupAreParallelAndInTheOrderOfSamples() {
      List<Row> samples = grpo(out()).subList(0, SAMPLES);
      Row row = rows().get(0);

      for (String column :
          List.of(
              "responses",
              "rewards",
              "advantages",
              "response_ids",
              "loss_masks",
              "unmask_order",
              "confidences",
              "log_probs")) {
        assertThat(list(row, column)).as(column).hasSize(SAMPLES);
      }
      for (int i = 0; i < SAMPLES; i++) {
        Row sample = samples.get(i);
        assertThat(list(row, "responses").get(i)).isEqualTo(sample.getAs("response"));
        assertThat(list(row, "rewards").get(i)).isEqualTo(sample.getAs("reward"));
        assertThat(list(row, "advantages").get(i)).isEqualTo(sample.getAs("advantage"));
        assertThat(list(row, "response_ids").get(i)).isEqualTo(sample.getAs("token_ids"));
        assertThat(list(row, "unmask_order").get(i)).isEqualTo(sample.getAs("commit_nfe"));
      }
    }

    @Test
    void theRewardFunctionFindsWhatAResponseEarned() throws Exception {
      Row row = rows().get(1);
      JsonNode truth =
          new ObjectMapper().readTree(row.<Row>getAs("reward_model").<String>getAs("ground_truth"));
      List<String> responses = list(row, "responses");
      List<Double> rewards = list(row, "rewards");

      assertThat(truth.get("task_id").asText()).isEqualTo("Starter/1");
      for (int i = 0; i < SAMPLES; i++) {
        assertThat(truth.get("sha256").get(i).asText()).isEqualTo(sha256(responses.get(i)));
        assertThat(truth.get("rewards").get(i).asDouble()).isEqualTo(rewards.get(i));
      }
    }

    @Test
    void theRewardFunctionRunsAndRefusesWhatWasNotRolledOut() throws Exception {
      Row row = rows().get(0);
      List<String> responses = list(row, "responses");
      List<Double> rewards = list(row, "rewards");
      Path input = folder.resolve("input.json");
      new ObjectMapper()
          .writeValue(
              input.toFile(),
              Map.of(
                  "ground_truth",
                  row.<Row>getAs("reward_model").<String>getAs("ground_truth"),
                  "responses",
                  responses));

      List<String> answer =
          python(
              """
              import json, sys
              import reward
              row = json.load(open(sys.argv[1], encoding="utf-8"))
              truth = row["ground_truth"]
              for response in row["responses"]:
                  print(reward.compute_score("lockstep/starter", response, truth))
              try:
                  reward.compute_score("lockstep/starter", "never rolled out", truth)
              except ValueError as e:
                  print(e)
              """,
              input.toString());

      assertThat(answer.subList(0, SAMPLES))
          .extracting(Double::parseDouble)
          .containsExactlyElementsOf(rewards);
      assertThat(answer.get(SAMPLES))
          .isEqualTo(
              "Starter/0 (lockstep/starter): this response is not among the rollouts, so it has no reward. Judge new responses with submit/lockstep score.");
    }

    @Test
    void verlsReaderTakesTheFile() throws Exception {
      assumePythonHas("datasets");

      assertThat(python("import check; check.main()"))
          .containsExactly("2 rows and 6 samples in 1 files read as verl reads them");
    }

    /** Skips, visibly, where a module is not there. */
    private void assumePythonHas(String module) throws Exception {
      assumeTrue(
          python("import importlib.util; print(importlib.util.find_spec('%s'))".formatted(module))
              .stream()
              .noneMatch("None"::equals),
          "SKIPPED: python3 has no %s here, so verl's own way of reading is not tried"
              .formatted(module));
    }

    @Test
    void pyarrowReadsTheFileAsItsReaderDoes() throws Exception {
      assumePythonHas("pyarrow");

      assertThat(
              python(
                  """
                  import sys
                  import pyarrow.parquet
                  for row in pyarrow.parquet.read_table(sys.argv[1]).to_pylist():
                      print(row["extra_info"]["task_id"], row["prompt"][0]["role"], len(row["responses"]))
                  """,
                  "rollouts-00000.parquet"))
          .containsExactly("Starter/0 user 3", "Starter/1 user 3");
    }

    /** Runs a script in the folder of the files; the lines that it prints. */
    private List<String> python(String script, String... arguments) throws Exception {
      List<String> command = new ArrayList<>(List.of("python3", "-B", "-c", script));
      command.addAll(List.of(arguments));
      Process process =
          new ProcessBuilder(command)
              .directory(out().resolve("trainers/verl").toFile())
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertThat(process.waitFor()).isZero();
      return output.lines().toList();
    }

    private static String sha256(String text) throws Exception {
      return HexFormat.of()
          .formatHex(
              MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
    }

    @Test
    void theParquetHasNeitherNullableStructsNorForeignMetadata() throws IOException {
      var file =
          HadoopInputFile.fromPath(
              new org.apache.hadoop.fs.Path(out() + "/trainers/verl/rollouts-00000.parquet"),
              new Configuration());
      try (ParquetFileReader reader = ParquetFileReader.open(file)) {
        ParquetMetadata footer = reader.getFooter();
        assertThat(footer.getFileMetaData().getKeyValueMetaData()).doesNotContainKey("huggingface");
        for (String struct : List.of("reward_model", "extra_info")) {
          Type type = footer.getFileMetaData().getSchema().getType(struct);
          assertThat(type.getRepetition()).as(struct).isEqualTo(Type.Repetition.REQUIRED);
        }
        Type message =
            footer
                .getFileMetaData()
                .getSchema()
                .getType("prompt")
                .asGroupType()
                .getType(0)
                .asGroupType()
                .getType(0);
        assertThat(message.getRepetition()).isEqualTo(Type.Repetition.REQUIRED);
      }
    }
  }

  @Test
  void flatRowsAreTheSamplesInOrder() {
    List<Row> flat =
        spark.read().parquet(out() + "/trainers/flat/rollouts-00000.parquet").collectAsList();
    List<Row> rows = grpo(out());

    assertThat(flat).hasSameSizeAs(rows);
    for (int i = 0; i < rows.size(); i++) {
      assertThat(flat.get(i).<String>getAs("completion"))
          .isEqualTo(rows.get(i).<String>getAs("response"));
      assertThat(flat.get(i).<Double>getAs("reward"))
          .isEqualTo(rows.get(i).<Double>getAs("reward"));
    }
    assertThat(flat.get(0).schema().fieldNames())
        .containsExactly("prompt", "completion", "reward", "advantage", "sample_id", "task_id");
  }

  @Test
  void theJsonListForDllmRlMapsTheTokensOfTheTextToTheirPass() throws IOException {
    JsonNode list =
        new ObjectMapper().readTree(out().resolve("trainers/dllm_rl/rollouts-00000.json").toFile());
    List<Row> rows = grpo(out());

    assertThat(list).hasSize(rows.size());
    for (int i = 0; i < rows.size(); i++) {
      JsonNode object = list.get(i);
      Row row = rows.get(i);
      List<Byte> block = list(row, "commit_block");
      long markers = block.stream().filter(number -> number < 0).count();
      int tokens = row.<Integer>getAs("tokens_r") + row.<Integer>getAs("tokens_a");
      assertThat(object.get("step_map")).hasSize((int) markers + tokens);
      assertThat(object.get("response_ids")).hasSameSizeAs(object.get("step_map"));
      assertThat(object.get("step_map"))
          .allMatch(step -> step.asInt() >= 0 && step.asInt() < row.<Integer>getAs("nfe"));
      assertThat(object.get("response").asText()).isEqualTo(row.<String>getAs("response"));
      assertThat(object.get("reward").asDouble()).isEqualTo(row.<Double>getAs("advantage"));
    }
  }

  @Test
  void theDataCardDescribesEveryColumnAndItsQueriesRun() throws IOException {
    String card = Files.readString(out().resolve("README.md"));

    assertThat(card).doesNotContain("%(").contains("2 groups, 6 samples", "a_length: 20");
    GrpoTable.TABLE
        .columns()
        .forEach(column -> assertThat(card).contains("| `%s` |".formatted(column.name())));
    List<String> queries =
        Pattern.compile("```sql\n(.*?)\n```", Pattern.DOTALL)
            .matcher(card)
            .results()
            .map((MatchResult match) -> match.group(1))
            .toList();
    assertThat(queries).hasSize(5);
    for (String query : queries) {
      JobRun answer = JobRun.of(() -> SqlJob.exitCode(query, "output.dir=" + out()));
      assertThat(answer.errors()).isEmpty();
      assertThat(answer.exitCode()).as(query).isZero();
    }
  }

  @Test
  void otherWeightsDecodeAndJudgeNothingAgain() throws IOException {
    Path out = folder.resolve("out");
    copy(out(), out);

    JobRun other = rollout(out, "rl.replay=0", "rl.rewards.length=0", "rl.zero_spread=drop");

    assertThat(other.exitCode()).isZero();
    assertThat(other.output())
        .contains("\nzero spread  1.000 of the groups")
        .contains("\nreplay       not checked (rl.replay=0)\n");
    for (Table table : List.of(CompletionsTable.TABLE, ScoresTable.TABLE)) {
      assertThat(json(table, out)).isEqualTo(json(table, out()));
    }
    assertThat(grpo(out))
        .hasSize(TASKS * SAMPLES)
        .allMatch(row -> row.<Double>getAs("reward") == 0);
    assertThat(spark.read().parquet(out + "/trainers/verl/rollouts-00000.parquet").count())
        .isZero();

    assertThat(rollout(out, "rl.replay=0").exitCode()).isZero();

    assertThat(json(GrpoTable.TABLE, out)).isEqualTo(json(GrpoTable.TABLE, out()));
  }

  @Test
  void coupledEstimatesAreMadeOnceForThreePassesASampleWithWhatTheyHid() throws IOException {
    Path out = folder.resolve("out");
    copy(out(), out);

    JobRun first = rollout(out, "rl.replay=0", "rl.logprobs=coupled");
    List<String> estimates = json(LogProbsTable.TABLE, out);
    JobRun again = rollout(out, "rl.replay=0", "rl.logprobs=coupled");

    assertThat(first.output())
        .contains("\nlogprobs     coupled: 6 samples, 18 full passes, 3.00 a sample\n");
    assertThat(again.output()).contains("coupled: 6 samples, 18 full passes");
    assertThat(json(LogProbsTable.TABLE, out)).isEqualTo(estimates).hasSize(6);
    assertThat(json(CompletionsTable.TABLE, out)).isEqualTo(json(CompletionsTable.TABLE, out()));
    for (Row row : grpo(out)) {
      List<Float> coupled = list(row, "logp_coupled");
      List<Float> full = list(row, "logp_full");
      List<Boolean> hidden = list(row, "coupled_mask");
      List<Byte> block = list(row, "commit_block");
      assertThat(row.<Float>getAs("coupled_t")).isBetween(0.2f, 0.8f);
      assertThat(row.<Object>getAs("logp_d1")).isNull();
      for (int i = 0; i < block.size(); i++) {
        assertThat(Float.isNaN(coupled.get(i))).isEqualTo(block.get(i) < 0);
        assertThat(Float.isNaN(full.get(i))).isEqualTo(block.get(i) < 0);
        assertThat(hidden.get(i) && block.get(i) < 0).isFalse();
        if (block.get(i) >= 0) {
          // Half of the full pass and a term that is 0 or less.
          assertThat(coupled.get(i)).isLessThanOrEqualTo(full.get(i) / 2);
        }
      }
      assertThat(hidden).contains(true, false);
    }
  }

  @Test
  void oneStepEstimatesKeepWhichTokensOfThePromptWereHidden() throws IOException {
    Path out = folder.resolve("out");
    copy(out(), out);

    JobRun run =
        rollout(
            out, "rl.replay=0", "rl.logprobs=d1", "rl.d1_prompt_mask=0.5", "rl.zero_spread=drop");

    assertThat(run.output())
        .contains("\nlogprobs     d1: 6 samples, 6 full passes, 1.00 a sample\n");
    for (Row row : grpo(out)) {
      assertThat(list(row, "logp_d1")).hasSameSizeAs(list(row, "token_ids"));
      assertThat(list(row, "d1_prompt_mask"))
          .hasSameSizeAs(list(row, "prompt_ids"))
          .contains(true, false);
      assertThat(row.<Object>getAs("logp_coupled")).isNull();
    }
  }

  @Test
  void aTaskOfEqualRewardsIsSampledAgainUpToTheCapAndOnlyOnce() throws IOException {
    Path out = folder.resolve("out");
    copy(out(), out);
    // No reward differs: hot programs all fail.
    String[] words = {"rl.replay=0", "rl.rewards.length=0", "rl.dynamic_sampling.max_samples=5"};

    JobRun first = rollout(out, words);
    List<String> completions = json(CompletionsTable.TABLE, out);
    rollout(out, words);

    assertThat(first.output()).contains("\n2 groups, 10 samples\n");
    assertThat(grpo(out)).extracting(row -> row.<Long>getAs("group_samples")).containsOnly(5L);
    assertThat(completions).hasSize(10).containsAll(json(CompletionsTable.TABLE, out()));
    assertThat(json(CompletionsTable.TABLE, out)).isEqualTo(completions);
  }

  @Test
  void aTaskWhoseRewardsDifferIsNotSampledAgain() throws IOException {
    Path out = folder.resolve("out");
    copy(out(), out);

    rollout(out, "rl.replay=0", "rl.dynamic_sampling.max_samples=6");

    for (String task : List.of("Starter/0", "Starter/1")) {
      boolean flat =
          grpo(out()).stream()
              .filter(row -> row.getAs("task_id").equals(task))
              .anyMatch(row -> row.<Boolean>getAs("zero_spread"));
      assertThat(grpo(out).stream().filter(row -> row.getAs("task_id").equals(task)))
          .hasSize(flat ? 6 : 3);
    }
  }

  @Test
  void aPlanCountsTheFirstRoundAndSaysThatThereMayBeMore() {
    Path out = folder.resolve("out");

    JobRun planned = rollout(out, "plan=true", "rl.dynamic_sampling.max_samples=5");

    assertThat(planned.exitCode()).as(planned.errors()).isZero();
    assertThat(planned.output())
        .contains("\ndecoding 6 rows: ")
        .endsWith("\nof the first 3 samples a task: rl.dynamic_sampling may ask for up to 5\n");
    assertThat(out).doesNotExist();
  }

  @Test
  void severalDecodersShareAGroupWhenAsked() {
    Path out = folder.resolve("out");

    JobRun both =
        rollout(
            folder.resolve("single"),
            "-m",
            "output.sweep_dir=" + out,
            "decode.mode=gauss_seidel,jacobi",
            "rl.group=task",
            "tasks=0",
            "rl.samples=2");

    assertThat(both.exitCode()).as(both.errors()).isZero();
    assertThat(out.resolve("0/.hydra/overrides.yaml"))
        .content()
        .contains("\n- decode.mode=gauss_seidel\n");
    assertThat(out.resolve("1/.hydra/overrides.yaml"))
        .content()
        .contains("\n- decode.mode=jacobi\n");
    assertThat(out.resolve("multirun.yaml")).exists();
    assertThat(out.resolve(".hydra")).doesNotExist();
    assertThat(both.output()).contains("\n1 groups, 4 samples\n");
    List<Row> rows = grpo(out);
    assertThat(rows).extracting(row -> row.<String>getAs("group_id")).containsOnly("Starter/0");
    assertThat(rows).filteredOn(row -> row.<String>getAs("decoder").contains("jacobi")).hasSize(2);
    assertThat(rows).extracting(row -> row.<String>getAs("sample_id")).doesNotHaveDuplicates();
    double sum = rows.stream().mapToDouble(row -> row.<Double>getAs("advantage")).sum();
    assertThat(sum).isCloseTo(0, within(1e-9));
    assertThat(spark.read().parquet(out + "/trainers/verl/rollouts-00000.parquet").count())
        .isEqualTo(1);
  }

  @Test
  void aGateThatFailsEndsWithFourWhenEverythingIsWritten() throws IOException {
    Path out = folder.resolve("out");
    copy(out(), out);

    JobRun result =
        rollout(
            out,
            "rl.replay=0",
            "rl.gates.against=" + out(),
            "rl.rewards.length=0",
            "rl.gates.max_zero_spread=0.5",
            "viz.enabled=true");

    assertThat(result.exitCode()).isEqualTo(4);
    assertThat(result.errors())
        .isEqualTo(
            "lockstep: The rollouts at %s are written, but zero spread 1.000 is above rl.gates.max_zero_spread=0.5. Look at them before training.\n"
                .formatted(out));
    // Weighted alike, the same samples are where they were.
    assertThat(result.output())
        .contains(
            "\ndrift        distance 0.000, mean +0.000 (p 1.00, 2 tasks in common), against "
                + out());
    assertThat(grpo(out)).hasSize(TASKS * SAMPLES);
    JsonNode checks = ReportJobTest.data(out).path("rewards").path("checks");
    assertThat(checks.path("drift").path("distance").asDouble()).isZero();
    assertThat(checks.path("drift").path("against").asText()).isEqualTo(out().toString());
    assertThat(checks.path("failed_gates").get(0).asText())
        .isEqualTo("zero spread 1.000 is above rl.gates.max_zero_spread=0.5");
  }

  private static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.toList()) {
        Files.copy(file, to.resolve(from.relativize(file).toString()));
      }
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "rl.samples=1|Cannot run with rl.samples=1: a group needs 2 samples or more.",
        "rl.temperature=0|Cannot roll out 3 samples a task with model.generation.temperature=0.0: all samples of a group would be equal. Set rl.temperature above 0, or insist with rl.allow_greedy=true.",
        "model.generation.temperature=0|Cannot roll out 3 samples a task with model.generation.temperature=0.0: all samples of a group would be equal. Set rl.temperature above 0, or insist with rl.allow_greedy=true.",
        "model.generation.n=2|Cannot roll out with model.generation.n=2 and rl.samples=3: a group is what is sampled of a task. Give rl.samples alone.",
        "+rl.rewards.style=1|Cannot reward by rl.rewards.style: there is no such part. The parts are plus, base, tests, format, length, tamper.",
        "harness.base_only=true|Cannot reward by rl.rewards.plus=2.0 with harness.base_only=true: not all of the tests run. Set harness.base_only=false, or rl.rewards.plus=0.",
        "rl.d1_prompt_mask=1|Cannot run with rl.d1_prompt_mask=1.0: a probability in [0, 1) is needed; 0 hides none of the prompt.",
        "rl.dynamic_sampling.max_samples=2|Cannot run with rl.dynamic_sampling.max_samples=2: it must be rl.samples or more, or null for one round.",
        "rl.gates.max_drop=1|Cannot run with rl.gates.max_drop=1.0: there is nothing to compare with. Set rl.gates.against to the output.dir of an earlier rollout.",
        "rl.gates.against=nowhere|Cannot compare with rl.gates.against=nowhere: no rollouts are there. Name the output.dir of an earlier rollout, or null.",
        "rl.rewards.tests=1|Cannot reward by rl.rewards.tests=1.0 with harness.fail_fast=true: not all of the tests run. Set harness.fail_fast=false, or rl.rewards.tests=0.",
      })
  void oneSentencePerMistake(String override, String message) {
    JobRun result = rollout(folder.resolve("out"), override);

    assertThat(result.exitCode()).isEqualTo(2);
    assertThat(result.errors()).isEqualTo("lockstep: " + message + "\n");
    assertThat(folder.resolve("out")).doesNotExist();
  }

  @Test
  void aSweepIsRefused() {
    JobRun result = rollout(folder.resolve("out"), "-m", "decode.tau_a=0.5,0.9");

    assertThat(result.exitCode()).isEqualTo(2);
    assertThat(result.errors())
        .isEqualTo(
            "lockstep: Cannot sweep with rollout and rl.group=config: the trainers' files hold one configuration. Use one rollout for each, or compare all samples of a task with rl.group=task.\n");
  }
}
