package ai.lockstep.jobs;

import ai.lockstep.failure.LockstepException;
import ai.lockstep.jobs.cli.JobContext;
import ai.lockstep.jobs.cli.JobDescription;
import ai.lockstep.jobs.cli.JobMain;
import ai.lockstep.jobs.config.RunConfig;
import ai.lockstep.jobs.decoding.DecodeInput;
import ai.lockstep.jobs.decoding.ReplayCheck;
import ai.lockstep.jobs.grpo.DataCard;
import ai.lockstep.jobs.grpo.GrpoStage;
import ai.lockstep.jobs.grpo.RolloutQuality;
import ai.lockstep.jobs.grpo.TrainerFiles;
import ai.lockstep.jobs.metrics.MetricsReport;
import ai.lockstep.jobs.metrics.MetricsStage;
import ai.lockstep.jobs.run.PlannedRun;
import ai.lockstep.jobs.run.RunFolder;
import ai.lockstep.jobs.run.RunRecord;
import ai.lockstep.jobs.scoring.JudgedTasks;
import ai.lockstep.jobs.scoring.ScoreStage;
import ai.lockstep.jobs.tables.GrpoTable;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/** {@code rollout}: n samples a task with rewards and advantages, as data for offline GRPO. */
public final class RolloutJob {

  static final JobDescription DESCRIPTION =
      new JobDescription(
          "rollout",
          "Samples every task n times, rewards the samples, writes data for offline GRPO.",
          List.of(
              "model.generation.n=${rl.samples}", "model.generation.temperature=${rl.temperature}"),
          List.of(
              "",
              "Keys that matter most",
              "  rl.samples=8           samples a task: the group of GRPO",
              "  rl.temperature=1.0     of the samples, above 0",
              "  rl.rewards.plus=2      weights of plus, base, tests, format, length, tamper",
              "  rl.advantage=rloo      grpo, dr_grpo, rloo; rl.advantage_clip=2",
              "  rl.zero_spread=drop    leave groups of equal rewards out of trainers' files",
              "  dataset, limit, tasks, model, decode, output.dir: as in evaluate",
              "",
              "Writes the table grpo, trainers/{verl,flat,dllm_rl} and a data card, README.md.",
              "Rewards and advantages are derived: change rl.* and run again with the same",
              "output.dir, and nothing is decoded twice.",
              "",
              "Examples",
              "  submit/lockstep rollout rl.samples=8",
              "  submit/lockstep rollout rl.advantage=grpo rl.zero_spread=drop output.dir=out"));

  private RolloutJob() {}

  public static void main(String[] args) {
    JobMain.run(DESCRIPTION, args, RolloutJob::run);
  }

  static void run(JobContext context) throws IOException {
    if (context.compositions().size() > 1) {
      throw LockstepException.user(
          "Cannot sweep with rollout: the trainers' files hold one configuration. Use one rollout for each.");
    }
    List<PlannedRun> runs = PlannedRun.of(context.compositions());
    PlannedRun run = runs.get(0);
    RunConfig config = run.config();
    GrpoStage.check(config);
    DecodingRun<DecodeInput.Tasks> rollout =
        DecodingRun.open(
            context,
            runs,
            config.output().dir(),
            checked -> DecodeInput.benchmark(checked.dataset()));
    RunRecord.Judge judge = rollout.checkJudge();
    RunFolder folder = rollout.folder();
    folder.writeHydraRecord(context.job(), run.composition(), "");

    int decoded = rollout.decode(run);
    SparkSession spark = rollout.spark();
    DecodeInput.Tasks input = rollout.input();
    long judged =
        ScoreStage.runOnCompletions(
            spark, run, JudgedTasks.of(folder.runId(), input), folder.location());
    List<Row> metrics =
        MetricsStage.run(
            spark, folder.runId(), input.dataset(), List.of(config.configId()), folder.location());
    rollout.record(Optional.of(judge), decoded + judged > 0 ? Set.of(run) : Set.of());

    GrpoStage.run(spark, run, folder.location());
    TrainerFiles.write(spark, folder, config.rl());
    RolloutQuality quality =
        RolloutQuality.of(spark, folder.location(), replay(spark, run, folder.location()));
    new DataCard(folder.runId(), input.dataset(), rollout.model().name(), run, quality)
        .write(folder);
    report(metrics, quality, rollout);
  }

  /** A line on whether the stored log-probabilities can be had again. */
  private static String replay(SparkSession spark, PlannedRun run, String outputDir) {
    int samples = run.config().rl().replay();
    if (samples == 0) {
      return "not checked (rl.replay=0)";
    }
    return ReplayCheck.obstacle(run.config())
        .map(obstacle -> "not checked (" + obstacle + ")")
        .orElseGet(
            () ->
                ReplayCheck.of(run.json(), GrpoTable.TABLE.read(spark, outputDir), samples)
                    .toString());
  }

  private static void report(
      List<Row> metrics, RolloutQuality quality, DecodingRun<DecodeInput.Tasks> rollout) {
    String location = rollout.location();
    System.out.println();
    System.out.print(MetricsReport.of(metrics, List.of(rollout.first().config().configId())));
    System.out.println();
    System.out.print(quality);
    System.out.printf(
        Locale.ROOT,
        "%ndone in %.1f s%ntables: %s/{runs,completions,steps,scores,metrics,grpo}%nfor trainers: %s/%s/{verl,flat,dllm_rl}%ndata card: %s/%s%n",
        Duration.between(rollout.started(), Instant.now()).toMillis() / 1000.0,
        location,
        location,
        TrainerFiles.FOLDER,
        location,
        DataCard.FILE);
    MetricsReport.requireWhole(metrics, location);
  }
}
