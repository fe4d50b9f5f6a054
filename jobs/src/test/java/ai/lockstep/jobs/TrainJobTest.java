package ai.lockstep.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.commons.io.FileUtils;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** The whole job on a rollout of the bundled model. */
@ExtendWith(LocalSpark.class)
class TrainJobTest {

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

    JobRun resumed = train("train.save_steps=2", "output.dir=" + folder.resolve("killed"));
    assertThat(resumed.exitCode()).as(resumed.errors()).isZero();
    assertThat(resumed.output()).doesNotContain("step=1 ").doesNotContain("step=2 ");
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
