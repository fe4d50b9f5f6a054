package ai.lockstep.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import ai.lockstep.datasets.Benchmark;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.commons.io.FileUtils;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** The whole job, with blocks too short for any answer: every task is wrong every night. */
@ExtendWith(LocalSpark.class)
class NightlyJobTest {

  @TempDir Path folder;
  private Path root;

  @BeforeEach
  void takeSession(SparkSession session) {
    root = folder.resolve("nights");
  }

  private JobRun nightly(String date, String... more) {
    List<String> words =
        new ArrayList<>(
            List.of(
                "output.dir=" + root,
                "nightly.date=" + date,
                "tasks=0-7",
                "decode.r_length=2",
                "decode.a_length=4"));
    words.addAll(List.of(more));
    return JobRun.of(NightlyJob.DESCRIPTION, context -> NightlyJob.run(context, Map.of()), words);
  }

  @Test
  void theFirstNightIsTheBaselineAndTheNextIsHeldAgainstIt() throws IOException {
    JobRun first = nightly("2026-03-02", "decode.tau_a=0.9");

    assertThat(first.errors()).isEmpty();
    assertThat(first.exitCode()).isZero();
    assertThat(first.output().lines().reduce((a, b) -> b).orElseThrow())
        .isEqualTo(
            "nightly 2026-03-02: baseline, nothing to compare with yet; best pass@1 plus 0.000 (decode=lockstep)");
    assertThat(root.resolve("2026-03-02/scores")).isDirectory();
    assertThat(root.resolve("2026-03-02/multirun.yaml")).exists();

    claimThatEveryTaskWasRight(root.resolve("2026-03-02/night.json"), "decode=jacobi");
    anEarlierNightThatNobodyComparesWith("2026-02-28");
    JobRun second = nightly("2026-03-04", "decode.tau_a=0.9", "nightly.full_nights=1");

    String headline =
        "nightly 2026-03-04: regression in 1 of 2 configurations since 2026-03-02: decode=jacobi pass@1 plus 1.000 -> 0.000 (8 tasks worse, 0 better, p=0.016)";
    assertThat(second.exitCode()).isEqualTo(5);
    assertThat(second.errors()).isEqualTo("lockstep: " + headline + "\n");
    assertThat(second.output()).endsWith(headline + "\n");
    assertThat(root.resolve("2026-03-04/summary.md"))
        .content()
        .startsWith("# " + headline)
        .contains("This night stands in for 1 missed: 2026-03-03.");
    assertThat(root.resolve("history.md")).content().contains("regression", "baseline");
    assertThat(second.output()).contains("\ncompacted: 1 night, 2026-02-28: ");
    assertThat(root.resolve("2026-02-28/compaction.json")).exists();
    assertThat(root.resolve("2026-03-02/compaction.json")).doesNotExist();
  }

  private void anEarlierNightThatNobodyComparesWith(String date) throws IOException {
    Path night = root.resolve(date);
    FileUtils.copyDirectory(root.resolve("2026-03-02").toFile(), night.toFile());
    String json = Files.readString(night.resolve("night.json"));
    Files.writeString(
        night.resolve("night.json"),
        json.replace("2026-03-02", date).replace("\"baseline\"", "\"incomplete\""));
  }

