package ai.lockstep.jobs;

import ai.lockstep.datasets.Benchmark;
import ai.lockstep.failure.LockstepException;
import ai.lockstep.jobs.cli.JobContext;
import ai.lockstep.jobs.cli.JobDescription;
import ai.lockstep.jobs.cli.JobMain;
import ai.lockstep.jobs.config.RunConfig;
import ai.lockstep.jobs.metrics.MetricsReport;
import ai.lockstep.jobs.metrics.MetricsStage;
import ai.lockstep.jobs.report.ReportStage;
import ai.lockstep.jobs.run.PlannedRun;
import ai.lockstep.jobs.run.RunFolder;
import ai.lockstep.jobs.run.RunManifest;
import ai.lockstep.jobs.run.RunRecord;
import ai.lockstep.jobs.scoring.EvalPlusResultFile;
import ai.lockstep.jobs.scoring.JudgedTasks;
import ai.lockstep.jobs.scoring.ScoreInput;
import ai.lockstep.jobs.scoring.ScoreStage;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** {@code score}: judges programs that already exist. */
public final class ScoreJob {

  private static final Logger LOG = LoggerFactory.getLogger(ScoreJob.class);

  /** How many tasks without a sample are named. */
  private static final int NAMED_TASKS = 10;

  static final JobDescription DESCRIPTION =
      new JobDescription(
          "score",
          "Runs the tests of samples; writes scores and EvalPlus's eval_results.json.",
          List.of(
              "",
              "Keys that matter most",
              "  samples=PATH           .jsonl or .jsonl.gz (task_id and solution or completion),",
              "                         a folder of programs such as HumanEval_0/0.py, or the",
              "                         output.dir of an earlier generate or evaluate",
              "  dataset=starter|humanevalplus|mbppplus, dataset.path=FILE",
              "  output.dir=DIR         DIR/scores and DIR/eval_results.json",
              "  harness.sanitize=false the program as it stands",
              "  harness.fail_fast=false  a result for every test",
              "",
              "Example",
              "  submit/lockstep score samples=samples.jsonl dataset=humanevalplus output.dir=out"));

  private ScoreJob() {}

  public static void main(String[] args) {
    JobMain.run(DESCRIPTION, args, ScoreJob::run);
  }

  static void run(JobContext context) throws IOException {
    Instant started = Instant.now();
    if (context.compositions().size() > 1) {
      throw LockstepException.user(
          "Cannot sweep with score: eval_results.json holds one configuration. Use one score for each.");
    }
    List<PlannedRun> runs = PlannedRun.of(context.compositions());
    PlannedRun run = runs.get(0);
    RunConfig config = run.config();
    String samples =
        config
            .samples()
            .orElseThrow(
                () ->
                    LockstepException.user(
                        "Cannot score without samples: give samples=FILE.jsonl, a folder of programs, or the output.dir of an earlier run."));
    Benchmark benchmark = config.dataset().open();
    ScoreInput input = ScoreInput.of(Path.of(samples), benchmark);
    input.warnings().forEach(LOG::warn);

    SparkSession spark = context.spark(config.hardware().sparkProperties());
    RunRecord.Judge judge = ScoreStage.check(spark, run);
    String dataset = benchmark.suite().datasetName();
    RunFolder folder =
        context.keep(
            RunFolder.claim(
                config.output().dir(),
                RunManifest.of(context.job(), runs, dataset, benchmark.md5(), "")
                    .withInputMd5(input.md5()),
                spark.sessionState().newHadoopConf()));
    folder.writeHydraRecord(context.job(), run.composition(), "");
    Tracking tracking = Tracking.start(context, runs, folder);
    long judged =
        ScoreStage.run(
            spark,
            run,
            new JudgedTasks(folder.runId(), dataset, benchmark.md5(), benchmark.tasks()),
            input.candidates(spark, config.configId()),
            folder.location());
    List<Row> metrics =
        MetricsStage.run(
            spark, folder.runId(), dataset, List.of(config.configId()), folder.location());
    EvalPlusResultFile.write(spark, config, benchmark, folder, "");
    new RunRecord(
            context.job(), dataset, benchmark.md5(), Optional.empty(), Optional.of(judge), started)
        .write(spark, runs, judged > 0 ? Set.of(run) : Set.of(), folder);
    System.out.println();
    System.out.print(MetricsReport.of(metrics, List.of(config.configId())));
    reportMissingTasks(input.missingTaskIds(spark), benchmark);
    System.out.printf(
        Locale.ROOT,
        "%ndone in %.1f s%ntables: %s/{runs,scores,metrics}%nEvalPlus's result file: %s/eval_results.json%n",
        Duration.between(started, Instant.now()).toMillis() / 1000.0,
        folder.location(),
        folder.location());
    ReportStage.atTheEnd(spark, config, metrics, folder.location());
    tracking.finish(spark, metrics);
    MetricsReport.requireWhole(metrics, folder.location());
  }

  /** EvalPlus refuses such samples; here pass@k is over the tasks that have some. */
  private static void reportMissingTasks(List<String> missing, Benchmark benchmark) {
    if (!missing.isEmpty()) {
      System.out.printf(
          "%n%d of %d tasks have no sample and are not counted: %s%s%n",
          missing.size(),
          benchmark.tasks().size(),
          String.join(", ", missing.subList(0, Math.min(NAMED_TASKS, missing.size()))),
          missing.size() > NAMED_TASKS ? ", ..." : "");
    }
  }
}
