package ai.lockstep.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import ai.lockstep.jobs.mlflow.MlflowServer;
import ai.lockstep.jobs.wandb.WandbFile;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.commons.io.FileUtils;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** The whole job on a rollout of the bundled model. */
@ExtendWith(LocalSpark.class)
class TrainJobTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  /** The kind of W&amp;B's records that are rows of history. */
  private static final int HISTORY = 2;

  @TempDir static Path shared;

  private static List<String> rollout;

  @TempDir Path folder;

  @BeforeAll
  static void rollOutOnce(SparkSession session) {
    rollout =
        List.of(
            "output.dir=" + shared.resolve("rollouts"),
            "decode.r_length=6",
            "decode.a_length=20",
            "tasks=0",
            "rl.samples=4",
            // Hot programs all fail, but their lengths differ.
            "rl.temperature=2",
            "rl.rewards.length=1",
            "viz.enabled=false",
            "rl.replay=0");
    JobRun run = rollout("rl.logprobs=coupled");
    assertThat(run.exitCode()).as(run.errors()).isZero();
  }

  private static JobRun rollout(String... more) {
    List<String> words = new ArrayList<>(rollout);
    words.addAll(List.of(more));
    return JobRun.of(RolloutJob.DESCRIPTION, RolloutJob::run, words);
  }

  private JobRun train(String... more) {
    List<String> words =
        new ArrayList<>(
            List.of(
                "train.rollouts=" + shared.resolve("rollouts"),
                "output.dir=" + folder.resolve("trained"),
                "train.batch_samples=3",
                "train.rank=2"));
    words.addAll(List.of(more));
    return JobRun.of(TrainJob.DESCRIPTION, TrainJob::run, words);
  }

  @Test
  void learnsFromARolloutAndWritesAnAdapterThatDecodes() throws IOException {
    JobRun run = train();

    assertThat(run.exitCode()).as(run.errors()).isZero();
    List<String> course = Files.readAllLines(folder.resolve("trained/training.jsonl"));
    assertThat(course).hasSizeBetween(2, 4);
    // Before the first step the policy is the one that rolled out.
    assertThat(course.get(0))
        .contains("\"step\":1,\"epoch\":1,")
        .contains("\"clipped\":0.0,\"kl\":0.0,\"drift\":")
        .contains(",\"gradient_norm\":");
    double drift = Double.parseDouble(course.get(0).replaceAll(".*\"drift\":([^,]+),.*", "$1"));
    assertThat(drift).isLessThan(1e-3);

    JobRun decoded =
        JobRun.of(
            EvaluateJob.DESCRIPTION,
            EvaluateJob::run,
            List.of(
                "output.dir=" + folder.resolve("evaluated"),
                "model.adapter=" + folder.resolve("trained/adapter"),
                "decode.r_length=6",
                "decode.a_length=20",
                "tasks=0"));
    assertThat(decoded.exitCode()).as(decoded.errors()).isZero();
  }

  @Test
  void everyStepIsTracked() throws IOException {
    JobRun run;
    MlflowServer.Run reported;
    try (MlflowServer server = MlflowServer.start()) {
      run = train("wandb.enabled=true", "tracking=mlflow", "tracking.uri=" + server.address());
      reported = server.runs().get(0);
    }

    assertThat(run.exitCode()).as(run.errors()).isZero();
    assertThat(run.errors()).isEmpty();
    List<JsonNode> course = course("trained");
    List<Map<String, String>> history = trackedSteps("trained");
    assertThat(history).hasSameSizeAs(course);
    for (int i = 0; i < course.size(); i++) {
      Map<String, String> row = history.get(i);
      assertThat(row)
          .containsEntry("train/step", course.get(i).get("step").asText())
          .containsEntry("train/learning_rate", "1.0E-4")
          .containsKeys("train/kl", "train/clip_share");
      for (String measure : List.of("loss", "reward")) {
        assertThat(Double.parseDouble(row.get("train/" + measure)))
            .isEqualTo(course.get(i).get(measure).doubleValue());
      }
      assertThat(Double.parseDouble(row.get("train/seconds"))).isPositive();
    }
    JsonNode last = course.get(course.size() - 1);
    JsonNode summary =
        JSON.readTree(tracked("trained").resolve("files/wandb-summary.json").toFile());
    assertThat(summary.get("train/loss")).isEqualTo(last.get("loss"));
    assertThat(summary.get("steps").intValue()).isEqualTo(course.size());
    assertThat(tracked("trained").resolve("files/adapter/adapter_model.safetensors"))
        .hasSameBinaryContentAs(folder.resolve("trained/adapter/adapter_model.safetensors"));

    assertThat(reported.artifacts())
        .containsOnlyKeys("adapter/adapter_config.json", "adapter/adapter_model.safetensors");
    assertThat(reported.status()).isEqualTo("FINISHED");
    assertThat(reported.params()).containsEntry("train.rank", "2");
    assertThat(reported.metric("train/reward"))
        .extracting(MlflowServer.Point::value)
        .containsExactlyElementsOf(
            course.stream().map(step -> step.get("reward").doubleValue()).toList());
    assertThat(reported.metric("train/loss"))
        .extracting(MlflowServer.Point::step)
        .containsExactlyElementsOf(
            course.stream().map(step -> step.get("step").longValue()).toList());
  }

  private List<JsonNode> course(String run) throws IOException {
    List<JsonNode> course = new ArrayList<>();
    for (String line : Files.readAllLines(folder.resolve(run).resolve("training.jsonl"))) {
      course.add(JSON.readTree(line));
    }
    return course;
  }

  private Path tracked(String run) throws IOException {
    Path wandb = folder.resolve(run).resolve("wandb");
    return wandb.resolve(Files.readSymbolicLink(wandb.resolve("latest-run")));
  }

  /** Rows of W&amp;B's history that are steps. */
  private List<Map<String, String>> trackedSteps(String run) throws IOException {
    try (Stream<Path> files = Files.list(tracked(run))) {
      Path log = files.filter(file -> file.toString().endsWith(".wandb")).findFirst().orElseThrow();
      return WandbFile.messages(Files.readAllBytes(log)).stream()
          .filter(record -> record.number() == HISTORY)
          .map(record -> record.message().items(1))
          .filter(row -> row.containsKey("train/step"))
          .toList();
    }
  }

  @Test
  void rolloutsOfAnotherModelAreRefused() {
    assertThat(train().exitCode()).isZero();

    JobRun refused =
        train(
            "model.adapter=" + folder.resolve("trained/adapter"),
            "output.dir=" + folder.resolve("again"));

    assertThat(refused.exitCode()).isEqualTo(2);
    assertThat(refused.errors())
        .startsWith("lockstep: Cannot train dream-tiny (bundled-")
        .contains(") on train.rollouts=" + shared.resolve("rollouts"))
        .contains(": they were sampled from dream-tiny (bundled-")
        .endsWith("), whose ratios would mean nothing. Roll out again, or choose that model.\n");
    assertThat(folder.resolve("again")).doesNotExist();
  }

  @Test
  void aKilledTrainingGoesOnToTheSameEnd() throws IOException {
    assertThat(train("train.save_steps=2").exitCode()).isZero();
    // Killed after the last step and before the adapter was written, a training leaves this.
    FileUtils.copyDirectory(
        folder.resolve("trained").toFile(),
        folder.resolve("killed").toFile(),
        file -> !file.getName().equals("adapter"));

    JobRun refused =
        train(
            "train.save_steps=2",
            "train.learning_rate=1e-3",
            "output.dir=" + folder.resolve("killed"));
    assertThat(refused.exitCode()).isEqualTo(2);
    assertThat(refused.errors())
        .startsWith("lockstep: Cannot go on training in output.dir=" + folder.resolve("killed"))
        .contains("learning_rate=1.0E-4")
        .endsWith("Repeat its settings, or choose another folder.\n");

    Path course = folder.resolve("killed/training.jsonl");
    byte[] whole = Files.readAllBytes(course);
    Files.writeString(course, "");
    JobRun lost = train("train.save_steps=2", "output.dir=" + folder.resolve("killed"));
    assertThat(lost.exitCode()).isEqualTo(2);
    assertThat(lost.errors())
        .contains(": training.jsonl has 0 steps of ")
        .endsWith(". Remove training.safetensors to train from the start.\n");
    Files.write(course, whole);

    JobRun resumed =
        train("train.save_steps=2", "wandb.enabled=true", "output.dir=" + folder.resolve("killed"));
    assertThat(resumed.exitCode()).as(resumed.errors()).isZero();
    assertThat(resumed.output()).doesNotContain("step=1 ").doesNotContain("step=2 ");
    // The tracked run has the whole course; only this process knows how long its steps took.
    List<Map<String, String>> history = trackedSteps("killed");
    assertThat(history).hasSameSizeAs(course("trained"));
    assertThat(history.get(0)).containsKey("train/loss").doesNotContainKey("train/seconds");
    for (String file : List.of("training.jsonl", "adapter/adapter_model.safetensors")) {
      assertThat(folder.resolve("killed").resolve(file))
          .hasSameBinaryContentAs(folder.resolve("trained").resolve(file));
    }
  }

  @Test
  void anAdapterIsNotOverwritten() {
    assertThat(train().exitCode()).isZero();

    assertThat(train().errors())
        .isEqualTo(
            "lockstep: Cannot train into output.dir=%s: an adapter is there. Choose another folder.\n"
                .formatted(folder.resolve("trained")));
  }

  @Test
  void mistakesAreNamed() {
    assertThat(train("train.rollouts=null").errors())
        .isEqualTo(
            "lockstep: Cannot train without train.rollouts: name the output.dir of a rollout with rl.logprobs=coupled.\n");
    assertThat(train("train.rollouts=nowhere").errors())
        .isEqualTo(
            "lockstep: Cannot train on train.rollouts=nowhere: no rollouts are there. Name the output.dir of a rollout.\n");
    assertThat(train("train.clip=0").errors())
        .isEqualTo("lockstep: Cannot run with train.clip=0.0: it must be above 0.\n");
  }
}
