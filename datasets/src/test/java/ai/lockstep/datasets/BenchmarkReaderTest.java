package ai.lockstep.datasets;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.lockstep.failure.FailureCategory;
import ai.lockstep.failure.LockstepException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BenchmarkReaderTest {

  private static final String REMEDY =
      "; get the benchmark with `submit/lockstep fetch dataset=humanevalplus`"
          + " or set dataset.path to another file.";

  @TempDir private Path folder;
  private Path file;

  @BeforeEach
  void nameFile() {
    file = folder.resolve("tasks.jsonl");
  }

  @Nested
  class ABenchmark {

    @Test
    void isReadInFileOrder() throws IOException {
      write(line("HumanEval/5", "[[1]]", "[]"), "", line("HumanEval/2", "[[1]]", "[]"));

      assertThat(read().tasks())
          .extracting(Task::taskId)
          .containsExactly("HumanEval/5", "HumanEval/2");
    }

    @Test
    void keepsEveryField() throws IOException {
      write(
          "{\"task_id\": \"HumanEval/7\", \"prompt\": \"def f(x):\\n\", \"test\": {\"a\": [1]},"
              + " \"canonical_solution\": \"    return x\\n\", \"entry_point\": \"f\","
              + " \"base_input\": [[1]], \"plus_input\": [[2], [3]], \"atol\": 1e-06}");

      assertThat(read().tasks())
          .usingRecursiveFieldByFieldElementComparator()
          .containsExactly(
              new Task(
                  Suite.HUMANEVAL,
                  "HumanEval/7",
                  "def f(x):\n",
                  "    return x\n",
                  "f",
                  "[[1]]",
                  "[[2], [3]]",
                  1e-6));
    }

    @ParameterizedTest
    @CsvSource(
        delimiter = '|',
        value = {
          "[]",
          "[[1], [1.0], [1e0], [-0.0]]",
          "[[Infinity], [-Infinity], [NaN]]",
          "[[123456789012345678901234567890123456789012345678901234567890]]",
          "[[\"\\u0000 \\ud83d\\ude00 ä ]\"], [{\"k\": [null, true]}]]",
          "[ [ 1 , 2 ] ,[]]",
        })
    void keepsTestsAsTheyAreWritten(String tests) throws IOException {
      write(line("HumanEval/0", tests, tests));

      assertThat(read().tasks().get(0).baseInputJson()).isEqualTo(tests);
      assertThat(read().tasks().get(0).plusInputJson()).isEqualTo(tests);
    }

    @Test
    void mayHoldMegabytesInOneLineAndDeepNesting() throws IOException {
      String deep = "[".repeat(500) + "]".repeat(500);
      String tests =
          "[[\"" + "x".repeat(25_000_000) + "\"], [" + "9".repeat(5_000) + "], " + deep + "]";
      write(line("HumanEval/0", "[]", tests));

      // Compared by hand: a failure must not print the text.
      assertThat(read().tasks().get(0).plusInputJson().equals(tests)).isTrue();
    }

    @Test
    void isRecognisedAsGzipByItsBytes() throws IOException {
      Files.write(file, gzip(line("HumanEval/0", "[[1]]", "[]")));

      assertThat(read().tasks()).hasSize(1);
    }

    @Test
    void isRecognisedAsTextWhateverItsName() throws IOException {
      file = folder.resolve("tasks.jsonl.gz");
      write(line("HumanEval/0", "[[1]]", "[]"));

      assertThat(read().tasks()).hasSize(1);
    }

    @Test
    void isNamedByTheDigestOfItsStoredBytes() throws IOException {
      Files.writeString(file, line("HumanEval/0", "[[1]]", "[]") + "\n");

      // md5sum of the line above.
      assertThat(read().md5()).isEqualTo("c81075f59e07c71012b15a42bcecf89c");
    }

    @Test
    void isNamedByAllItsBytesEvenThoseBehindTheGzipData() throws IOException {
      byte[] gzip = gzip(line("HumanEval/0", "[[1]]", "[]"));
      Files.write(file, gzip);
      String digest = read().md5();
      Files.write(file, Arrays.copyOf(gzip, gzip.length + 100_000));

      assertThat(read().md5()).isNotEqualTo(digest);
    }
  }

  @Nested
  class AFile {

    @Test
    void mustExist() {
      assertRefused("Cannot use " + file + " as humanevalplus: it does not exist");
    }

    @Test
    void mustNotBeAFolder() {
      file = folder;
      assertRefused("Cannot use " + folder + " as humanevalplus: it is not a file");
    }

    @Test
    void mustHoldATask() throws IOException {
      write();
      assertRefused("Cannot use " + file + " as humanevalplus: it holds no task");
    }

    @Test
    void mustBeJsonLinesOrGzip() throws IOException {
      write("<!DOCTYPE html>");
      assertRefused("Cannot use " + file + " as humanevalplus: it is neither JSON Lines nor gzip");
    }

    @Test
    void mustBeUtf8() throws IOException {
      Files.write(file, new byte[] {'{', (byte) 0xff, '}'});
      assertRefused("Cannot use " + file + " as humanevalplus: it is not UTF-8 text after line 0");
    }

    @Test
    void mustNotBeCutInsideItsGzipData() throws IOException {
      byte[] gzip = gzip(line("HumanEval/0", "[[1]]", "[]"));
      Files.write(file, Arrays.copyOf(gzip, gzip.length - 9));
      assertRefused(
          "Cannot use " + file + " as humanevalplus: its gzip data ends too early, after 0 lines");
    }

    @Test
    void mustNotBeDamagedInsideItsGzipData() throws IOException {
      byte[] gzip = gzip(line("HumanEval/0", "[[1]]", "[]"));
      gzip[gzip.length - 8] ^= 1;
      Files.write(file, gzip);
      assertRefused(
          "Cannot use " + file + " as humanevalplus: its gzip data is damaged after 0 lines");
    }

    @Test
    void ofTheStarterSuiteCanBeLeftOut() {
      assertThatThrownBy(() -> Benchmarks.open(Suite.STARTER, file))
          .hasMessage(
              "Cannot use "
                  + file
                  + " as starter: it does not exist;"
                  + " leave dataset.path out to use the suite that comes with lockstep.");
    }
  }

  @Nested
  class ALine {

    @Test
    void mustBeJson() throws IOException {
      write(line("HumanEval/0", "[[1]]", "[]"), "{\"task_id\": oops}");
      assertRefused(
          "Cannot use " + file + ":2:17 as humanevalplus: not JSON: Unrecognized token 'oops'");
    }

    @Test
    void mustNotBeCut() throws IOException {
      write("{\"task_id\": \"HumanEval/0\", \"base_input\": [[1]");
      assertRefused(
          "Cannot use "
              + file
              + ":1:46 as humanevalplus: not JSON: Unexpected end-of-input: expected close marker"
              + " for Array");
    }

    @Test
    void mustNotHoldBrokenTests() throws IOException {
      write(line("HumanEval/0", "[[1}]", "[]"));
      assertRefused(
          "Cannot use "
              + file
              + ":1:107 as humanevalplus: not JSON: Unexpected close marker '}': expected ']'");
    }

    @Test
    void mustBeAnObject() throws IOException {
      write(line("HumanEval/0", "[[1]]", "[]"), "[1]");
      assertRefusedLine(2, "a line must be a JSON object");
    }

    @Test
    void mustHoldNothingElse() throws IOException {
      write(line("HumanEval/0", "[[1]]", "[]") + " {}");
      assertRefusedLine(1, "a line must hold one JSON object and nothing after it");
    }

    @ParameterizedTest
    @CsvSource({
      "task_id",
      "prompt",
      "canonical_solution",
      "entry_point",
      "base_input",
      "plus_input",
      "atol",
    })
    void mustHoldEveryField(String field) throws IOException {
      write(
          line("HumanEval/0", "[[1]]", "[]"),
          line("HumanEval/1", "[[1]]", "[]").replace(field, "other"));
      assertRefusedLine(2, "field " + field + " is missing");
    }

    @ParameterizedTest
    @CsvSource(
        delimiter = '|',
        value = {
          "'\"prompt\": \"p\"'     | '\"prompt\": 1'            | prompt must be a string, not a number",
          "'\"prompt\": \"p\"'     | '\"prompt\": null'         | prompt must be a string, not null",
          "'\"atol\": 0'           | '\"atol\": \"0\"'          | atol must be a number, not a string",
          "'\"atol\": 0'           | '\"atol\": -1'             | 'atol must be 0 or more, not -1'",
          "'\"atol\": 0'           | '\"atol\": NaN'            | 'atol must be 0 or more, not NaN'",
          "'\"base_input\": [[1]]' | '\"base_input\": \"\"'     | base_input must be an array of tests, not a string",
          "'\"base_input\": [[1]]' | '\"base_input\": {\"a\":1}' | base_input must be an array of tests, not an object",
          "'\"base_input\": [[1]]' | '\"base_input\": [[1], 2]' | base_input[1] must be an array of arguments, not a number",
        })
    void mustHoldFieldsOfTheRightType(String right, String wrong, String reason)
        throws IOException {
      write(line("HumanEval/0", "[[1]]", "[]").replace(right, wrong));
      assertRefusedLine(1, "field " + reason);
    }

    @Test
    void mustBelongToTheSuite() throws IOException {
      write(line("Mbpp/2", "[[1]]", "[]"));
      assertRefusedLine(1, "task Mbpp/2 belongs to dataset=mbppplus");
    }

    @Test
    void mustHaveANumberedId() throws IOException {
      write(line("HumanEval/x", "[[1]]", "[]"));
      assertRefusedLine(1, "task_id must be HumanEval/NUMBER, not HumanEval/x");
    }

    @Test
    void mustNotRepeatATask() throws IOException {
      write(
          line("HumanEval/0", "[[1]]", "[]"),
          line("HumanEval/1", "[[1]]", "[]"),
          line("HumanEval/0", "[[1]]", "[]"));
      assertRefusedLine(3, "task HumanEval/0 was on line 1 already");
    }
  }

  private Benchmark read() {
    return Benchmarks.open(Suite.HUMANEVAL, file);
  }

  private void assertRefusedLine(int line, String reason) {
    assertRefused("Cannot use " + file + ":" + line + " as humanevalplus: " + reason);
  }

  private void assertRefused(String messageBeforeRemedy) {
    assertThatThrownBy(this::read)
        .isInstanceOfSatisfying(
            LockstepException.class,
            failure -> {
              assertThat(failure).hasMessage(messageBeforeRemedy + REMEDY);
              assertThat(failure.category()).isEqualTo(FailureCategory.USER);
            });
  }

  private void write(String... lines) throws IOException {
    Files.writeString(file, String.join("\n", lines));
  }

  private static byte[] gzip(String text) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    try (GZIPOutputStream out = new GZIPOutputStream(bytes)) {
      out.write(text.getBytes(StandardCharsets.UTF_8));
    }

    return bytes.toByteArray();
  }

  private static String line(String taskId, String baseInput, String plusInput) {
    return "{\"task_id\": \""
        + taskId
        + "\", \"prompt\": \"p\", \"canonical_solution\": \"c\", \"entry_point\": \"f\","
        + " \"base_input\": "
        + baseInput
        + ", \"plus_input\": "
        + plusInput
        + ", \"atol\": 0}";
  }
}
