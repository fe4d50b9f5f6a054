package ai.lockstep.udf.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * No program that dream-tiny is tested on may be one that it was trained on, whatever its names.
 */
class TrainingCorpusTest {

  private static final Path PYTHON = Path.of("/usr/bin/python3");
  private static final Path PUBLISHED =
      Path.of(System.getProperty("lockstep.shared", "../../shared")).resolve("data");
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path folder;

  @BeforeAll
  static void needsPython() {
    assumeTrue(Files.isExecutable(PYTHON), PYTHON + " is not installed: no program was looked at");
  }

  @Test
  void holdsNoProgramOfTheStarterSuiteOrOfAPublishedBenchmark() throws Exception {
    JsonNode report = contamination("draw", "12000", "--seed", "11");

    assertThat(report.get("looked_at").intValue()).isEqualTo(12_000);
    assertThat(report.get("found")).isEmpty();
  }

  @Test
  void wouldHoldSomeIfNothingWereRuledOut() throws Exception {
    JsonNode report = contamination("draw", "3000", "--seed", "11", "--unguarded");

    assertThat(tasksFound(report))
        .contains("published")
        .anyMatch(task -> task.startsWith("Starter/"));
  }

  @Test
  void aStarterProgramUnderOtherNamesIsFound() throws Exception {
    assertThat(
            tasksFound(
                read(
                    """
                    def blorp(quux: list) -> int:
                        '''Another wording.'''
                        return sum(w * w for w in quux if w % 2 == 0)
                    """,
                    """
                    def blorp(quux):
                        return sum(w * w for w in quux if w % 3 == 0)
                    """)))
        .containsExactly("Starter/0");
  }

  @Test
  void aPublishedProgramUnderOtherNamesIsFound() throws Exception {
    assertThat(
            tasksFound(
                read(
                    "def plus(left, right):\n    return left + right\n",
                    "def two():\n    return 2\n")))
        .containsExactly("published");
  }

  @Test
  void everyPublishedProgramHasItsDigest() throws Exception {
    List<String> words = new ArrayList<>(List.of("published"));
    Stream.of("HumanEvalPlus.jsonl.gz", "MbppPlus.jsonl.gz")
        .map(PUBLISHED::resolve)
        .peek(file -> assumeTrue(Files.exists(file), file + " is not on this machine"))
        .forEach(file -> words.add(file.toAbsolutePath().toString()));

    JsonNode report = contamination(words.toArray(String[]::new));

    assertThat(report.get("looked_at").intValue()).isEqualTo(164 + 378);
    assertThat(report.get("found")).isEmpty();
  }

  private JsonNode read(String... programs) throws Exception {
    List<String> lines = new ArrayList<>();
    for (String program : programs) {
      lines.add(JSON.createObjectNode().put("program", program).toString());
    }
    Path file = Files.write(folder.resolve("programs.jsonl"), lines);
    return contamination("read", file.toString());
  }

  private static List<String> tasksFound(JsonNode report) {
    return report.get("found").findValuesAsText("task");
  }

  /** What {@code contamination.py} prints; what it says on standard error is shown as it comes. */
  private static JsonNode contamination(String... words) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.addAll(List.of(PYTHON.toString(), "-B", "dream-tiny/contamination.py"));
    command.addAll(List.of(words));
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    process.getOutputStream().close();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as("exit status of %s", command).isZero();
    return JSON.readTree(output);
  }
}
