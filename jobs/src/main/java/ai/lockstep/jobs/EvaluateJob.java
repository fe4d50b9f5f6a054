package ai.lockstep.jobs;

import ai.lockstep.jobs.cli.JobContext;
import ai.lockstep.jobs.cli.JobDescription;
import ai.lockstep.jobs.cli.JobMain;
import ai.lockstep.jobs.config.HydraRecord;
import ai.lockstep.jobs.decoding.DecodeInput;
import ai.lockstep.jobs.metrics.MetricsReport;
import ai.lockstep.jobs.report.ReportStage;
import ai.lockstep.jobs.run.PlannedRun;
import ai.lockstep.jobs.run.RunFolder;
import ai.lockstep.jobs.run.RunRecord;
import ai.lockstep.jobs.scoring.EvalPlusResultFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.apache.spark.sql.Row;

/** {@code evaluate}: decodes a benchmark, judges the answers, writes the tables, prints pass@1. */
public final class EvaluateJob {

  static final JobDescription DESCRIPTION =
      new JobDescription(
          "evaluate",
          "Decodes a benchmark, runs its tests in a sandbox, writes the tables, prints pass@1.",
          List.of(
              "",
              "Keys that matter most",
              "  dataset=starter|humanevalplus|mbppplus, dataset.path=FILE",
              "  limit=20, tasks=0-19   a part of the benchmark",
              "  model.path=DIR         checkpoint folder; model=dream for Dream-7B",
              "  decode.mode=gauss_seidel|jacobi, decode.tau_r, decode.tau_a",
              "  model.generation.n=8 model.generation.temperature=0.8   samples a task",
              "  output.dir=DIR         where the tables go; name it again to go on with a run",
              "  wandb.enabled=true, tracking=mlflow   track it in W&B, in MLflow",
              "  plan=true              say what would be decoded and how long, and do nothing",
              "",
              "Examples",
              "  submit/lockstep evaluate",
              "  submit/lockstep evaluate dataset=humanevalplus dataset.path=HumanEvalPlus.jsonl.gz",
              "  submit/lockstep evaluate -m decode.tau_a=0.5,0.7,0.9 output.dir=out"));

  private EvaluateJob() {}

  public static void main(String[] args) {
    JobMain.run(DESCRIPTION, args, EvaluateJob::run);
  }

  static void run(JobContext context) throws IOException {
    List<PlannedRun> runs = PlannedRun.of(context.compositions());
    String location = location(context, runs.get(0));
    if (runs.get(0).config().plan()) {
      DecodingRun.forecast(context, runs, location, DecodeInput::benchmark);
      return;
    }
    Evaluated evaluated = evaluate(context, runs, location);
    MetricsReport.requireWhole(evaluated.metrics, location);
  }

  /**
   * A benchmark that was evaluated.
   *
   * @param metrics rows of {@code metrics}, in the order of the configurations
   */
  record Evaluated(DecodingRun<DecodeInput.Tasks> run, List<Row> metrics) {}

  /** Evaluates and prints what came of it, also where rows failed. */
  static Evaluated evaluate(JobContext context) throws IOException {
    List<PlannedRun> runs = PlannedRun.of(context.compositions());
    return evaluate(context, runs, location(context, runs.get(0)));
  }

  private static Evaluated evaluate(JobContext context, List<PlannedRun> runs, String location)
      throws IOException {
    DecodingRun<DecodeInput.Tasks> evaluation =
        DecodingRun.open(context, runs, location, DecodeInput::benchmark);
    RunRecord.Judge judge = evaluation.checkJudge();
    writeHydraRecords(context, runs, evaluation.folder());
    Tracking tracking = Tracking.start(context, runs, evaluation.folder());
    Set<PlannedRun> worked = ScoringBehind.decode(evaluation, evaluation.plan());
    List<Row> metrics = evaluation.metrics();
    writeResultFiles(context, evaluation);
    evaluation.record(Optional.of(judge), worked);
    report(context, metrics, evaluation);
    ReportStage.atTheEnd(evaluation.spark(), runs.get(0).config(), metrics, evaluation.location());
    tracking.finish(evaluation.spark(), metrics);
    return new Evaluated(evaluation, metrics);
  }

  /** Writes what was composed, as Hydra does. */
  static void writeHydraRecords(JobContext context, List<PlannedRun> runs, RunFolder folder)
      throws IOException {
    List<List<String>> jobs = new ArrayList<>();
    for (PlannedRun run : runs) {
      folder.writeHydraRecord(context.job(), run.composition(), jobFolder(context, jobs.size()));
      jobs.add(run.composition().overrides());
    }
    if (context.isSweep()) {
      folder.write(
          "multirun.yaml",
          HydraRecord.multirun(context.job(), context.overrides(), jobs)
              .getBytes(StandardCharsets.UTF_8));
    }
  }

  /** A sweep goes to {@code output.sweep_dir}, unless only {@code output.dir} was named. */
  static String location(JobContext context, PlannedRun first) {
    boolean namesOnlyDir =
        first.composition().sets("output.dir") && !first.composition().sets("output.sweep_dir");
    return context.isSweep() && !namesOnlyDir
        ? first.config().output().sweepDir()
        : first.config().output().dir();
  }

  /** Where a job's own files go within the run's folder, as Hydra does. */
  static String jobFolder(JobContext context, int job) {
    return context.isSweep() ? job + "/" : "";
  }

  private static void writeResultFiles(
      JobContext context, DecodingRun<DecodeInput.Tasks> evaluation) throws IOException {
    for (int job = 0; job < evaluation.runs().size(); job++) {
      EvalPlusResultFile.write(
          evaluation.spark(),
          evaluation.runs().get(job).config(),
          evaluation.input().benchmark(),
          evaluation.folder(),
          jobFolder(context, job));
    }
  }

  private static void report(
      JobContext context, List<Row> metrics, DecodingRun<DecodeInput.Tasks> evaluation) {
    String location = evaluation.location();
    List<PlannedRun> runs = evaluation.runs();
    System.out.println();
    System.out.print(MetricsReport.of(metrics, PlannedRun.labels(runs)));
    System.out.printf(
        Locale.ROOT,
        "%ndone in %.1f s%ntables: %s/{runs,completions,steps,scores,metrics}%nEvalPlus's result file: %s/%seval_results.json%n",
        Duration.between(evaluation.started(), Instant.now()).toMillis() / 1000.0,
        location,
        location,
        context.isSweep() ? "{0..%d}/".formatted(runs.size() - 1) : "");
  }
}
