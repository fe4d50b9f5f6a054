package ai.lockstep.jobs.wandb;

import ai.lockstep.failure.FailureCategory;
import ai.lockstep.jobs.config.WandbConfig.Mode;
import ai.lockstep.jobs.run.CodeVersion;
import ai.lockstep.jobs.run.PlannedRun;
import ai.lockstep.jobs.tables.Table;
import ai.lockstep.jobs.tracking.RunResults;
import ai.lockstep.jobs.tracking.TrackedRun;
import ai.lockstep.jobs.tracking.TrackedStep;
import ai.lockstep.jobs.tracking.Tracker;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Row;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes a command as one run of W&amp;B, a sweep too. Its history has a row for every shard
 * ({@code shard/...} over {@code shard/index}), one for every configuration ({@code config/...}
 * over {@code config/index}, with the keys that differ between them) and one with the tables and
 * pictures; that of a training has one for every step ({@code train/...} over {@code train/step}).
 */
public final class WandbTracker implements Tracker {

  private static final Logger LOG = LoggerFactory.getLogger(WandbTracker.class);

  /** Keys of the tables; the summary has a number of samples too. */
  private static final String METRICS = "metrics_table";

  private static final String SAMPLES = "samples_table";

  private final TrackedRun tracked;
  private final WandbSettings settings;
  private final String path;
  private @Nullable OfflineRun run;
  private @Nullable SystemSampler sampler;
  private final ObjectNode lastStep = object(); // as W&B's own client sums a history up

  private WandbTracker(TrackedRun tracked, WandbSettings settings, String path) {
    this.tracked = tracked;
    this.settings = settings;
    this.path = path;
  }

  /**
   * The tracker that {@code wandb} of the first configuration asks for, if it does.
   *
   * @param environment variables of the process
   */
  public static Optional<Tracker> of(TrackedRun tracked, Map<String, String> environment) {
    PlannedRun first = tracked.runs().get(0);
    WandbSettings settings =
        WandbSettings.of(first.composition(), first.config().wandb(), environment);
    return settings.mode() == Mode.DISABLED
        ? Optional.empty()
        : Optional.of(new WandbTracker(tracked, settings, environment.getOrDefault("PATH", "")));
  }

  @Override
  public String service() {
    return "Weights & Biases";
  }

  @Override
  public void begin() throws IOException {
    OfflineRun begun =
        OfflineRun.begin(
            java.nio.file.Path.of(settings.dir().orElseGet(() -> localFolder(tracked.location()))),
            OfflineRun.newId(),
            tracked.job(),
            settings.name().orElse(tracked.runId()),
            CodeVersion.version(),
            settings,
            RunEnvironment.current(tracked.job(), tracked.overrides(), tracked.started()));
    run = begun;
    ObjectNode config = tracked.mergedConfig();
    ArrayNode ids = config.putArray("config_ids");
    tracked.configIds().forEach(ids::add);
    begun.config(config);
    begun.metrics(prefixed("shard/", RunResults.SHARD_MEASURES), "shard/index");
    List<String> measures = new ArrayList<>(RunResults.CONFIG_MEASURES);
    measures.addAll(tracked.differences().keySet());
    begun.metrics(prefixed("config/", measures), "config/index");
    sampler = SystemSampler.start(begun);
    LOG.info("tracking: wandb={}", begun.folder());
  }

  /** The client writes to local folders only; a run in HDFS leaves its record where it started. */
  private static String localFolder(String location) {
    Path path = new Path(location);
    String scheme = path.toUri().getScheme();
    return scheme == null || scheme.equals("file") ? path.toUri().getPath() : "";
  }

  private static List<String> prefixed(String prefix, List<String> names) {
    return names.stream().map(name -> prefix + name).toList();
  }

  @Override
  public void step(TrackedStep step) throws IOException {
    OfflineRun open = Objects.requireNonNull(run, "a step comes after begin");
    if (lastStep.isEmpty()) {
      open.metrics(List.copyOf(step.named().keySet()), step.over());
    }
    ObjectNode row = object().put(step.over(), step.number());
    step.named().forEach(row::put);
    lastStep.setAll(row);
    open.history(row, step.at());
  }

