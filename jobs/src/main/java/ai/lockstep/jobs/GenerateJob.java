package ai.lockstep.jobs;

import ai.lockstep.failure.LockstepException;
import ai.lockstep.jobs.cli.JobContext;
import ai.lockstep.jobs.cli.JobDescription;
import ai.lockstep.jobs.cli.JobMain;
import ai.lockstep.jobs.config.RunConfig;
import ai.lockstep.jobs.decoding.DecodeInput;
import ai.lockstep.jobs.decoding.DecodePlan;
import ai.lockstep.jobs.decoding.DecodeStage;
import ai.lockstep.jobs.run.PlannedRun;
import ai.lockstep.jobs.run.RunFolder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

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
              "A sweep (-m) writes DIR/0/completions.jsonl, DIR/1/completions.jsonl, ...",
              "",
              "Examples",
              "  submit/lockstep generate input=prompts.jsonl output.dir=out decode.trace=true",
              "  submit/lockstep generate input=prompts.jsonl -m decode=lockstep,jacobi"));

  private GenerateJob() {}

  public static void main(String[] args) {
    JobMain.run(DESCRIPTION, args, GenerateJob::run);
  }

  static void run(JobContext context) throws IOException {
    List<PlannedRun> runs = PlannedRun.of(context.compositions());
    if (runs.get(0).config().plan()) {
      DecodingRun.forecast(context, runs, GenerateJob::input);
      return;
    }
    DecodingRun<DecodeInput> generation = DecodingRun.open(context, runs, GenerateJob::input);
    RunFolder folder = generation.folder();
    generation.writeHydraRecords();
    Tracking tracking = Tracking.start(context, runs, folder);
    DecodePlan plan = generation.plan();
    generation.decode(plan, whole -> {});
    for (int job = 0; job < runs.size(); job++) {
      DecodeStage.writeJsonLines(
          generation.spark(), runs.get(job).config(), folder, generation.jobFolder(job));
    }
    generation.record(Optional.empty(), plan.unfinished());
    Rows rows = Rows.of(generation);
    report(generation, rows);
    tracking.finish(generation.spark(), generation::metrics);
    rows.requireAll(generation.location());
  }

  private static DecodeInput input(RunConfig config) {
    return config
        .input()
        .map(file -> DecodeInput.promptsFile(Path.of(file)))
        .orElseGet(() -> DecodeInput.benchmark(config));
  }

  /** How many rows were asked for, and how many of those could not be decoded. */
  private record Rows(long asked, long failed) {

    static Rows of(DecodingRun<DecodeInput> generation) {
      long asked = 0;
      for (PlannedRun run : generation.runs()) {
        int prompts = generation.input().prompts(run.config()).size();
        asked += prompts * (long) run.config().model().generation().n();
      }
      return new Rows(
          asked,
          DecodeStage.failedRows(
              generation.spark(), PlannedRun.configIds(generation.runs()), generation.location()));
    }

    void requireAll(String location) {
      if (failed > 0) {
        throw LockstepException.partial(
            "%d of %d rows failed; the column error of %s/completions says why. The rest is written."
                .formatted(failed, asked, location));
      }
    }
  }

  private static void report(DecodingRun<DecodeInput> generation, Rows rows) {
    System.out.printf(
        "%d rows decoded, %d failed.%nwritten to %s/%scompletions.jsonl and %s/completions%n",
        rows.asked - rows.failed,
        rows.failed,
        generation.location(),
        generation.jobFolders(),
        generation.location());
  }
}