  @Test
  void missedNightsAreMeasuredWhereTheyWouldMeasureSomethingElse() throws IOException {
    Path benchmarks = Files.createDirectories(folder.resolve("benchmarks"));
    List<String> tasks;
    try (InputStream in =
        Benchmark.class.getResourceAsStream("/ai/lockstep/datasets/starter.jsonl")) {
      tasks = new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().limit(3).toList();
    }
    // The same file on the 2nd and the 3rd, none on the 5th, and other files on the 4th and 6th.
    for (String night : List.of("02 0", "03 0", "04 1", "06 2")) {
      String[] words = night.split(" ");
      Files.writeString(
          benchmarks.resolve("2024-01-" + words[0] + ".jsonl"),
          tasks.get(Integer.parseInt(words[1])) + "\n");
    }
    String[] more = {
      "tasks=null",
      "viz.enabled=false",
      "decode=lockstep",
      "decode.tau_a=0.9",
      "dataset.path='%s/${nightly.date}.jsonl'".formatted(benchmarks)
    };
    assertThat(nightly("2024-01-02", more).exitCode()).isZero();

    JobRun late =
        nightly(
            "2024-01-06",
            Stream.concat(Stream.of(more), Stream.of("nightly.catch_up=4")).toArray(String[]::new));

    assertThat(late.exitCode()).as(late.errors()).isZero();
    assertThat(late.output())
        .contains("\nnightly 2024-01-04: baseline,")
        .endsWith("(decode=lockstep)\n");
    assertThat(root.resolve("2024-01-03")).doesNotExist();
    assertThat(root.resolve("2024-01-05")).doesNotExist();
    assertThat(root.resolve("2024-01-04/summary.md"))
        .content()
        .contains("Measured late, on ", "This night stands in for 1 missed: 2024-01-03.");
    assertThat(root.resolve("2024-01-06/summary.md"))
        .content()
        .contains("This night stands in for 1 missed: 2024-01-05.");
    assertThat(root.resolve("history.md")).content().contains("[2024-01-04]", "[2024-01-06]");
  }

  @Test
  void aPlanDoesNothing() {
    JobRun result = nightly("2026-03-02", "plan=true");

    assertThat(result.errors()).isEmpty();
    assertThat(result.exitCode()).isZero();
    assertThat(result.output())
        .contains("decoding 32 rows: ")
        .endsWith(ProfileJobTest.PLANNED_ONLY);
    assertThat(root).doesNotExist();
  }

  private static void claimThatEveryTaskWasRight(Path file, String label) throws IOException {
    ObjectMapper json = new ObjectMapper();
    JsonNode night = json.readTree(file.toFile());
    for (JsonNode configuration : night.at("/results/configurations")) {
      if (configuration.get("label").asText().equals(label)) {
        ObjectNode tasks = (ObjectNode) configuration.get("tasks");
        tasks.properties().forEach(task -> ((ArrayNode) task.getValue()).set(1, 1));
      }
    }
    Files.write(file, json.writeValueAsBytes(night));
  }

  @Test
  void aSecondRunIsRefusedWhileOneIsAtWork() throws Exception {
    Process other = new ProcessBuilder("cat").start();
    try {
      Files.createDirectories(root);
      Files.writeString(
          root.resolve(".lockstep.lease"),
          """
          {"owner": "other", "host": "night", "machine": "elsewhere", "pid": %d,
           "started_millis": 0, "expires_millis": %d}
          """
              .formatted(other.pid(), System.currentTimeMillis() + 60_000));

      JobRun result = nightly("2026-03-02");

      assertThat(result.exitCode()).isEqualTo(2);
      assertThat(result.errors())
          .startsWith(
              "lockstep: Cannot write to output.dir=%s: another driver is writing there (host night, process %d)."
                  .formatted(root, other.pid()));
      assertThat(root.resolve("2026-03-02")).doesNotExist();
    } finally {
      other.destroyForcibly();
    }
  }

  @Test
  void mistakesAreToldBeforeAnythingIsDecoded() {
    assertThat(nightly("2026-02-30").errors())
        .isEqualTo(
            "lockstep: Cannot run with nightly.date=2026-02-30: it must be a date such as 2026-01-31.\n");
    assertThat(nightly("2026-03-02", "nightly.baseline=2026-03-01").errors())
        .isEqualTo(
            "lockstep: Cannot compare with nightly.baseline=2026-03-01: no night of that date was finished. Name one of none so far, tonight, or null.\n");
    assertThat(nightly("2026-03-02", "output.sweep_dir=elsewhere").errors())
        .isEqualTo(
            "lockstep: Cannot run nightly with output.sweep_dir=elsewhere: a night lies in %s/2026-03-02. Set output.dir only.\n"
                .formatted(root));
    assertThat(nightly("2026-03-02", "nightly.catch_up=-1").errors())
        .isEqualTo("lockstep: Cannot run with nightly.catch_up=-1: it must be 0 or more.\n");
    assertThat(nightly("2026-03-02", "nightly.full_nights=0").errors())
        .isEqualTo(
            "lockstep: Cannot run with nightly.full_nights=0: it must be 1 or more, or null for all.\n");
    assertThat(root.resolve("2026-03-02")).doesNotExist();
  }
}
