package ai.lockstep.jobs;

import ai.lockstep.failure.LockstepException;
import ai.lockstep.jobs.cli.JobContext;
import ai.lockstep.jobs.config.HydraRecord;
import ai.lockstep.jobs.config.RunConfig;
import ai.lockstep.jobs.decoding.DecodeInput;
import ai.lockstep.jobs.decoding.DecodePlan;
import ai.lockstep.jobs.decoding.DecodeStage;
import ai.lockstep.jobs.decoding.Forecast;
import ai.lockstep.jobs.decoding.LocatedModel;
import ai.lockstep.jobs.decoding.RunIdentity;
import ai.lockstep.jobs.decoding.SampleRange;
import ai.lockstep.jobs.metrics.MetricsStage;
import ai.lockstep.jobs.run.PlannedRun;
import ai.lockstep.jobs.run.RunFolder;
import ai.lockstep.jobs.run.RunManifest;
import ai.lockstep.jobs.run.RunRecord;
import ai.lockstep.jobs.scoring.ScoreStage;
import ai.lockstep.udf.spark.GpuUse;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/**
 * What the jobs that decode have in common: they check everything that needs no Spark, start Spark,
 * take the run's folder, and in the end record what the rows were made with. Driver only.
 *
 * @param context of the job
 * @param started when the job started
 * @param runs the configurations, one at least
 * @param input what is decoded
 * @param model what decodes it, not loaded here
 * @param spark the session
 * @param folder where the tables go, taken
 * @param gpus what the replicas' GPUs did so far: grows as the run decodes
 */
