package ai.lockstep.harness.evalplus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.lockstep.failure.LockstepException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EvalResultTest {

  private static final LocalDateTime DATE = LocalDateTime.of(2026, 1, 2, 3, 4, 59);

  @TempDir private Path folder;

  private static SampleResult passing(String taskId) {
    return new SampleResult(taskId, "p", "pass", Optional.of("pass"), List.of(), List.of());
  }

  private static SampleResult failing(String taskId) {
    return new SampleResult(
        taskId,
        "ä\n\ud800",
        "pass",
        Optional.of("timeout"),
        List.of(),
        List.of("[1.0, Infinity]", "[[1], 123456789012345678901234567890]"));
  }

  private static SampleResult baseOnly(String taskId) {
    return new SampleResult(taskId, "p", "fail", Optional.empty(), List.of("[\"a\"]"), List.of());
  }

  private Path write(Map<String, List<SampleResult>> results) {
    Path file = folder.resolve("x.eval_results.json");
    try (EvalResultWriter writer = EvalResultWriter.create(file, DATE, "abc")) {
      results.forEach(writer::add);
      writer.finish();
    }
    return file;
  }

  @Nested
  class Writing {

    @Test
    void givesTheBytesOfEvalPlus() throws IOException {
      Path file = write(Map.of("Mbpp/2", List.of(passing("Mbpp/2"), failing("Mbpp/2"))));
      assertThat(file)
          .hasContent(
              """
              {"date": "2026-01-02 03:04", "hash": "abc", "eval": {"Mbpp/2": [\
              {"task_id": "Mbpp/2", "solution": "p", "base_status": "pass", "plus_status": "pass", \
              "base_fail_tests": [], "plus_fail_tests": []}, \
              {"task_id": "Mbpp/2", "solution": "\\u00e4\\n\\ud800", "base_status": "pass", \
              "plus_status": "timeout", "base_fail_tests": [], \
              "plus_fail_tests": [[1.0, Infinity], [[1], 123456789012345678901234567890]]}]}, \
              "pass_at_k": {"base": {"pass@1": 1.0}, "plus": {"pass@1": 0.5}}}""");
    }

    @Test
    void leavesPlusOutWhenItWasNotRun() {
      Path file = write(Map.of("Mbpp/2", List.of(baseOnly("Mbpp/2"))));
      assertThat(file)
          .content()
          .contains(
              "\"plus_status\": null, \"base_fail_tests\": [[\"a\"]], \"plus_fail_tests\": []")
          .endsWith("\"pass_at_k\": {\"base\": {\"pass@1\": 0.0}}}");
    }

    @Test
    void reportsPassAt10ForTenSamplesATask() {
      List<SampleResult> ten = new ArrayList<>(List.of(passing("Mbpp/2")));
      for (int sample = 1; sample < 10; sample++) {
        ten.add(failing("Mbpp/2"));
      }
      assertThat(EvalResult.read(write(Map.of("Mbpp/2", ten))).plusPassAtK())
          .isEqualTo(Map.of("pass@1", 1 - 0.9, "pass@10", 1.0));
    }

    @Test
    void leavesNothingUnlessFinished() {
      Path file = folder.resolve("x.eval_results.json");
      try (EvalResultWriter writer = EvalResultWriter.create(file, DATE, "abc")) {
        writer.add("Mbpp/2", List.of(passing("Mbpp/2")));
      }
      assertThat(folder).isEmptyDirectory();
    }

    @Test
    void takesEachTaskOnce() {
      try (EvalResultWriter writer =
          EvalResultWriter.create(folder.resolve("r.json"), DATE, "abc")) {
        writer.add("Mbpp/2", List.of(passing("Mbpp/2")));
        assertThatThrownBy(() -> writer.add("Mbpp/2", List.of(passing("Mbpp/2"))))
            .isInstanceOf(IllegalStateException.class)
            .hasMessage("Task Mbpp/2 was written before");
      }
    }

    @Test
    void saysWhereItCannotWrite() {
      Path file = folder.resolve("none").resolve("r.json");
      assertThatThrownBy(() -> EvalResultWriter.create(file, DATE, "abc"))
          .isInstanceOf(LockstepException.class)
          .hasMessage(
              "Cannot write results to %s: java.nio.file.NoSuchFileException: %s.partial; check that the folder exists and has room."
                  .formatted(file, file));
    }
  }

  @Nested
  class Reading {

    @Test
    void givesBackWhatWasWritten() {
      List<SampleResult> results = List.of(passing("Mbpp/2"), failing("Mbpp/2"));
      assertThat(EvalResult.read(write(Map.of("Mbpp/2", results))))
          .isEqualTo(
              new EvalResult(
                  "2026-01-02 03:04",
                  "abc",
                  Map.of("Mbpp/2", results),
                  Map.of("pass@1", 1.0),
                  Map.of("pass@1", 0.5)));
    }

    @Test
    void saysWhatIsWrong() throws IOException {
      assertRefused(
          "{\"date\": \"d\",\n oops}",
          ":2:2: not JSON (Unexpected character ('o' (code 111)): was expecting double-quote to start field name).");
      assertRefused("[]", ": it is not an object; the file must be EvalPlus's eval_results.json.");
      assertRefused(
          "{\"eval\": []}",
          ": eval is not an object; the file must be EvalPlus's eval_results.json.");
      assertRefused(
          "{\"date\": \"d\"}",
          ": date, hash or eval is missing; the file must be EvalPlus's eval_results.json.");
      assertRefused(
          "{\"eval\": {\"Mbpp/2\": [{\"solution\": \"p\", \"base_status\": \"ok\"}]}}",
          ": a status of Mbpp/2 is not pass, fail or timeout; the file must be EvalPlus's eval_results.json.");
    }

    private void assertRefused(String text, String complaint) throws IOException {
      Path file = Files.writeString(folder.resolve("r.json"), text);
      assertThatThrownBy(() -> EvalResult.read(file))
          .isInstanceOf(LockstepException.class)
          .hasMessage("Cannot read results from " + file + complaint);
    }

    @Test
    void saysThatThereIsNoFile() {
      Path file = folder.resolve("r.json");
      assertThatThrownBy(() -> EvalResult.read(file))
          .isInstanceOf(LockstepException.class)
          .hasMessage("Cannot read results from %s: there is no such file.".formatted(file));
    }
  }

  @Nested
  class Names {

    @Test
    void standBesideTheSamples() {
      assertThat(EvalResult.fileFor(folder.resolve("x.jsonl")))
          .isEqualTo(folder.resolve("x.eval_results.json"));
      assertThat(EvalResult.fileFor(folder.resolve("x.jsonl.gz")))
          .isEqualTo(folder.resolve("x.eval_results.json"));
    }

    @Test
    void areTheOlderOneWhenThatFileExists() throws IOException {
      Path older = Files.createFile(folder.resolve("x_eval_results.json"));
      assertThat(EvalResult.fileFor(folder.resolve("x.jsonl"))).isEqualTo(older);
    }

    @Test
    void lieWithinAFolderOfSamples() {
      assertThat(EvalResult.fileFor(folder)).isEqualTo(folder.resolve("eval_results.json"));
    }
  }

  @Nested
  class FailedTests {

    private static final String TESTS = "[[1.0, \"]\"] ,[2],\n [-1e5, Infinity, null]]";

    @Test
    void areAllThatFailedWithDetails() {
      assertThat(FailTests.everyFailed(TESTS, "010"))
          .containsExactly("[1.0, \"]\"]", "[-1e5, Infinity, null]");
      assertThat(FailTests.everyFailed(TESTS, "11")).isEmpty();
    }

    @Test
    void areTheLastFinishedOneAfterAFastStop() {
      assertThat(FailTests.lastFinished(TESTS, "10")).containsExactly("[2]");
      assertThat(FailTests.lastFinished(TESTS, "")).isEmpty();
    }
  }
}
