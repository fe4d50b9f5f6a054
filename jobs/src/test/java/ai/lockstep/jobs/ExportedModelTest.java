package ai.lockstep.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import ai.lockstep.jobs.cli.JobMain;
import ai.lockstep.udf.checkpoint.Checkpoint;
import ai.lockstep.udf.checkpoint.CheckpointLocator;
import ai.lockstep.udf.checkpoint.CheckpointSource;
import ai.lockstep.udf.model.torch.TorchScriptArchive;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/**
 * {@code generate} with a user's own TorchScript file, whose output at position i is always the id
 * 40 + i mod 50.
 */
@ExtendWith(LocalSpark.class)
class ExportedModelTest {

  private static final String COUNTING =
      """
      class Counting(Module):
        __parameters__ = []
        __buffers__ = []
        training : bool
        def forward(self: __torch__.Counting, ids: Tensor, mask: Tensor) -> Tensor:
          positions = torch.sub(torch.cumsum(torch.ones_like(ids), 1), 1)
          favourite = torch.add(torch.remainder(positions, 50), 40)
          return torch.mul(torch.one_hot(favourite, %d), 20.)
      """;

  @TempDir Path folder;
  private final Checkpoint tiny =
      CheckpointLocator.fromEnvironment().locate(CheckpointSource.Bundled.DREAM_TINY);
  private Path out;
  private Path prompts;
  private Path exported;

  @BeforeEach
  void writeFiles(SparkSession spark) throws IOException {
    out = folder.resolve("out");
    prompts =
        Files.writeString(
            folder.resolve("prompts.jsonl"),
            """
            {"id": "short", "prompt_ids": [5]}
            {"id": "long", "prompt_ids": [5, 6, 7, 8, 9, 10]}
            """);
    exported =
        Files.write(
            folder.resolve("counting.pt"),
            TorchScriptArchive.of(
                "Counting",
                COUNTING.formatted(tiny.config().vocabSize()),
                Map.<String, Object>of("training", false)));
  }

  private record Result(int exitCode, String errors) {}

  private Result generate(String... more) {
    List<String> words =
        new ArrayList<>(
            List.of(
                "model=torchscript",
                "model.path=" + exported,
                "model.torchscript.tokenizer=" + tiny.folder(),
                "model.torchscript.vocab_size=" + tiny.config().vocabSize(),
                "model.torchscript.token_count=" + tiny.config().vocabSize(),
                "model.torchscript.mask_id=" + tiny.config().maskId(),
                "model.torchscript.pad_id=" + tiny.config().padId(),
                "model.generation.temperature=0",
                "model.generation.eos_token_ids=[%d]".formatted(tiny.config().eosIds().get(0)),
                "input=" + prompts,
                "output.dir=" + out,
                "decode.r_length=6",
                "decode.a_length=10"));
    words.addAll(List.of(more));
    PrintStream standardError = System.err;
    ByteArrayOutputStream errors = new ByteArrayOutputStream();
    System.setErr(new PrintStream(errors, true, StandardCharsets.UTF_8));
    try {
      int exitCode =
          JobMain.exitCode(GenerateJob.DESCRIPTION, words.toArray(String[]::new), GenerateJob::run);
      return new Result(exitCode, errors.toString(StandardCharsets.UTF_8));
    } finally {
      System.setErr(standardError);
    }
  }

  /** Every token of the blocks is the favourite of the position {@code before} places earlier. */
  private void assertCounted(int before) throws IOException {
    List<String> lines = Files.readAllLines(out.resolve("completions.jsonl"));
    int[] promptLengths = {1, 6};
    assertThat(lines).hasSize(2);
    for (int row = 0; row < 2; row++) {
      JsonNode line = new ObjectMapper().readTree(lines.get(row));
      for (JsonNode block : line.get("blocks")) {
        for (int i = 0; i < block.get("length").asInt(); i++) {
          int position = block.get("start").asInt() + i;
          assertThat(line.get("token_ids").get(position - promptLengths[row]).asInt())
              .isEqualTo(40 + (position - before) % 50);
        }
      }
    }
  }

  @Test
  void isReadOneBeforeUnlessItSaysOtherwise() throws IOException {
    Result result = generate();

    assertThat(result.errors()).isEmpty();
    assertThat(result.exitCode()).isZero();
    assertCounted(1);
  }

  @Test
  void isReadInPlaceWhenItIsNotShifted() throws IOException {
    assertThat(generate("model.torchscript.shifted=false").exitCode()).isZero();

    assertCounted(0);
  }

  @Test
  void isRefusedBeforeAnythingIsWrittenWhenTheFileIsMissing() {
    Result result = generate("model.path=/no/model.pt");

    assertThat(result)
        .isEqualTo(
            new Result(
                2,
                "lockstep: Cannot load the exported model /no/model.pt: there is no such file. Set model.path to a TorchScript file.%n"
                    .formatted()));
    assertThat(out).doesNotExist();
  }

  @Test
  void isRefusedWithACache() {
    assertThat(generate("decode.cache=dual"))
        .isEqualTo(
            new Result(
                2,
                "lockstep: Cannot decode an exported model with decode.cache=dual: its program keeps no keys and values. Set decode.cache=none.%n"
                    .formatted()));
  }

  @Test
  void isRefusedWithoutItsTokenizer() {
    assertThat(generate("model.torchscript.tokenizer=/no/tokenizer.json"))
        .isEqualTo(
            new Result(
                2,
                "lockstep: Cannot run with model.torchscript.tokenizer=/no/tokenizer.json: there is no such file or folder. Name the tokenizer.json of the exported model.%n"
                    .formatted()));
  }
}
