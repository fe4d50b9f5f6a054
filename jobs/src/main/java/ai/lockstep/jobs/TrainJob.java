package ai.lockstep.jobs;

import ai.lockstep.failure.LockstepException;
import ai.lockstep.jobs.cli.JobContext;
import ai.lockstep.jobs.cli.JobDescription;
import ai.lockstep.jobs.cli.JobMain;
import ai.lockstep.jobs.config.RunConfig;
import ai.lockstep.jobs.config.TrainConfig;
import ai.lockstep.jobs.decoding.LocatedModel;
import ai.lockstep.jobs.run.PlannedRun;
import ai.lockstep.jobs.run.RunFolder;
import ai.lockstep.jobs.run.RunManifest;
import ai.lockstep.jobs.run.RunRecord;
import ai.lockstep.jobs.tracking.TrackedStep;
import ai.lockstep.jobs.train.OfflineGrpo;
import ai.lockstep.jobs.train.Rollouts;
import ai.lockstep.jobs.train.StepRecord;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import org.apache.spark.sql.SparkSession;

/** {@code train}: offline GRPO on a rollout's samples; writes a LoRA adapter. */
public final class TrainJob {

  static final JobDescription DESCRIPTION =
      new JobDescription(
          "train",
          "Learns from a rollout by offline GRPO and writes a LoRA adapter.",
          List.of(
              "",
              "Keys that matter most",
              "  train.rollouts=DIR     output.dir of a rollout with rl.logprobs=coupled or d1",
              "  train.learning_rate, train.epochs, train.batch_samples, train.kl, train.clip",
              "  model, model.adapter   what was rolled out; an adapter is trained on",
              "  output.dir=DIR         DIR/adapter is for model.adapter; DIR/training.jsonl",
              "  wandb.enabled=true, tracking=mlflow   track it in W&B, in MLflow",
              "",
              "Runs in float32 in the driver's process: on the CPU, or with model.device=cuda on its",
              "first GPU.",
              "",
              "Examples",
              "  submit/lockstep rollout rl.logprobs=coupled output.dir=rollouts",
              "  submit/lockstep train train.rollouts=rollouts output.dir=trained",
              "  submit/lockstep evaluate model.adapter=trained/adapter"));

  /** What the dataset of a training is called. */
  private static final String ROLLOUTS = "rollouts";

  private TrainJob() {}

  public static void main(String[] args) {
    JobMain.run(DESCRIPTION, args, TrainJob::run);
  }

  static void run(JobContext context) throws IOException {
    Instant started = Instant.now();
    if (context.compositions().size() > 1) {
      throw LockstepException.user(
          "Cannot sweep with train: each training has its own output.dir. Use one train for each.");
    }
    List<PlannedRun> runs = PlannedRun.of(context.compositions());
    RunConfig config = runs.get(0).config();
    String source =
        config
            .train()
            .rollouts()
            .orElseThrow(
                () ->
                    LockstepException.user(
                        "Cannot train without train.rollouts: name the output.dir of a rollout with rl.logprobs=coupled."));
    if (!(LocatedModel.of(config) instanceof LocatedModel.DreamCheckpoint model)) {
      throw LockstepException.user(
          "Cannot train model=%s: an exported program cannot be differentiated here. Set model.path to a checkpoint in safetensors."
              .formatted(config.model().location()));
    }
    Path adapter = Path.of(config.output().dir(), OfflineGrpo.ADAPTER);
    if (Files.exists(adapter)) {
      throw LockstepException.user(
          "Cannot train into output.dir=%s: an adapter is there. Choose another folder."
              .formatted(config.output().dir()));
    }

    SparkSession spark = context.spark(config.hardware().sparkProperties());
    Rollouts rollouts = Rollouts.open(spark, source, model);
    RunFolder folder =
        context.keep(
            RunFolder.claim(
                config.output().dir(),
                RunManifest.of(context.job(), runs, ROLLOUTS, "", model.revision()),
                spark.sessionState().newHadoopConf()));
    folder.writeHydraRecord(context.job(), runs.get(0).composition(), "");
    System.out.printf("%d samples of %d tasks to learn from%n", rollouts.count(), rollouts.tasks());

    Tracking tracking = Tracking.start(context, runs, folder);
    OfflineGrpo.Course course =
        OfflineGrpo.run(
            config,
            rollouts,
            model,
            folder,
            (step, seconds) -> tracking.step(tracked(step, seconds, config.train())));
    new RunRecord(
            context.job(),
            ROLLOUTS,
            "",
            Optional.of(new RunRecord.Model(model.name(), model.revision(), List.of())),
            Optional.empty(),
            started)
        .write(spark, runs, Set.copyOf(runs), folder);
    double seconds = Duration.between(started, Instant.now()).toMillis() / 1000.0;

    System.out.printf(
        Locale.ROOT,
        "%s%n%s%n%ndone in %.1f s%nadapter: %s%ncourse: %s/%s%n",
        course.first(),
        course.last(),
        seconds,
        adapter,
        folder.location(),
        OfflineGrpo.COURSE);
    tracking.finishTraining(
        spark,
        Map.of(
            "steps", (double) course.steps(),
            "samples", (double) rollouts.count(),
            "tasks", (double) rollouts.tasks(),
            "seconds", seconds),
        OfflineGrpo.adapterFiles());
  }

  private static TrackedStep tracked(StepRecord step, OptionalDouble seconds, TrainConfig train) {
    Map<String, Double> measures = step.measures();
    measures.put("learning_rate", train.learningRate());
    seconds.ifPresent(took -> measures.put("seconds", took));
    return new TrackedStep("train", step.step(), measures, Instant.now());
  }
}
