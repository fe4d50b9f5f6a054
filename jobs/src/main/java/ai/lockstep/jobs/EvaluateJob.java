package ai.lockstep.jobs;

import ai.lockstep.jobs.cli.JobContext;
import ai.lockstep.jobs.cli.JobDescription;
import ai.lockstep.jobs.cli.JobMain;
import ai.lockstep.jobs.decoding.DecodeInput;
import ai.lockstep.jobs.metrics.MetricsReport;
import ai.lockstep.jobs.report.ReportStage;
import ai.lockstep.jobs.run.PlannedRun;
import ai.lockstep.jobs.run.RunRecord;
import ai.lockstep.jobs.scoring.EvalPlusResultFile;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
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
    if (runs.get(0).config().plan()) {
      DecodingRun.forecast(context, runs, DecodeInput::benchmark);
      return;
    }
    Evaluated evaluated = evaluate(context, runs);
    MetricsReport.requireWhole(evaluated.metrics, evaluated.run.location());
  }

  /**
   * A benchmark that was evaluated.
   *
   * @param metrics rows of {@code metrics}, in the order of the configurations
   */
  record Evaluated(DecodingRun<DecodeInput.Tasks> run, List<Row> metrics) {}

  /** Evaluates and prints what came of it, also where rows failed. */
  static Evaluated evaluate(JobContext context) throws IOException {
    return evaluate(context, PlannedRun.of(context.compositions()));
  }

  private static Evaluated evaluate(JobContext context, List<PlannedRun> runs) throws IOException {
    DecodingRun<DecodeInput.Tasks> evaluation =
        DecodingRun.open(context, runs, DecodeInput::benchmark);
    RunRecord.Judge judge = evaluation.checkJudge();
    evaluation.writeHydraRecords();
    Tracking tracking = Tracking.start(context, runs, evaluation.folder());
    Set<PlannedRun> worked = ScoringBehind.decode(evaluation, evaluation.plan());
    List<Row> metrics = evaluation.metrics();
    writeResultFiles(evaluation);
    evaluation.record(Optional.of(judge), worked);
    report(metrics, evaluation);
    ReportStage.atTheEnd(evaluation.spark(), runs.get(0).config(), metrics, evaluation.location());
    tracking.finish(evaluation.spark(), metrics);
    return new Evaluated(evaluation, metrics);
  }

  private static void writeResultFiles(DecodingRun<DecodeInput.Tasks> evaluation)
      throws IOException {
    for (int job = 0; job < evaluation.runs().size(); job++) {
      EvalPlusResultFile.write(
          evaluation.spark(),
          evaluation.runs().get(job).config(),
          evaluation.input().benchmark(),
          evaluation.folder(),
          evaluation.jobFolder(job));
    }
  }

  private static void report(List<Row> metrics, DecodingRun<DecodeInput.Tasks> evaluation) {
    String location = evaluation.location();
    System.out.println();
    System.out.print(MetricsReport.of(metrics, PlannedRun.labels(evaluation.runs())));
    System.out.printf(
        Locale.ROOT,
        "%ndone in %.1f s%ntables: %s/{runs,completions,steps,scores,metrics}%nEvalPlus's result file: %s/%seval_results.json%n",
        Duration.between(evaluation.started(), Instant.now()).toMillis() / 1000.0,
        location,
        location,
        evaluation.jobFolders());
  }
}
