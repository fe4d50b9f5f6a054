package ai.lockstep.jobs;

import ai.lockstep.jobs.cli.JobContext;
import ai.lockstep.jobs.config.RunConfig;
import ai.lockstep.jobs.decoding.DecodeInput;
import ai.lockstep.jobs.decoding.DecodeStage;
import ai.lockstep.jobs.decoding.LocatedModel;
import ai.lockstep.jobs.decoding.RunIdentity;
import ai.lockstep.jobs.run.PlannedRun;
import ai.lockstep.jobs.run.RunFolder;
import ai.lockstep.jobs.run.RunManifest;
import ai.lockstep.jobs.run.RunRecord;
import ai.lockstep.jobs.scoring.ScoreStage;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.apache.spark.sql.SparkSession;

/**
 * What the jobs that decode have in common: they check everything that needs no Spark, start Spark,
 * take the run's folder, and in the end record what the rows were made with. Driver only.
 *
 * @param job the job's name
 * @param started when the job started
 * @param runs the configurations, one at least
 * @param input what is decoded
 * @param model what decodes it, not loaded here
 * @param spark the session
 * @param folder where the tables go, taken
 */
record DecodingRun<I extends DecodeInput>(
    String job,
    Instant started,
    List<PlannedRun> runs,
    I input,
    LocatedModel model,
    SparkSession spark,
    RunFolder folder) {

  DecodingRun {
    runs = List.copyOf(runs);
  }

  /**
   * Opens a run.
   *
   * @param runs share their input, model and hardware
   * @param location of the folder
   * @param input opens the input; what is wrong with it is found before Spark starts
   */
  static <I extends DecodeInput> DecodingRun<I> open(
      JobContext context, List<PlannedRun> runs, String location, Function<RunConfig, I> input) {
    Instant started = Instant.now();
    RunConfig first = runs.get(0).config();
    LocatedModel model = DecodeStage.check(first);
    for (PlannedRun run : runs.subList(1, runs.size())) {
      DecodeStage.check(run.config());
    }
    I opened = input.apply(first);
    SparkSession spark =
        context.spark(first.hardware().sparkProperties(), DecodeStage.sparkProperties(first));
    RunManifest manifest =
        RunManifest.of(context.job(), runs, opened.dataset(), opened.md5(), model.revision());
    RunFolder folder =
        context.keep(RunFolder.claim(location, manifest, spark.sessionState().newHadoopConf()));
    return new DecodingRun<>(context.job(), started, runs, opened, model, spark, folder);
  }

  /** Where the tables go. */
  String location() {
    return folder.location();
  }

  /** The first configuration: the only one, except in a sweep. */
  PlannedRun first() {
    return runs.get(0);
  }

  /**
   * Starts the sandbox; a folder that was made for this run does not stay behind when the machine
   * has none.
   */
  RunRecord.Judge checkJudge() {
    try {
      return ScoreStage.check(spark, first());
    } catch (RuntimeException e) {
      folder.abandon();
      throw e;
    }
  }

  /**
   * Decodes what is missing of a configuration.
   *
   * @return how many rows that were
   */
  int decode(PlannedRun run) {
    return DecodeStage.run(
        spark,
        run.config(),
        run.json(),
        new RunIdentity(folder.runId(), input.dataset(), model.name(), model.revision()),
        input.prompts(run.config()),
        location());
  }

  /**
   * Writes the rows of {@code runs}.
   *
   * @param judge empty when nothing was judged
   * @param worked configurations for which something was done
   */
  void record(Optional<RunRecord.Judge> judge, Set<PlannedRun> worked) {
    new RunRecord(
            job,
            input.dataset(),
            input.md5(),
            Optional.of(new RunRecord.Model(model.name(), model.revision())),
            judge,
            started)
        .write(spark, runs, worked, folder);
  }
}