record DecodingRun<I extends DecodeInput>(
    JobContext context,
    Instant started,
    List<PlannedRun> runs,
    I input,
    LocatedModel model,
    SparkSession spark,
    RunFolder folder,
    List<GpuUse> gpus) {

  DecodingRun {
    runs = List.copyOf(runs);
  }

  /**
   * Opens a run.
   *
   * @param runs share their hardware
   * @param input opens the input; what is wrong with it is found before Spark starts
   */
  static <I extends DecodeInput> DecodingRun<I> open(
      JobContext context, List<PlannedRun> runs, Function<RunConfig, I> input) {
    Instant started = Instant.now();
    RunConfig first = runs.get(0).config();
    LocatedModel model = check(context, runs);
    I opened = input.apply(first);
    SparkSession spark =
        context.spark(first.hardware().sparkProperties(), DecodeStage.sparkProperties(first));
    RunFolder folder =
        context.keep(
            RunFolder.claim(
                location(context, runs),
                manifest(context, runs, opened, model),
                spark.sessionState().newHadoopConf()));
    return new DecodingRun<>(
        context, started, runs, opened, model, spark, folder, new ArrayList<>());
  }

  /**
   * Says what a run would decode and what that would take; {@code plan=true}. Checks what {@link
   * #open} checks, loads no model and writes nothing.
   */
  static void forecast(
      JobContext context, List<PlannedRun> runs, Function<RunConfig, ? extends DecodeInput> input) {
    String location = location(context, runs);
    LocatedModel model = check(context, runs);
    DecodeInput opened = input.apply(runs.get(0).config());
    SparkSession spark = context.spark(Map.of());
    RunFolder.check(
        location, manifest(context, runs, opened, model), spark.sessionState().newHadoopConf());
    DecodePlan plan = DecodePlan.of(spark, runs, opened, SampleRange::configured, location);
    System.out.print(Forecast.of(spark, plan, model, location));
  }

  private static LocatedModel check(JobContext context, List<PlannedRun> runs) {
    requireOneOfEach(context.job(), runs);
    LocatedModel model = DecodeStage.check(runs.get(0).config());
    for (PlannedRun run : runs.subList(1, runs.size())) {
      DecodeStage.check(run.config());
    }
    return model;
  }

  /**
   * A sweep shares one benchmark, one checkpoint and one judge: its rows lie in one folder, whose
   * manifest names one of each.
   */
  private static void requireOneOfEach(String job, List<PlannedRun> runs) {
    RunConfig first = runs.get(0).config();
    for (PlannedRun run : runs) {
      RunConfig config = run.config();
      if (!dataset(run).equals(dataset(runs.get(0)))) {
        throw LockstepException.user(
            "Cannot sweep over dataset: one run has one benchmark. Use one %s for each."
                .formatted(job));
      }
      if (!config.model().location().equals(first.model().location())
          || !config.model().adapter().equals(first.model().adapter())) {
        throw LockstepException.user(
            "Cannot sweep over the checkpoint: one run loads one. Use one %s for each."
                .formatted(job));
      }
      if (!config.harness().sandbox().equals(first.harness().sandbox())
          || !config.harness().python().equals(first.harness().python())) {
        throw LockstepException.user(
            "Cannot sweep over harness.sandbox or harness.python: one run has one judge. Use one %s for each."
                .formatted(job));
      }
    }
  }

  private static JsonNode dataset(PlannedRun run) {
    return run.composition().resolved().path("dataset");
  }

  private static RunManifest manifest(
      JobContext context, List<PlannedRun> runs, DecodeInput input, LocatedModel model) {
    return RunManifest.of(context.job(), runs, input.dataset(), input.md5(), model.revision());
  }

  /** A sweep goes to {@code output.sweep_dir}, unless only {@code output.dir} was named. */
  private static String location(JobContext context, List<PlannedRun> runs) {
    PlannedRun first = runs.get(0);
    boolean namesOnlyDir =
        first.composition().sets("output.dir") && !first.composition().sets("output.sweep_dir");
    return context.isSweep() && !namesOnlyDir
        ? first.config().output().sweepDir()
        : first.config().output().dir();
  }

  /** Where the tables go. */
  String location() {
    return folder.location();
  }

  /**
   * Where a configuration's own files go within the folder, as Hydra does.
   *
   * @param job the configuration's index
   */
  String jobFolder(int job) {
    return context.isSweep() ? job + "/" : "";
  }

  /** All of these folders, for people. */
  String jobFolders() {
    return context.isSweep() ? "{0..%d}/".formatted(runs.size() - 1) : "";
  }

  /** Writes what was composed, as Hydra does. */
  void writeHydraRecords() throws IOException {
    List<List<String>> jobs = new ArrayList<>();
    for (PlannedRun run : runs) {
      folder.writeHydraRecord(context.job(), run.composition(), jobFolder(jobs.size()));
      jobs.add(run.composition().overrides());
    }
    if (context.isSweep()) {
      folder.write(
          "multirun.yaml",
          HydraRecord.multirun(context.job(), context.overrides(), jobs)
              .getBytes(StandardCharsets.UTF_8));
    }
  }

  /** The first configuration: the only one, except in a sweep. */
  PlannedRun first() {
    return runs.get(0);
  }

  /** Starts the sandbox, as {@link #check(Function)} does: the machine may have none. */
  RunRecord.Judge checkJudge() {
    return check(session -> ScoreStage.check(session, first()));
  }

  /** Checks what needs Spark; a folder that was made for this run does not outlive a mistake. */
  <T> T check(Function<SparkSession, T> check) {
    try {
      return check.apply(spark);
    } catch (RuntimeException e) {
      folder.abandon();
      throw e;
    }
  }

  /** What is to be decoded of the samples that are configured. */
  DecodePlan plan() {
    return plan(SampleRange::configured);
  }

  /** What is to be decoded of some samples. */
  DecodePlan plan(Function<RunConfig, SampleRange> samples) {
    return DecodePlan.of(spark, runs, input, samples, location());
  }

  /**
   * Decodes what a plan says.
   *
   * @param whole told of configurations that are complete, see {@link DecodeStage#run}
   */
  void decode(DecodePlan plan, Consumer<PlannedRun> whole) {
    gpus.addAll(
        DecodeStage.run(
            spark,
            plan,
            new RunIdentity(folder.runId(), input.dataset(), model.name(), model.revision()),
            location(),
            whole));
  }

  /**
   * Decodes what is missing of all configurations.
   *
   * @return how many rows that were
   */
  int decode() {
    return decodeMissing(runs);
  }

  /**
   * Decodes what is missing of one configuration.
   *
   * @return how many rows that were
   */
  int decode(PlannedRun one) {
    return decodeMissing(List.of(one));
  }

  private int decodeMissing(List<PlannedRun> chosen) {
    DecodePlan plan = DecodePlan.of(spark, chosen, input, SampleRange::configured, location());
    decode(plan, run -> {});
    return plan.missingRows();
  }

  /** Writes {@code metrics}; one row a configuration, in their order. */
  List<Row> metrics() {
    return MetricsStage.run(
        spark, folder.runId(), input.dataset(), PlannedRun.configIds(runs), location());
  }

  /**
   * Writes the rows of {@code runs}.
   *
   * @param judge empty when nothing was judged
   * @param worked configurations for which something was done
   */
  void record(Optional<RunRecord.Judge> judge, Set<PlannedRun> worked) {
    new RunRecord(
            context.job(),
            input.dataset(),
            input.md5(),
            Optional.of(new RunRecord.Model(model.name(), model.revision(), GpuUse.merged(gpus))),
            judge,
            started)
        .write(spark, runs, worked, folder);
  }
}
