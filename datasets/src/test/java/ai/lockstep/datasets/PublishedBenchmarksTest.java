package ai.lockstep.datasets;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Function;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/**
 * Reads the files that EvalPlus publishes. They are not part of this repository: the tests are
 * skipped where the folder that the system property {@code lockstep.shared} names lacks them.
 */
class PublishedBenchmarksTest {

  private static final Path DATA =
      Path.of(System.getProperty("lockstep.shared", "../../shared")).resolve("data");

  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .build();

  @Nested
  class HumanEvalPlus {

    private final Benchmark benchmark = open(Suite.HUMANEVAL, "HumanEvalPlus.jsonl.gz");

    @Test
    void holdsEveryTaskInOrder() {
      assertThat(benchmark.tasks()).hasSize(164).extracting(Task::number).isSorted();
      assertThat(benchmark.task("HumanEval/163").orElseThrow().entryPoint())
          .isEqualTo("generate_integers");
    }

    @Test
    void holdsEveryTest() throws IOException {
      assertThat(tests(benchmark, Task::baseInputJson)).isEqualTo(1_570);
      assertThat(tests(benchmark, Task::plusInputJson)).isEqualTo(122_683);
    }

    @Test
    void isNamedByTheDigestOfItsBytes() {
      assertThat(benchmark.md5()).isEqualTo("924d06df44399bb3c99d9196cb43018f");
    }

    @Test
    void comparesThreeTasksWithATolerance() {
      assertThat(tolerances(benchmark))
          .containsExactly("HumanEval/2 1.0E-6", "HumanEval/4 1.0E-6", "HumanEval/32 1.0E-4");
    }
  }

  @Nested
  class MbppPlus {

    private final Benchmark benchmark = open(Suite.MBPP, "MbppPlus.jsonl.gz");

    @Test
    void holdsEveryTaskInOrder() {
      assertThat(benchmark.tasks()).hasSize(378).extracting(Task::number).isSorted();
    }

    @Test
    void holdsEveryTest() throws IOException {
      assertThat(tests(benchmark, Task::baseInputJson)).isEqualTo(1_174);
      assertThat(tests(benchmark, Task::plusInputJson)).isEqualTo(39_841);
    }

    @Test
    void isNamedByTheDigestOfItsBytes() {
      assertThat(benchmark.md5()).isEqualTo("7bc89eca53cb2a8b4476182b922b1bd4");
    }

    @Test
    void comparesThirteenTasksWithATolerance() {
      assertThat(tolerances(benchmark))
          .containsExactly(
              "Mbpp/82 1.0E-4",
              "Mbpp/85 1.0E-4",
              "Mbpp/98 1.0E-4",
              "Mbpp/120 1.0E-4",
              "Mbpp/124 1.0E-4",
              "Mbpp/137 1.0E-4",
              "Mbpp/139 1.0E-4",
              "Mbpp/233 1.0E-4",
              "Mbpp/276 1.0E-4",
              "Mbpp/293 1.0E-4",
              "Mbpp/300 1.0E-4",
              "Mbpp/312 1.0E-4",
              "Mbpp/742 1.0E-4");
    }

    @Test
    void keepsInfinityAsPythonWritesIt() {
      assertThat(benchmark.task("Mbpp/404").orElseThrow().plusInputJson())
          .contains("Infinity")
          .doesNotContain("\"Infinity\"");
    }

    @Test
    void keepsANulCharacterEscaped() {
      Task task = benchmark.task("Mbpp/269").orElseThrow();

      assertThat(task.baseInputJson() + task.plusInputJson())
          .contains("\\u0000")
          .doesNotContain("\0");
    }

    @Test
    void takesAnEmptyObjectForNoTests() {
      assertThat(benchmark.task("Mbpp/793").orElseThrow().plusInputJson()).isEqualTo("[]");
    }
  }

  private static Benchmark open(Suite suite, String name) {
    Path file = DATA.resolve(name);
    assumeTrue(Files.exists(file), () -> file.toAbsolutePath() + " is not on this machine");
    return Benchmarks.open(suite, file);
  }

  private static int tests(Benchmark benchmark, Function<Task, String> inputJson)
      throws IOException {
    int count = 0;

    for (Task task : benchmark.tasks()) {
      JsonNode tests = JSON.readTree(inputJson.apply(task));
      assertThat(tests.isArray()).as(task.taskId()).isTrue();
      count += tests.size();
    }

    return count;
  }

  private static List<String> tolerances(Benchmark benchmark) {
    return benchmark.tasks().stream()
        .filter(task -> task.atol() != 0)
        .map(task -> task.taskId() + " " + task.atol())
        .toList();
  }
}
