package ai.lockstep.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import ai.lockstep.jobs.cli.JobMain;
import ai.lockstep.jobs.tables.CompletionsTable;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What {@code generate} says to mistakes in settings and prompts. */
@ExtendWith(LocalSpark.class)
class GenerateMistakesTest {

  @TempDir Path folder;
  private Path out;
  private Path prompts;

  @BeforeEach
  void writePrompts() throws IOException {
    out = folder.resolve("out");
    prompts = folder.resolve("prompts.jsonl");
    Files.writeString(prompts, "{\"id\": \"one\", \"prompt_ids\": [5, 6, 7]}\n");
  }

  private record Result(int exitCode, String errors) {}

  private Result generate(String... more) {
    List<String> words =
        new ArrayList<>(List.of("input=" + prompts, "output.dir=" + out, "run.id=test"));
    words.addAll(List.of(more));
    PrintStream standardError = System.err;
    ByteArrayOutputStream errors = new ByteArrayOutputStream();
    System.setErr(new PrintStream(errors, true, StandardCharsets.UTF_8));
    try {
      int exitCode =
          JobMain.exitCode(GenerateJob.DESCRIPTION, words.toArray(String[]::new), GenerateJob::run);

      return new Result(exitCode, errors.toString(StandardCharsets.UTF_8).strip());
    } finally {
      System.setErr(standardError);
    }
  }

  private void refused(String message, String... overrides) {
    Result result = generate(overrides);

    assertThat(result).isEqualTo(new Result(2, "lockstep: " + message));
    assertThat(out).doesNotExist();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "decode.tau_r=0|0.0|decode.tau_r|the acceptance threshold must lie in (0, 1]|0.85",
        "decode.tau_a=1.01|1.01|decode.tau_a|the acceptance threshold must lie in (0, 1]|0.85",
        "decode.max_fill_frac=-1|-1.0|decode.max_fill_frac|the share of a block filled by one pass must lie in (0, 1]|0.4",
        "decode.halo=-1|-1|decode.halo|the number of positions must be 0 or more|8",
      })
  void settingsOfLockstepOutOfRange(
      String override, String value, String key, String rule, String suggestion) {
    refused(
        "Cannot decode with %s=%s: %s. Try %s=%s.".formatted(key, value, rule, key, suggestion),
        override);
  }

  @Test
  void nothingToFill() {
    refused(
        "Cannot decode with decode.a_length=0: with decode.r_length=0 there is nothing to fill. Try decode.a_length=256.",
        "decode.r_length=0",
        "decode.a_length=0");
  }

  @Test
  void noSteps() {
    refused(
        "Cannot run with model.generation.steps=0: the number of steps must be 1 or more, or null for one token a step.",
        "model.generation.steps=0");
  }

  @Test
  void unknownAlgorithm() {
    refused(
        "Cannot run with model.generation.alg=best: it must be one of maskgit_plus, topk_margin, entropy, origin.",
        "model.generation.alg=best");
  }

  @Test
  void originWithADecoderThatRanks() {
    refused(
        "Cannot decode with model.generation.alg=origin: lockstep ranks positions by maskgit_plus, topk_margin or entropy. Try model.generation.alg=maskgit_plus.",
        "model.generation.alg=origin");
  }

  @Test
  void unknownHookClass() {
    refused(
        "Cannot decode with decode.hooks.tokens=no.such.Hook: no class of that name is on the class path. Try decode.hooks.tokens=null.",
        "decode.hooks.tokens=no.such.Hook");
  }

  @Test
  void aClassThatIsNoHook() {
    refused(
        "Cannot decode with decode.hooks.logits=java.util.ArrayList: the class does not implement ai.lockstep.udf.decode.LogitsHook. Try decode.hooks.logits=null.",
        "decode.hooks.logits=java.util.ArrayList");
  }

  @Test
  void aCacheWhereThereIsNone() {
    refused(
        "Cannot decode with decode.cache=dual: decode=dream reads the whole row in every pass. Try decode.cache=none.",
        "decode=dream",
        "decode.cache=dual");
  }

  @Test
  void aBlockLengthThatDoesNotDivideTheTokens() {
    refused(
        "Cannot decode with decode.block_length=9: it must divide model.generation.max_new_tokens=112. Try decode.block_length=8.",
        "decode=fast_dllm",
        "decode.block_length=9");
  }

  @Test
  void anEmptyPromptsFile() throws IOException {
    Files.writeString(prompts, "\n");

    refused(
        "Cannot decode input=%s: it holds no prompt. Each line must be an object with id and prompt or prompt_ids."
            .formatted(prompts));
  }

  @Test
  void anIdTwice() throws IOException {
    Files.writeString(
        prompts,
        "{\"id\": \"one\", \"prompt_ids\": [5]}\n\n{\"id\": \"one\", \"prompt_ids\": [6]}\n");

    refused(
        "Cannot read %s:3: the id 'one' is already on line 1; ids must be unique."
            .formatted(prompts));
  }

  @Test
  void rowsThatCannotBeDecodedFailAloneAndSayWhy(SparkSession spark) throws IOException {
    String tooLong = "5, ".repeat(40_000);
    Files.writeString(
        prompts,
        """
        {"id": "long", "prompt_ids": [%s5]}
        {"id": "negative", "prompt_ids": [-1]}
        {"id": "good", "prompt_ids": [5, 6, 7]}
        """
            .formatted(tooLong));

    Result result = generate("decode.r_length=4", "decode.a_length=4");

    assertThat(result)
        .isEqualTo(
            new Result(
                4,
                "lockstep: 2 of 3 rows failed; the column error of %s/completions says why. The rest is written."
                    .formatted(out)));
    List<String> errors =
        CompletionsTable.TABLE
            .read(spark, out.toString())
            .orderBy("input_index")
            .select("error")
            .collectAsList()
            .stream()
            .map(row -> row.getString(0))
            .toList();
    assertThat(errors.get(0))
        .matches(
            "Cannot decode row long#0: its prompt of 40001 tokens and \\d+ positions to fill exceed"
                + " the model's context of \\d+\\. Shorten the prompt or lower decode\\.r_length or"
                + " decode\\.a_length\\.");
    assertThat(errors.get(1))
        .matches(
            "Cannot decode row negative#0: its prompt holds id -1, and the model's ids are 0 to \\d+\\.");
    assertThat(errors.get(2)).isNull();
  }
}
