package ai.lockstep.jobs.wandb;

import ai.lockstep.failure.FailureCategory;
import ai.lockstep.jobs.cli.JobContext;
import ai.lockstep.jobs.config.WandbConfig.Mode;
import ai.lockstep.jobs.metrics.MetricsReport;
import ai.lockstep.jobs.report.ReportStage;
import ai.lockstep.jobs.run.CodeVersion;
import ai.lockstep.jobs.run.PlannedRun;
import ai.lockstep.jobs.run.RunFolder;
import ai.lockstep.jobs.tables.MetricsTable;
import ai.lockstep.jobs.tables.Table;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocatedFileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RemoteIterator;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The front door: a job starts tracking when it has its folder, and hands over the tables at its
 * end. A failure of tracking is one line of warning and never the job's.
 *
 * <p>A command is one run of W&amp;B, a sweep too. Its history has a row for every shard ({@code
 * shard/...} over {@code shard/index}), one for every configuration ({@code config/...} over {@code
 * config/index}, with the keys that differ between them) and one with the tables and pictures.
 */
public final class WandbTracking {

  private static final Logger LOG = LoggerFactory.getLogger(WandbTracking.class);

  private static final String COMMAND = "wandb";

  /** Keys of the tables; the summary has a number of samples too. */
  private static final String METRICS = "metrics_table";

  private static final String SAMPLES = "samples_table";

  /** As many as W&amp;B shows in a panel. */
  private static final int MAX_PICTURES = 100;

  private static final List<String> SHARD_MEASURES =
      List.of(
          "rows",
          "failed_rows",
          "tokens",
          "passes",
          "seconds",
          "tokens_per_second",
          "tokens_per_pass",
          "fill_rate",
          "empty_answer_rate",
          "pass_base",
          "pass_plus");

  private static final List<String> CONFIG_MEASURES =
      MetricsTable.TABLE.columns().stream()
          .map(ai.lockstep.jobs.tables.Column::name)
          .filter(name -> !List.of("run_id", "dataset", Table.PARTITION).contains(name))
          .toList();

  private final List<PlannedRun> runs;
  private final RunFolder folder;
  private final Mode mode;
  private @Nullable OfflineRun run;
  private @Nullable SystemSampler sampler;

  private WandbTracking(List<PlannedRun> runs, RunFolder folder, Mode mode) {
    this.runs = List.copyOf(runs);
    this.folder = folder;
    this.mode = mode;
  }

  /** Something that may fail. */
  @FunctionalInterface
  private interface Step {
    void run() throws Exception;
  }

  /**
   * Begins to track a job, if {@code wandb.enabled} asks for it. A job that ends before {@link
   * #finish} leaves a run that W&amp;B shows as failed.
   *
   * @param runs its configurations; the first one's {@code wandb} counts
   */
  public static WandbTracking start(JobContext context, List<PlannedRun> runs, RunFolder folder) {
    return start(context, runs, folder, System.getenv());
  }

  static WandbTracking start(
      JobContext context,
      List<PlannedRun> runs,
      RunFolder folder,
      Map<String, String> environment) {
    PlannedRun first = runs.get(0);
    WandbSettings settings =
        WandbSettings.of(first.composition(), first.config().wandb(), environment);
    WandbTracking tracking = new WandbTracking(runs, folder, settings.mode());
    if (settings.mode() != Mode.DISABLED) {
      tracking.guarded(() -> tracking.begin(context, settings));
      context.atEnd(tracking::close);
    }
    return tracking;
  }

  private void begin(JobContext context, WandbSettings settings) throws IOException {
    run =
        OfflineRun.begin(
            java.nio.file.Path.of(settings.dir().orElseGet(() -> localFolder(folder.location()))),
            OfflineRun.newId(),
            context.job(),
            settings.name().orElse(folder.runId()),
            CodeVersion.version(),
            settings,
            RunEnvironment.current(context.job(), context.overrides(), Instant.now()));
    ObjectNode config =
        SweepConfig.merged(runs.stream().map(one -> one.composition().resolved()).toList());
    ArrayNode ids = config.putArray("config_ids");
    configIds().forEach(ids::add);
    run.config(config);
    run.metrics(prefixed("shard/", SHARD_MEASURES), "shard/index");
    List<String> measures = new ArrayList<>(CONFIG_MEASURES);
    measures.addAll(differences().keySet());
    run.metrics(prefixed("config/", measures), "config/index");
    sampler = SystemSampler.start(run);
    LOG.info("tracking: wandb={}", run.folder());
  }

  /** The client writes to local folders only; a run in HDFS leaves its record where it started. */
  private static String localFolder(String location) {
    Path path = new Path(location);
    String scheme = path.toUri().getScheme();
    return scheme == null || scheme.equals("file") ? path.toUri().getPath() : "";
  }

  private List<String> configIds() {
    return PlannedRun.configIds(runs);
  }

  private Map<String, List<JsonNode>> differences() {
    return SweepConfig.differences(runs.stream().map(one -> one.composition().resolved()).toList());
  }

  private static List<String> prefixed(String prefix, List<String> names) {
    return names.stream().map(name -> prefix + name).toList();
  }