  @Override
  public String finish(RunResults results) throws IOException, InterruptedException {
    OfflineRun open = Objects.requireNonNull(run, "finish comes after begin");
    open.config(object().set("provenance", results.provenance()));
    recordShards(open, results.shards());
    recordConfigurations(open, results.metrics());
    ObjectNode shown = shown(open, results);
    if (!shown.isEmpty()) {
      open.history(shown, Instant.now());
    }
    for (String file : results.kept()) {
      open.keep(file, results.content(file));
    }
    open.output(results.text(), Instant.now());
    if (sampler != null) {
      sampler.finish();
    }
    open.end(summary(results).setAll(shown), exitCode(results), Instant.now());
    open.close();
    run = null;
    return settings.mode() == Mode.ONLINE
        ? WandbSync.run(path, open.folder())
        : WandbSync.line(open.folder());
  }

  private void recordShards(OfflineRun open, List<Row> shards) throws IOException {
    for (int i = 0; i < shards.size(); i++) {
      Row shard = shards.get(i);
      ObjectNode row = object().put("shard/index", i);
      row.put("shard/config", tracked.configIds().indexOf(shard.<String>getAs(Table.PARTITION)));
      row.setAll(RunResults.prefixed("shard/", RunResults.json(shard, RunResults.SHARD_MEASURES)));
      open.history(row, shard.<Timestamp>getAs("finished_at").toInstant());
    }
  }

  private void recordConfigurations(OfflineRun open, List<Row> metrics) throws IOException {
    Map<String, List<JsonNode>> differences = tracked.differences();
    for (int i = 0; i < metrics.size(); i++) {
      ObjectNode row = object().put("config/index", i);
      for (Map.Entry<String, List<JsonNode>> key : differences.entrySet()) {
        row.set("config/" + key.getKey(), key.getValue().get(i));
      }
      row.setAll(
          RunResults.prefixed(
              "config/", RunResults.json(metrics.get(i), RunResults.CONFIG_MEASURES)));
      open.history(row, Instant.now());
    }
  }

  private static ObjectNode shown(OfflineRun open, RunResults results) throws IOException {
    ObjectNode shown = object();
    if (!results.metrics().isEmpty()) {
      showTables(open, results, shown);
    }
    for (String file : results.files()) {
      open.media(file, results.content(file)).ifPresent(media -> shown.set(file, media));
    }
    return shown;
  }

  private static void showTables(OfflineRun open, RunResults results, ObjectNode shown)
      throws IOException {
    List<String> columns = new ArrayList<>(List.of(Table.PARTITION));
    columns.addAll(RunResults.CONFIG_MEASURES);
    shown.set(METRICS, open.table(METRICS, RunResults.table(columns, results.metrics())));
    shown.set(SAMPLES, open.table(SAMPLES, results.samples()));
  }

  /** One configuration's measures by their names; those of several under their config ids. */
  private ObjectNode summary(RunResults results) {
    ObjectNode summary = lastStep.deepCopy();
    results.measures().forEach(summary::put);
    List<Row> metrics = results.metrics();
    if (metrics.size() == 1) {
      return summary.setAll(RunResults.json(metrics.get(0), RunResults.CONFIG_MEASURES));
    }
    for (Row row : metrics) {
      summary.set(row.getAs(Table.PARTITION), RunResults.json(row, RunResults.CONFIG_MEASURES));
    }
    return summary;
  }

  /** The one that the process will have. */
  private static int exitCode(RunResults results) {
    return results.isWhole() ? 0 : FailureCategory.PARTIAL.exitCode();
  }

  private static ObjectNode object() {
    return JsonNodeFactory.instance.objectNode();
  }

  @Override
  public String loss() {
    return run == null
        ? "no run is written for it"
        : "the run in %s ends where it is".formatted(run.folder());
  }

  @Override
  public void close() throws IOException {
    if (sampler != null) {
      sampler.close();
    }
    if (run != null) {
      run.close();
    }
    run = null;
  }
}
