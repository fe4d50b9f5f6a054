package ai.lockstep.jobs;

import ai.lockstep.failure.LockstepException;
import ai.lockstep.jobs.cli.JobContext;
import ai.lockstep.jobs.cli.JobDescription;
import ai.lockstep.jobs.cli.JobMain;
import ai.lockstep.jobs.config.Composition;
import ai.lockstep.jobs.config.RunConfig;
import ai.lockstep.jobs.report.ReportStage;
import java.io.IOException;
import java.util.List;
import org.apache.spark.sql.SparkSession;

/** {@code report}: writes the report of a run again, also of one that is half done. */
public final class ReportJob {

  static final JobDescription DESCRIPTION =
      new JobDescription(
          "report",
          "Writes DIR/report.html from the tables of a run: one page that needs no network.",
          List.of(
              "",
              "Keys that matter most",
              "  output.dir=DIR         of the run; a half-done one is reported as far as it is",
              "  compare=DIR            another run, shown beside it",
              "  viz.details=1000       tasks whose samples can be opened in the page",
              "  viz.gif=none|first|failed|all   draw how samples were filled, in DIR/viz",
              "  viz.gif_samples=4      samples to draw at most",
              "",
              "Examples",
              "  submit/lockstep report output.dir=out",
              "  submit/lockstep report output.dir=out compare=yesterday viz.gif=failed"));

  private ReportJob() {}

  public static void main(String[] args) {
    JobMain.run(DESCRIPTION, args, ReportJob::run);
  }

  static void run(JobContext context) throws IOException {
    if (context.compositions().size() > 1) {
      throw LockstepException.user(
          "Cannot sweep with report: a sweep's configurations lie in one folder and one report.");
    }
    Composition composition = context.compositions().get(0);
    RunConfig config = RunConfig.of(composition);
    SparkSession spark = context.spark(config.hardware().sparkProperties());
    ReportStage.rebuild(spark, config.output().dir(), composition.resolved(), config.compare());
  }
}
