package ai.lockstep.jobs;

import ai.lockstep.failure.LockstepException;
import ai.lockstep.jobs.cli.JobContext;
import ai.lockstep.jobs.cli.JobDescription;
import ai.lockstep.jobs.cli.JobMain;
import ai.lockstep.jobs.config.RunConfig;
import ai.lockstep.jobs.decoding.DecodeInput;
import ai.lockstep.jobs.metrics.MetricsReport;
import ai.lockstep.jobs.profile.ChromeTrace;
import ai.lockstep.jobs.profile.ConfigurationProfile;
import ai.lockstep.jobs.profile.ConfigurationProfile.Span;
import ai.lockstep.jobs.profile.ProfilePlot;
import ai.lockstep.jobs.profile.ReplicaLoads;
import ai.lockstep.jobs.run.PlannedRun;
import ai.lockstep.jobs.run.RunRecord;
import ai.lockstep.jobs.scoring.JudgedTasks;
import ai.lockstep.jobs.scoring.ScoreStage;
import ai.lockstep.jobs.tables.CompletionsTable;
import ai.lockstep.jobs.tables.Table;
import ai.lockstep.udf.replica.ReplicaLoad;
import ai.lockstep.udf.spark.GpuSampler;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.datatype.jdk8.Jdk8Module;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** {@code profile}: decodes a sweep and says where the time went. */
public final class ProfileJob {

  private static final Logger LOG = LoggerFactory.getLogger(ProfileJob.class);

  /** NVIDIA's command averages over up to a second. */
  private static final Duration GPU_PERIOD = Duration.ofSeconds(1);

  private static final String TRACE = "trace.json";
  private static final String PLOT = "profile.png";
  private static final String NUMBERS = "profile.json";

  static final JobDescription DESCRIPTION =
      new JobDescription(
          "profile",
          "Decodes a few tasks under several configurations and says where the time went.",
          List.of("hydra.mode=MULTIRUN", "sweep=steps", "limit=16"),
          List.of(
              "",
              "Keys that matter most",
              "  sweep=steps            steps 5, 10, 20, 50 (default); or any sweep of evaluate",
              "  limit=16               tasks; tasks, dataset, model, decode, plan: as in evaluate",
              "  output.dir=DIR         a new folder",
              "",
              "Prints passes, tokens/s and seconds by part: in the model and in the decoder's",
              "Java (sums over the replicas), waiting (the rest of decoding), scoring; and",
              "use and memory of the driver machine's GPUs, if it has any. Writes",
              "profile.json, profile.png and trace.json, which ui.perfetto.dev and",
              "chrome://tracing show.",
              "",
              "Examples",
              "  submit/lockstep profile",
              "  submit/lockstep profile decode=fast_dllm decode.cache=none,prefix,dual"));

  private ProfileJob() {}

  public static void main(String[] args) {
    JobMain.run(DESCRIPTION, args, ProfileJob::run);
  }

  /** A configuration's profile and when its stages took place. */
  private record Profiled(
      PlannedRun run, ReplicaLoad load, int replicas, Span decoding, Span scoring, int rows) {}

  static void run(JobContext context) throws IOException {
    List<PlannedRun> runs = PlannedRun.of(context.compositions());
    RunConfig first = runs.get(0).config();
    if (first.plan()) {
      DecodingRun.forecast(context, runs, DecodeInput::benchmark);
      return;
    }
    DecodingRun<DecodeInput.Tasks> run = DecodingRun.open(context, runs, DecodeInput::benchmark);
    String location = run.location();
    requireNothingDecoded(run);
    RunRecord.Judge judge = run.checkJudge();
    run.writeHydraRecords();
    List<Profiled> profiled = new ArrayList<>();
    List<GpuSampler.Sample> gpus;
    try (GpuSampler sampler = GpuSampler.start(GPU_PERIOD)) {
      for (PlannedRun one : runs) {
        profiled.add(profile(run, one));
      }
      gpus = sampler.samples();
    }
    List<Row> metrics = run.metrics();
    run.record(Optional.of(judge), new HashSet<>(runs));
    List<String> labels = PlannedRun.labels(runs);
    List<ConfigurationProfile> profiles = new ArrayList<>();
    for (int i = 0; i < runs.size(); i++) {
      Profiled one = profiled.get(i);
      profiles.add(
          ConfigurationProfile.of(
              labels.get(i),
              one.rows,
              metrics.get(i),
              one.load,
              one.replicas,
              one.decoding,
              one.scoring,
              gpus));
    }
    run.folder().write(NUMBERS, json(profiles));
    writeTrace(run, profiled, labels, gpus);
    boolean plotted = first.viz().enabled() && plot(run, profiles);
    System.out.println();
    System.out.print(ConfigurationProfile.table(profiles));
    System.out.printf(
        "%nnumbers: %s/%s%ntrace: %s/%s (open with ui.perfetto.dev or chrome://tracing)%n",
        location, NUMBERS, location, TRACE);
    if (plotted) {
      System.out.printf("plot: %s/%s%n", location, PLOT);
    }
    MetricsReport.requireWhole(metrics, location);
  }

