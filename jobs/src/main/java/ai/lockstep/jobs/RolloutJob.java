package ai.lockstep.jobs;

import ai.lockstep.jobs.cli.JobContext;
import ai.lockstep.jobs.cli.JobDescription;
import ai.lockstep.jobs.cli.JobMain;
import ai.lockstep.jobs.config.RlConfig;
import ai.lockstep.jobs.config.RunConfig;
import ai.lockstep.jobs.decoding.DecodeInput;
import ai.lockstep.jobs.decoding.EstimateStage;
import ai.lockstep.jobs.decoding.ReplayCheck;
import ai.lockstep.jobs.grpo.DataCard;
import ai.lockstep.jobs.grpo.Drift;
import ai.lockstep.jobs.grpo.GrpoStage;
import ai.lockstep.jobs.grpo.RolloutQuality;
import ai.lockstep.jobs.grpo.SamplingRounds;
import ai.lockstep.jobs.grpo.TrainerFiles;
import ai.lockstep.jobs.metrics.MetricsReport;
import ai.lockstep.jobs.report.ReportStage;
import ai.lockstep.jobs.run.PlannedRun;
import ai.lockstep.jobs.run.RunFolder;
import ai.lockstep.jobs.run.RunRecord;
import ai.lockstep.jobs.scoring.ScoreStage;
import ai.lockstep.jobs.tables.GrpoTable;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.apache.spark.sql.Dataset;
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
              "  rl.logprobs=coupled    estimates for a trainer's ratios: trace, d1, coupled",
              "  rl.dynamic_sampling.max_samples=32  sample a task again while its rewards are equal",
              "  rl.gates.against=DIR   compare with an earlier rollout; rl.gates.max_* fail with exit 4",
              "  -m ... rl.group=task   several decoders' samples of a task in one group",
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
    List<PlannedRun> runs = PlannedRun.of(context.compositions());
    GrpoStage.check(runs);
    RunConfig config = runs.get(0).config();
    RlConfig rl = config.rl();
    if (config.plan()) {
      DecodingRun.forecast(context, runs, DecodeInput::benchmark);
      if (rl.maxSamples() > rl.samples()) {
        System.out.printf(
            "of the first %d samples a task: rl.dynamic_sampling may ask for up to %d%n",
            rl.samples(), rl.maxSamples());
      }
      return;
    }
    DecodingRun<DecodeInput.Tasks> rollout =
        DecodingRun.open(context, runs, DecodeInput::benchmark);
    RunRecord.Judge judge =
        rollout.check(
            session -> {
              Drift.check(session, rl);
              return ScoreStage.check(session, rollout.first());
            });
    rollout.writeHydraRecords();
    RunFolder folder = rollout.folder();
    Tracking tracking = Tracking.start(context, runs, folder);

    SparkSession spark = rollout.spark();
    String location = rollout.location();
    Set<PlannedRun> worked =
        new SamplingRounds(
                spark,
                runs,
                samples -> ScoringBehind.decode(rollout, rollout.plan(each -> samples)),
                location)
            .run();
    String dataset = rollout.input().dataset();
    List<Row> metrics = rollout.metrics();
    rollout.record(Optional.of(judge), worked);

    for (PlannedRun run : runs) {
      EstimateStage.run(spark, run, folder.runId(), location);
    }
    GrpoStage.run(spark, runs, location);
    TrainerFiles.write(spark, folder, rl);
    RolloutQuality quality =
        RolloutQuality.of(
            spark,
            location,
            rl,
            EstimateStage.cost(spark, rl, location),
            replay(spark, runs, location));
    quality.write(folder);
    new DataCard(folder.runId(), dataset, rollout.model().name(), runs, quality).write(folder);
    report(metrics, quality, rollout);
    ReportStage.atTheEnd(spark, config, metrics, location);
    tracking.finish(spark, metrics, quality.measures());
    MetricsReport.requireWhole(metrics, location);
    quality.require(location);
  }

  /** A line on whether the stored log-probabilities can be had again. */
  private static String replay(SparkSession spark, List<PlannedRun> runs, String outputDir) {
    int samples = runs.get(0).config().rl().replay();
    if (samples == 0) {
      return "not checked (rl.replay=0)";
    }
    List<String> lines = new ArrayList<>();
    for (PlannedRun run : runs) {
      Dataset<Row> rows = GrpoStage.ofConfigs(GrpoTable.TABLE.read(spark, outputDir), List.of(run));
      lines.add(
          ReplayCheck.obstacle(run.config())
              .map(obstacle -> "not checked (" + obstacle + ")")
              .orElseGet(() -> ReplayCheck.of(run.json(), rows, samples).toString()));
    }
    return String.join("; ", lines);
  }

  private static void report(
      List<Row> metrics, RolloutQuality quality, DecodingRun<DecodeInput.Tasks> rollout) {
    String location = rollout.location();
    System.out.println();
    System.out.print(MetricsReport.of(metrics, PlannedRun.labels(rollout.runs())));
    System.out.println();
    System.out.print(quality);
    System.out.printf(
        Locale.ROOT,
        "%ndone in %.1f s%ntables: %s/{runs,completions,steps,scores,metrics,logprobs,grpo}%nfor trainers: %s/%s/{verl,flat,dllm_rl}%ndata card: %s/%s%n",
        Duration.between(rollout.started(), Instant.now()).toMillis() / 1000.0,
        location,
        location,
        TrainerFiles.FOLDER,
        location,
        DataCard.FILE);
  }
}