  /**
   * Records what the job's tables hold, ends the run, and in mode online synchronises it.
   *
   * @param metrics rows of {@code metrics}, one a configuration, in the order of the runs
   */
  public void finish(SparkSession spark, List<Row> metrics) {
    guarded(() -> record(spark, metrics));
  }

  private void record(SparkSession spark, List<Row> metrics) throws Exception {
    OfflineRun tracked = run;
    if (tracked == null) {
      return;
    }
    RunTables tables = new RunTables(spark, folder.location(), configIds());
    tracked.config(object().set("provenance", tables.provenance()));
    recordShards(tracked, tables.shards());
    recordConfigurations(tracked, metrics);
    ObjectNode shown = shown(tracked, spark, tables, metrics);
    tracked.history(shown, Instant.now());
    tracked.output(MetricsReport.of(metrics, PlannedRun.labels(runs)), Instant.now());
    if (sampler != null) {
      sampler.finish();
    }
    tracked.end(summary(metrics).setAll(shown), exitCode(metrics), Instant.now());
    tracked.close();
    run = null;
    System.out.println(
        "Weights & Biases: "
            + (mode == Mode.ONLINE
                ? WandbSync.run(COMMAND, tracked.folder())
                : WandbSync.line(tracked.folder())));
  }

  private void recordShards(OfflineRun tracked, List<Row> shards) throws IOException {
    for (int i = 0; i < shards.size(); i++) {
      Row shard = shards.get(i);
      ObjectNode row = object().put("shard/index", i);
      row.put("shard/config", configIds().indexOf(shard.<String>getAs(Table.PARTITION)));
      row.setAll(RunTables.prefixed("shard/", RunTables.json(shard, SHARD_MEASURES)));
      tracked.history(row, shard.<Timestamp>getAs("finished_at").toInstant());
    }
  }

  private void recordConfigurations(OfflineRun tracked, List<Row> metrics) throws IOException {
    Map<String, List<JsonNode>> differences = differences();
    for (int i = 0; i < metrics.size(); i++) {
      ObjectNode row = object().put("config/index", i);
      for (Map.Entry<String, List<JsonNode>> key : differences.entrySet()) {
        row.set("config/" + key.getKey(), key.getValue().get(i));
      }
      row.setAll(RunTables.prefixed("config/", RunTables.json(metrics.get(i), CONFIG_MEASURES)));
      tracked.history(row, Instant.now());
    }
  }

  private ObjectNode shown(
      OfflineRun tracked, SparkSession spark, RunTables tables, List<Row> metrics)
      throws IOException {
    List<String> columns = new ArrayList<>(List.of(Table.PARTITION));
    columns.addAll(CONFIG_MEASURES);
    ObjectNode shown = object();
    shown.set(METRICS, tracked.table(METRICS, RunTables.table(columns, metrics)));
    shown.set(SAMPLES, tracked.table(SAMPLES, tables.samples()));
    FileSystem files =
        new Path(folder.location()).getFileSystem(spark.sessionState().newHadoopConf());
    for (String name : names(files)) {
      try (InputStream in = files.open(new Path(folder.location(), name))) {
        Optional<ObjectNode> value = tracked.media(name, in.readAllBytes());
        value.ifPresent(media -> shown.set(name, media));
      }
    }
    return shown;
  }

  /** The report and the pictures, as far as the job wrote any. */
  private List<String> names(FileSystem files) throws IOException {
    List<String> names = new ArrayList<>();
    Path root = files.makeQualified(new Path(folder.location()));
    Path pictures = new Path(root, ReportStage.PICTURES);
    if (files.exists(pictures)) {
      RemoteIterator<LocatedFileStatus> all = files.listFiles(pictures, true);
      while (all.hasNext()) {
        names.add(root.toUri().relativize(all.next().getPath().toUri()).getPath());
      }
    }
    names.sort(null);
    List<String> shown = new ArrayList<>(names.subList(0, Math.min(names.size(), MAX_PICTURES)));
    if (files.exists(new Path(root, ReportStage.FILE))) {
      shown.add(ReportStage.FILE);
    }
    return shown;
  }

  /** One configuration's measures by their names; those of several under their config ids. */
  private ObjectNode summary(List<Row> metrics) {
    if (metrics.size() == 1) {
      return RunTables.json(metrics.get(0), CONFIG_MEASURES);
    }
    ObjectNode summary = object();
    for (Row row : metrics) {
      summary.set(row.getAs(Table.PARTITION), RunTables.json(row, CONFIG_MEASURES));
    }
    return summary;
  }

  /** The one that the process will have. */
  private static int exitCode(List<Row> metrics) {
    return MetricsReport.isWhole(metrics) ? 0 : FailureCategory.PARTIAL.exitCode();
  }

  private static ObjectNode object() {
    return JsonNodeFactory.instance.objectNode();
  }

  private void guarded(Step step) {
    try {
      step.run();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (Exception | LinkageError e) {
      LOG.warn(
          "Cannot track the run in Weights & Biases: {}. The job goes on without.", e.toString());
      LOG.debug("tracking failed", e);
      close();
    }
  }

  private void close() {
    try {
      if (sampler != null) {
        sampler.close();
      }
      if (run != null) {
        run.close();
      }
    } catch (IOException e) {
      LOG.debug("tracking did not close", e);
    }
    run = null;
  }
}