  /** Rows that are there already would cost no time. */
  private static void requireNothingDecoded(DecodingRun<?> run) {
    if (!CompletionsTable.TABLE.read(run.spark(), run.location()).isEmpty()) {
      throw LockstepException.user(
          "Cannot profile in %s: it holds decoded rows, and only decoding can be timed. Choose another output.dir."
              .formatted(run.location()));
    }
  }

  private static Profiled profile(DecodingRun<DecodeInput.Tasks> run, PlannedRun one) {
    SparkSession spark = run.spark();
    Map<String, ReplicaLoad> before = ReplicaLoads.of(spark);
    Instant started = Instant.now();
    int rows = run.decode(one);
    Instant decoded = Instant.now();
    Map<String, ReplicaLoad> after = ReplicaLoads.of(spark);
    Instant scoring = Instant.now();
    ScoreStage.runOnCompletions(
        spark, one, JudgedTasks.of(run.folder().runId(), run.input()), run.location());
    long replicas =
        after.entrySet().stream()
            .filter(load -> !load.getValue().equals(before.get(load.getKey())))
            .count();
    return new Profiled(
        one,
        ReplicaLoads.between(before, after),
        Math.toIntExact(Math.max(1, replicas)),
        new Span(started, decoded),
        new Span(scoring, Instant.now()),
        rows);
  }

  private static byte[] json(List<ConfigurationProfile> profiles) throws IOException {
    return new ObjectMapper()
        .registerModule(new Jdk8Module())
        .enable(SerializationFeature.INDENT_OUTPUT)
        .writeValueAsBytes(profiles);
  }

  private static void writeTrace(
      DecodingRun<?> run,
      List<Profiled> profiled,
      List<String> labels,
      List<GpuSampler.Sample> gpus)
      throws IOException {
    run.folder()
        .write(
            TRACE,
            out -> {
              try (ChromeTrace trace = new ChromeTrace(out)) {
                for (int i = 0; i < profiled.size(); i++) {
                  String label = labels.get(i);
                  trace.stage("decoding " + label, profiled.get(i).decoding);
                  trace.stage("scoring " + label, profiled.get(i).scoring);
                  trace.rows(label, rows(run, profiled.get(i).run).toLocalIterator());
                }
                trace.gpus(gpus);
              }
            });
  }

  private static Dataset<Row> rows(DecodingRun<?> run, PlannedRun one) {
    return CompletionsTable.TABLE
        .read(run.spark(), run.location())
        .where(functions.col(Table.PARTITION).equalTo(one.config().configId()))
        .where("status = 'ok'")
        .select(
            "task_id",
            "sample_index",
            "replica",
            "started_at",
            "finished_at",
            "nfe",
            "wall_micros",
            "committed_r",
            "committed_a")
        .orderBy("started_at", "finished_at");
  }

  /** A machine without fonts cannot draw; its numbers are written all the same. */
  private static boolean plot(DecodingRun<?> run, List<ConfigurationProfile> profiles)
      throws IOException {
    try {
      run.folder().write(PLOT, out -> ProfilePlot.write(profiles, out));
      return true;
    } catch (RuntimeException | LinkageError | InternalError e) {
      LOG.warn("no plot: {} (Debian: apt-get install fontconfig fonts-dejavu-core)", e.toString());
      return false;
    }
  }
}
