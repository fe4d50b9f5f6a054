package ai.lockstep.harness.evalplus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.lockstep.datasets.Benchmark;
import ai.lockstep.datasets.Suite;
import ai.lockstep.datasets.Task;
import ai.lockstep.failure.FailureCategory;
import ai.lockstep.failure.LockstepException;
import ai.lockstep.harness.evalplus.Sample.Form;
import ai.lockstep.harness.extract.SanitizeReason;
import ai.lockstep.harness.extract.Sanitized;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SampleReaderTest {

  private static final Benchmark BENCHMARK =
      new Benchmark(Suite.HUMANEVAL, "md5", List.of(task(0), task(1), task(2)));

  @TempDir private Path folder;

  private static Task task(int number) {
    return new Task(
        Suite.HUMANEVAL, "HumanEval/" + number, "def f():\n", "    return 1\n", "f", "[]", "[]", 0);
  }

  private Path file(String name, String text) throws IOException {
    Path file = folder.resolve(name);
    Files.createDirectories(file.getParent());
    return Files.writeString(file, text);
  }

  private static byte[] gzip(String text) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(bytes)) {
      gzip.write(text.getBytes(StandardCharsets.UTF_8));
    }
    return bytes.toByteArray();
  }

  private static Sample solution(int task, int index, Optional<String> id, String text) {
    return new Sample("HumanEval/" + task, index, id, Form.SOLUTION, text);
  }

  @Nested
  class Lines {

    @Test
    void areSamplesNumberedWithinTheirTasks() throws IOException {
      Path file =
          file(
              "s.jsonl",
              """
              {"task_id": "HumanEval/1", "solution": "a"}

              {"id": "x-7", "task_id": "HumanEval/0", "completion": "b", "extra": [NaN, {}]}
              {"task_id": "HumanEval/1", "completion": "c", "solution": "d", "id": 12}
              """);

      assertThat(SampleReader.read(file, BENCHMARK))
          .isEqualTo(
              new Samples(
                  List.of(
                      solution(1, 0, Optional.empty(), "a"),
                      new Sample("HumanEval/0", 0, Optional.of("x-7"), Form.COMPLETION, "b"),
                      solution(1, 1, Optional.of("12"), "d")),
                  List.of(),
                  List.of("HumanEval/2")));
    }

    @Test
    void mayBeGzipped() throws IOException {
      Path file = folder.resolve("s.jsonl.gz");
      Files.write(file, gzip("{\"task_id\": \"HumanEval/1\", \"solution\": \"ä\"}"));
      assertThat(SampleReader.read(file, BENCHMARK).samples())
          .containsExactly(solution(1, 0, Optional.empty(), "ä"));
    }

    @Test
    void keepLoneSurrogatesAndMayBeginWithAByteOrderMark() throws IOException {
      Path file =
          file("s.jsonl", "\ufeff{\"task_id\": \"HumanEval/1\", \"solution\": \"\\ud800\\u0000\"}");
      assertThat(SampleReader.read(file, BENCHMARK).samples())
          .containsExactly(solution(1, 0, Optional.empty(), "\ud800\0"));
    }

    @Test
    void ofUnknownTasksAreSkippedWithAWarning() throws IOException {
      Path file =
          file(
              "s.jsonl",
              """
              {"task_id": "Mbpp/2", "solution": "a"}
              {"task_id": "HumanEval/0", "solution": "b"}
              {"task_id": "HumanEval/999", "solution": "c"}
              {"task_id": "Mbpp/2", "solution": "d"}
              """);

      Samples samples = SampleReader.read(file, BENCHMARK);
      assertThat(samples.samples()).containsExactly(solution(0, 0, Optional.empty(), "b"));
      assertThat(samples.warnings())
          .containsExactly(
              "Skipped 2 samples of task Mbpp/2, which is not in humanevalplus.",
              "Skipped 1 sample of task HumanEval/999, which is not in humanevalplus.");
      assertThat(samples.missingTaskIds()).containsExactly("HumanEval/1", "HumanEval/2");
    }
  }

  @Nested
  class Folders {

    @Test
    void holdAFolderATaskAndAFileASample() throws IOException {
      file("s/HumanEval_1/10.py", "ten");
      file("s/HumanEval_1/2.py", "two\r\n");
      file("s/HumanEval_1/notes.txt", "no");
      file("s/HumanEval_0/0.py", "zero");
      file("s/eval_results.json", "{}");

      assertThat(SampleReader.read(folder.resolve("s"), BENCHMARK).samples())
          .containsExactly(
              solution(0, 0, Optional.of("HumanEval_0/0.py"), "zero"),
              solution(1, 0, Optional.of("HumanEval_1/2.py"), "two\n"),
              solution(1, 1, Optional.of("HumanEval_1/10.py"), "ten"));
    }

    @Test
    void withoutProgramsAreRefused() throws IOException {
      file("s/README", "no");
      assertRefused(
          folder.resolve("s"),
          "Cannot read samples=%s: it holds no sample; programs must be in files such as HumanEval_0/3.py.");
    }

    @Test
    void withProgramsThatAreNotTextAreRefused() throws IOException {
      Path program = file("s/HumanEval_0/0.py", "");
      Files.write(program, new byte[] {(byte) 0xff});
      assertRefused(
          folder.resolve("s"),
          "Cannot read samples=%s/HumanEval_0/0.py: it is not UTF-8 text. Save it as UTF-8.");
    }
  }

  @Nested
  class Programs {

    private final Sample completion =
        new Sample("HumanEval/0", 0, Optional.empty(), Form.COMPLETION, "    return 2");

    private static Sanitized quoted(String text, Optional<String> entryPoint) {
      return new Sanitized(
          entryPoint.orElseThrow() + "<" + text + ">", SanitizeReason.DEFINITIONS, true);
    }

    @Test
    void areThePromptAndTheCompletion() {
      assertThat(completion.program(task(0))).isEqualTo("def f():\n    return 2");
    }

    @Test
    void haveANewlineBetweenThemWhenSanitised() {
      assertThat(completion.sanitizedProgram(task(0), Programs::quoted))
          .isEqualTo("f<def f():\n\n    return 2>");
    }

    @Test
    void areTheSolutionAlone() {
      Sample solution = solution(0, 0, Optional.empty(), "x = 1");
      assertThat(solution.program(task(0))).isEqualTo("x = 1");
      assertThat(solution.sanitizedProgram(task(0), Programs::quoted)).isEqualTo("f<x = 1>");
    }

    @Test
    void areOfTheirOwnTask() {
      assertThatThrownBy(() -> completion.program(task(1)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("A sample of HumanEval/0 does not continue HumanEval/1");
    }
  }

  @Nested
  class Refusals {

    @Test
    void ofAMissingFile() {
      assertRefused(
          folder.resolve("none.jsonl"),
          "Cannot read samples=%s: there is no such file or folder; check the path.");
    }

    @Test
    void ofAnotherKindOfFile() throws IOException {
      assertRefused(
          file("s.json", "{}"),
          "Cannot read samples=%s: it must be a .jsonl or .jsonl.gz file, or a folder of programs such as HumanEval_0/3.py.");
    }

    @Test
    void ofAnEmptyFile() throws IOException {
      assertRefused(
          file("s.jsonl", "\n \n"),
          "Cannot read samples=%s: it holds no sample; each line must be an object with task_id and solution or completion.");
    }

    @Test
    void ofTextThatIsNotJson() throws IOException {
      assertRefused(
          file(
              "s.jsonl", "{\"task_id\": \"HumanEval/0\", \"solution\": \"\"}\n{\"task_id\": oops}"),
          "Cannot read samples=%s:2:17: not JSON (Unrecognized token 'oops': was expecting (JSON String, Number (or 'NaN'/'+INF'/'-INF'), Array, Object or token 'null', 'true' or 'false')). Each line must be an object with task_id and solution or completion.");
    }

    @Test
    void ofLinesThatAreNotSamples() throws IOException {
      assertRefusedLine("[1]", "it is not a JSON object");
      assertRefusedLine("{\"solution\": \"x\"}", "task_id is missing");
      assertRefusedLine("{\"task_id\": 3, \"solution\": \"x\"}", "task_id is not a string");
      assertRefusedLine(
          "{\"task_id\": \"HumanEval/0\"}", "both solution and completion are missing");
      assertRefusedLine(
          "{\"task_id\": \"HumanEval/0\", \"solution\": null}", "solution is not a string");
      assertRefusedLine(
          "{\"task_id\": \"HumanEval/0\", \"solution\": \"x\"} {}",
          "something follows its JSON object");
    }

    private void assertRefusedLine(String line, String reason) throws IOException {
      assertRefused(
          file("s.jsonl", "\n" + line),
          "Cannot read samples=%s:2: "
              + reason
              + ". Each line must be an object with task_id and solution or completion.");
    }

    @Test
    void ofCutGzipData() throws IOException {
      byte[] whole = gzip("{\"task_id\": \"HumanEval/0\", \"solution\": \"x\"}\n");
      Path file = folder.resolve("s.jsonl.gz");
      Files.write(file, Arrays.copyOf(whole, whole.length - 12));
      assertRefused(
          file,
          "Cannot read samples=%s: its gzip data ends too early, after 0 lines. Copy the file again.");
    }

    @Test
    void ofPlainTextNamedGzip() throws IOException {
      assertRefused(
          file("s.jsonl.gz", "{}"),
          "Cannot read samples=%s: it is not gzip data, or damaged, after 0 lines. Copy the file again, or name it .jsonl if it is plain text.");
    }

    @Test
    void ofBytesThatAreNotText() throws IOException {
      Path file = folder.resolve("s.jsonl");
      Files.write(file, new byte[] {'{', (byte) 0xff, '}'});
      assertRefused(file, "Cannot read samples=%s: it is not UTF-8 text. Save it as UTF-8.");
    }

    @Test
    void ofSamplesOfAnotherBenchmark() throws IOException {
      assertRefused(
          file("s.jsonl", "{\"task_id\": \"Mbpp/2\", \"solution\": \"x\"}"),
          "Cannot read samples=%s: none of its task ids (Mbpp/2, ...) is in humanevalplus; check dataset=NAME.");
    }
  }

  private static void assertRefused(Path path, String message) {
    assertThatThrownBy(() -> SampleReader.read(path, BENCHMARK))
        .isInstanceOf(LockstepException.class)
        .hasMessage(message.formatted(path))
        .extracting(failure -> ((LockstepException) failure).category())
        .isEqualTo(FailureCategory.USER);
  }
}
