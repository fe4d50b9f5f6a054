package ai.lockstep.harness;

import static org.assertj.core.api.Assertions.assertThat;

import ai.lockstep.datasets.Benchmark;
import ai.lockstep.datasets.Benchmarks;
import ai.lockstep.datasets.Suite;
import ai.lockstep.datasets.Task;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The bundled suite is fair, and its plus tests find what its base tests miss. */
class StarterSuiteTest {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Benchmark STARTER = Benchmarks.open(Suite.STARTER);

  @TempDir static Path cache;
  private static Harness harness;

  @BeforeAll
  static void open() {
    harness = Harness.open(Tasks.settings(cache));
  }

  @AfterAll
  static void close() {
    if (harness != null) {
      harness.close();
    }
  }

  private static String verdict(Task task, String program) {
    Verdict verdict = harness.judge(task, STARTER.md5(), program);
    return verdict.base().status() + " " + verdict.plus().orElseThrow().status();
  }

  @Test
  void everyReferenceProgramPasses() {
    assertThat(STARTER.tasks())
        .hasSize(120)
        .allSatisfy(
            task -> assertThat(verdict(task, task.referenceProgram())).isEqualTo("PASS PASS"));
  }

  @Test
  void aNearlyRightProgramOfAlmostEveryTaskPassesTheBaseTestsOnly() throws IOException {
    assertThat(nearlyRight())
        .hasSize(119)
        .allSatisfy(
            (taskId, program) ->
                assertThat(verdict(STARTER.task(taskId).orElseThrow(), program))
                    .isEqualTo("PASS FAIL"));
  }

  /** By task id; every program is wrong at an edge, such as equal, negative or no elements. */
  private static Map<String, String> nearlyRight() throws IOException {
    Map<String, String> programs = new LinkedHashMap<>();
    try (InputStream in = StarterSuiteTest.class.getResourceAsStream("starter_wrong.jsonl")) {
      String text = new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8);
      for (String line : text.lines().toList()) {
        JsonNode row = JSON.readTree(line);
        programs.put(row.get("task_id").textValue(), row.get("solution").textValue());
      }
    }
    return programs;
  }
}
