package ai.lockstep.jobs;

import ai.lockstep.failure.LockstepException;
import ai.lockstep.jobs.cli.JobContext;
import ai.lockstep.jobs.cli.JobDescription;
import ai.lockstep.jobs.cli.JobMain;
import ai.lockstep.jobs.decoding.DecodeInput;
import ai.lockstep.jobs.decoding.DecodeStage;
import ai.lockstep.jobs.decoding.LocatedModel;
import ai.lockstep.jobs.decoding.Prompt;
import ai.lockstep.jobs.decoding.RunIdentity;
import ai.lockstep.jobs.run.PlannedRun;
import ai.lockstep.jobs.run.RunFolder;
import ai.lockstep.jobs.run.RunManifest;
import ai.lockstep.jobs.run.RunRecord;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.apache.spark.sql.SparkSession;

/** {@code generate}: decodes a benchmark or a prompts file; writes Parquet and JSONL. */
public final class GenerateJob {

  static final JobDescription DESCRIPTION =
      new JobDescription(
          "generate",
          "Decodes prompts and writes completions: Parquet, and JSONL in the input's order.",
          List.of(
              "",
              "Keys that matter most",
              "  input=FILE.jsonl       lines {\"id\", \"prompt\"} or {\"id\", \"prompt_ids\"};",
              "                         without it the dataset's tasks are decoded",
              "  output.dir=DIR         DIR/completions.jsonl and DIR/completions",
              "  model.path=DIR         checkpoint folder; model=dream for Dream-7B",
              "  decode.tau_r, decode.tau_a, decode.mode, decode.trace=true",
              "",
              "Example",
              "  submit/lockstep generate input=prompts.jsonl output.dir=out decode.trace=true"));

  private GenerateJob() {}

  public static void main(String[] args) {
    JobMain.run(DESCRIPTION, args, GenerateJob::run);
  }

  static void run(JobContext context) throws IOException {
    Instant started = Instant.now();
    if (context.compositions().size() > 1) {
      throw LockstepException.user(
          "Cannot sweep with generate: completions.jsonl holds one configuration. Use evaluate -m, or one generate for each.");
    }
    List<PlannedRun> runs = PlannedRun.of(context.compositions());
    PlannedRun run = runs.get(0);
    LocatedModel model = DecodeStage.check(run.config());
    DecodeInput input =
        run.config()
            .input()
            .map(file -> DecodeInput.promptsFile(Path.of(file)))
            .orElseGet(() -> DecodeInput.benchmark(run.config().dataset()));
    List<Prompt> prompts = input.prompts(run.config());

    SparkSession spark =
        context.spark(
            run.config().hardware().sparkProperties(), DecodeStage.sparkProperties(run.config()));
    RunFolder folder =
        context.keep(
            RunFolder.claim(
                run.config().output().dir(),
                RunManifest.of(context.job(), runs, input.dataset(), input.md5(), model.revision()),
                spark.sessionState().newHadoopConf()));
    folder.writeHydraRecord(context.job(), run.composition(), "");
    RunIdentity identity =
        new RunIdentity(folder.runId(), input.dataset(), model.name(), model.revision());
    int decoded =
        DecodeStage.run(spark, run.config(), run.json(), identity, prompts, folder.location());
    DecodeStage.writeJsonLines(spark, run.config(), folder);
    new RunRecord(
            context.job(),
            input.dataset(),
            input.md5(),
            Optional.of(new RunRecord.Model(model.name(), model.revision())),
            Optional.empty(),
            started)
        .write(spark, runs, decoded > 0 ? Set.of(run) : Set.of(), folder);
    long failed = DecodeStage.failedRows(spark, run.config(), folder.location());
    System.out.printf(
        "%d rows decoded, %d failed.%nwritten to %s/completions.jsonl and %s/completions%n",
        prompts.size() * (long) run.config().model().generation().n() - failed,
        failed,
        folder.location(),
        folder.location());
    if (failed > 0) {
      throw LockstepException.partial(
          "%d of %d rows failed; the column error of %s/completions says why. The rest is written."
              .formatted(failed, prompts.size(), folder.location()));
    }
  }
}
