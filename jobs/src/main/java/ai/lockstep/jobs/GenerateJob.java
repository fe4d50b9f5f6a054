package ai.lockstep.jobs;

import ai.lockstep.failure.LockstepException;
import ai.lockstep.jobs.cli.JobContext;
import ai.lockstep.jobs.cli.JobDescription;
import ai.lockstep.jobs.cli.JobMain;
import ai.lockstep.jobs.config.RunConfig;
import ai.lockstep.jobs.decoding.DecodeInput;
import ai.lockstep.jobs.decoding.DecodeStage;
import ai.lockstep.jobs.run.PlannedRun;
import ai.lockstep.jobs.run.RunFolder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;

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
    if (context.compositions().size() > 1) {
      throw LockstepException.user(
          "Cannot sweep with generate: completions.jsonl holds one configuration. Use evaluate -m, or one generate for each.");
    }
    List<PlannedRun> runs = PlannedRun.of(context.compositions());
    PlannedRun run = runs.get(0);
    if (run.config().plan()) {
      DecodingRun.forecast(context, runs, run.config().output().dir(), GenerateJob::input);
      return;
    }
    DecodingRun<DecodeInput> generation =
        DecodingRun.open(context, runs, run.config().output().dir(), GenerateJob::input);
    RunFolder folder = generation.folder();
    folder.writeHydraRecord(context.job(), run.composition(), "");
    int decoded = generation.decode();
    DecodeStage.writeJsonLines(generation.spark(), run.config(), folder);
    generation.record(Optional.empty(), decoded > 0 ? Set.of(run) : Set.of());
    report(generation);
  }

  private static DecodeInput input(RunConfig config) {
    return config
        .input()
        .map(file -> DecodeInput.promptsFile(Path.of(file)))
        .orElseGet(() -> DecodeInput.benchmark(config));
  }

  private static void report(DecodingRun<DecodeInput> generation) {
    RunConfig config = generation.first().config();
    String location = generation.location();
    long rows = generation.input().prompts(config).size() * (long) config.model().generation().n();
    long failed = DecodeStage.failedRows(generation.spark(), config, location);
    System.out.printf(
        "%d rows decoded, %d failed.%nwritten to %s/completions.jsonl and %s/completions%n",
        rows - failed, failed, location, location);
    if (failed > 0) {
      throw LockstepException.partial(
          "%d of %d rows failed; the column error of %s/completions says why. The rest is written."
              .formatted(failed, rows, location));
    }
  }
}
