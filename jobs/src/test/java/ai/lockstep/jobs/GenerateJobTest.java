package ai.lockstep.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import ai.lockstep.jobs.tables.CompletionsTable;
import ai.lockstep.jobs.tables.StepsTable;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** The whole job on the bundled model, with short blocks. */
@ExtendWith(LocalSpark.class)
class GenerateJobTest {

  @TempDir Path folder;
  private Path out;
  private Path prompts;

  @BeforeEach
  void writePrompts(SparkSession spark) throws IOException {
    out = folder.resolve("out");
    prompts =
        Files.writeString(
            folder.resolve("prompts.jsonl"),
            """
            {"id": "text", "prompt": "def f(x):"}
            {"id": "ids", "prompt_ids": [5, 6, 7]}
            """);
  }

  private JobRun generate(String... more) {
    List<String> words =
        new ArrayList<>(
            List.of(
                "input=" + prompts,
                "output.dir=" + out,
                "decode.r_length=6",
                "decode.a_length=10",
                "run.id=test"));
    words.addAll(List.of(more));
    return JobRun.of(GenerateJob.DESCRIPTION, GenerateJob::run, words);
  }

  private List<JsonNode> lines() throws IOException {
    return lines("completions.jsonl");
  }

  private List<JsonNode> lines(String file) throws IOException {
    List<JsonNode> lines = new ArrayList<>();
    for (String line : Files.readAllLines(out.resolve(file))) {
      lines.add(new ObjectMapper().readTree(line));
    }
    return lines;
  }

  @Test
  void writesOneLineAnInputInItsOrder() throws IOException {
    assertThat(generate().exitCode()).isZero();

    List<JsonNode> lines = lines();
    assertThat(lines).extracting(line -> line.get("id").asText()).containsExactly("text", "ids");
    JsonNode ids = lines.get(1);
    int markers = ids.get("token_ids").size() - 16;
    assertThat(markers).isPositive();
    assertThat(ids.get("blocks")).hasSize(2);
    assertThat(ids.get("blocks").get(0).get("name").asText()).isEqualTo("R");
    assertThat(ids.get("blocks").get(0).get("length").asInt()).isEqualTo(6);
    assertThat(ids.get("blocks").get(1).get("start").asInt())
        .isEqualTo(3 + ids.get("token_ids").size() - 10);
    assertThat(ids.has("trace")).isFalse();
  }

  @Test
  void aSweepWritesAFileForEachConfigurationAndIsTracked() throws IOException {
    JobRun result = generate("wandb.enabled=true", "-m", "decode.mode=gauss_seidel,jacobi");

    assertThat(result.errors()).isEmpty();
    assertThat(result.exitCode()).isZero();
    assertThat(result.output())
        .startsWith(
            "4 rows decoded, 0 failed.\nwritten to %s/{0..1}/completions.jsonl and %s/completions\n"
                .formatted(out, out))
        .contains("Weights & Biases: wandb sync " + out + "/wandb/offline-run-");
    List<JsonNode> apart = lines("0/completions.jsonl");
    List<JsonNode> together = lines("1/completions.jsonl");
    assertThat(apart).extracting(line -> line.get("id").asText()).containsExactly("text", "ids");
    assertThat(together.get(0).get("nfe").asInt()).isLessThan(apart.get(0).get("nfe").asInt());
  }

  @Test
  void tracesEveryCommitWhenAsked() throws IOException {
    assertThat(generate("decode.trace=true").exitCode()).isZero();

    for (JsonNode line : lines()) {
      assertThat(line.get("trace")).hasSizeGreaterThanOrEqualTo(16);
      assertThat(line.get("trace").get(0).get("nfe").asInt()).isZero();
      assertThat(line.get("trace").get(0).get("block").asText()).isEqualTo("R");
    }
  }

  @Test
  void aRowThatCannotBeDecodedFailsAlone(SparkSession spark) throws IOException {
    Files.writeString(
        prompts,
        "{\"id\": \"bad\", \"prompt_ids\": [99999]}\n{\"id\": \"ok\", \"prompt_ids\": [1]}\n");

    JobRun result = generate();

    assertThat(result.exitCode()).isEqualTo(4);
    assertThat(result.errors())
        .isEqualTo(
            "lockstep: 1 of 2 rows failed; the column error of %s/completions says why. The rest is written.%n"
                .formatted(out));
    assertThat(lines().get(0).get("error").asText()).contains("99999");
    assertThat(lines().get(1).has("error")).isFalse();
  }

  @Test
  void aSecondCommandDecodesOnlyWhatIsMissing(SparkSession spark) throws IOException {
    generate();
    List<JsonNode> first = lines();
    Files.writeString(prompts, Files.readString(prompts)); // the same bytes: the same input
    assertThat(generate().exitCode()).isZero();

    assertThat(lines()).isEqualTo(first);
    assertThat(CompletionsTable.TABLE.read(spark, out.toString()).count()).isEqualTo(2);
    assertThat(StepsTable.TABLE.read(spark, out.toString()).count())
        .isEqualTo(first.stream().mapToInt(line -> line.get("nfe").asInt()).sum());
  }

  @Test
  void anotherConfigurationInTheSameFolderIsRefused() {
    generate();

    JobRun result = generate("decode.tau_r=0.5");

    assertThat(result.exitCode()).isEqualTo(2);
    assertThat(result.errors())
        .isEqualTo(
            "lockstep: Cannot write to output.dir=%s: it holds run test, and decode.tau_r was 0.9 and is 0.5. Repeat that run's settings to go on with it, or choose another output.dir.%n"
                .formatted(out));
  }

  @Test
  void aThresholdOutOfRangeIsRefusedBeforeAnythingIsWritten() {
    JobRun result = generate("decode.tau_r=1.4");

    assertThat(result.exitCode()).isEqualTo(2);
    assertThat(result.errors())
        .isEqualTo(
            "lockstep: Cannot decode with decode.tau_r=1.4: the acceptance threshold must lie in (0, 1]. Try decode.tau_r=0.85.%n"
                .formatted());
    assertThat(out).doesNotExist();
  }

  @Test
  void aPromptsFileThatIsNotThereIsTheUsersMistake() {
    JobRun result = generate("input=nowhere.jsonl");

    assertThat(result.exitCode()).isEqualTo(2);
    assertThat(result.errors())
        .isEqualTo(
            "lockstep: Cannot read input=nowhere.jsonl: there is no such file. Give a JSONL file of prompts.%n"
                .formatted());
    assertThat(out).doesNotExist();
  }
}
