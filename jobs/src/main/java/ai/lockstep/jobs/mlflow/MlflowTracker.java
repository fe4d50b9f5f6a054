package ai.lockstep.jobs.mlflow;

import ai.lockstep.jobs.config.TrackingConfig;
import ai.lockstep.jobs.report.ReportStage;
import ai.lockstep.jobs.run.PlannedRun;
import ai.lockstep.jobs.tables.Table;
import ai.lockstep.jobs.tracking.RunResults;
import ai.lockstep.jobs.tracking.TrackedRun;
import ai.lockstep.jobs.tracking.TrackedStep;
import ai.lockstep.jobs.tracking.Tracker;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.sql.Timestamp;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.spark.sql.Row;
import org.jspecify.annotations.Nullable;
import org.mlflow.api.proto.Service.Metric;
import org.mlflow.api.proto.Service.RunStatus;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes each configuration a run of MLflow: its keys are parameters, its row of {@code metrics} and
 * its shards are metrics. The runs of a sweep are nested in one for the command. They are made when
 * the job starts; what is measured comes at its end.
 *
 * <p>The report, the pictures and a training's adapter are uploaded where the server takes
 * artifacts itself; elsewhere they stay in the run's folder, which a tag names.
 */
public final class MlflowTracker implements Tracker {

  private static final Logger LOG = LoggerFactory.getLogger(MlflowTracker.class);

  /** The client itself waits for ever. */
  private static final Duration LONGEST_BEGIN = Duration.ofSeconds(20);

  private static final Duration LONGEST_STEP = Duration.ofSeconds(20);
  private static final Duration LONGEST_FINISH = Duration.ofSeconds(120);
  private static final Duration LONGEST_CLOSE = Duration.ofSeconds(5);

  private static final String PARENT = "mlflow.parentRunId";

  private final TrackedRun tracked;
  private final TrackingConfig.Mlflow server;
  private final Map<String, String> environment;
  private final List<String> runIds = new ArrayList<>(); // one a configuration
  private @Nullable MlflowConnection connection;
  private @Nullable String commandRunId; // the run that has the measures of the whole command

  private MlflowTracker(
      TrackedRun tracked, TrackingConfig.Mlflow server, Map<String, String> environment) {
    this.tracked = tracked;
    this.server = server;
    this.environment = Map.copyOf(environment);
  }

  /**
   * The tracker that {@code tracking} of the first configuration asks for, if it does.
   *
   * @param environment variables of the process
   */
  public static Optional<Tracker> of(TrackedRun tracked, Map<String, String> environment) {
    return tracked
        .runs()
        .get(0)
        .config()
        .tracking()
        .mlflow()
        .map(server -> new MlflowTracker(tracked, server, environment));
  }

  @Override
  public String service() {
    return "MLflow";
  }

  @Override
  public void begin() throws Exception {
    MlflowConnection open = new MlflowConnection(server, environment);
    connection = open;
    open.within(LONGEST_BEGIN, () -> makeRuns(open));
    LOG.info("tracking: mlflow={} experiment={}", server.uri(), server.experiment());
  }

  private void makeRuns(MlflowConnection open) {
    List<PlannedRun> runs = tracked.runs();
    if (runs.size() > 1) {
      commandRunId = open.createRun(tracked.runId(), tracked.started(), tags());
    }
    for (int i = 0; i < runs.size(); i++) {
      Map<String, String> tags = tags();
      tags.put("lockstep.config_id", tracked.configIds().get(i));
      if (commandRunId != null) {
        tags.put(PARENT, commandRunId);
      }
      String name = runs.size() > 1 ? tracked.labels().get(i) : tracked.runId();
      String id = open.createRun(name, tracked.started(), tags);
      runIds.add(id);
      open.params(id, params(runs.get(i).composition().resolved()));
    }
    if (commandRunId == null) {
      commandRunId = runIds.get(0);
    }
  }

  private Map<String, String> tags() {
    Map<String, String> tags = new LinkedHashMap<>();
    tags.put("mlflow.source.name", "lockstep " + tracked.job());
    tags.put("mlflow.source.type", "JOB");
    tags.put("mlflow.user", System.getProperty("user.name"));
    tags.put("lockstep.run_id", tracked.runId());
    tags.put("lockstep.tables", tracked.location());
    return tags;
  }

  private static Map<String, String> params(ObjectNode config) {
    Map<String, String> params = new LinkedHashMap<>();
    collect(params, "", config);
    return params;
  }

  private static void collect(Map<String, String> params, String prefix, ObjectNode map) {
    for (Map.Entry<String, JsonNode> field : map.properties()) {
      String key = prefix + field.getKey();
      JsonNode value = field.getValue();
      if (value instanceof ObjectNode inner) {
        collect(params, key + ".", inner);
      } else {
        params.put(key, value.isTextual() ? value.textValue() : value.toString());
      }
    }
  }

  @Override
  public void step(TrackedStep step) throws Exception {
    MlflowConnection open = connection();
    List<Metric> metrics = measured(step.named(), step.number(), step.at());
    open.within(LONGEST_STEP, () -> open.metrics(String.valueOf(commandRunId), metrics));
  }

  @Override
  public String finish(RunResults results) throws Exception {
    MlflowConnection open = connection();
    String command = String.valueOf(commandRunId);
    List<List<Metric>> metrics = new ArrayList<>();
    for (int i = 0; i < runIds.size(); i++) {
      metrics.add(metrics(results, i));
    }
    upload(open.artifactUri(command), results);
    Map<String, String> tags = resultTags(results);
    RunStatus status = results.isWhole() ? RunStatus.FINISHED : RunStatus.FAILED;
    open.within(
        LONGEST_FINISH,
        () -> {
          open.metrics(command, measured(results.measures(), 0, Instant.now()));
          open.tags(command, tags);
          for (int i = 0; i < runIds.size(); i++) {
            open.metrics(runIds.get(i), metrics.get(i));
          }
          end(open, status);
        });
    return "%s/#/experiments/%s/runs/%s".formatted(server.uri(), open.experimentId(), command);
  }

  /** A run without its files is still a run: a refusal is warned of. */
  private void upload(String artifactUri, RunResults results) throws InterruptedException {
    if (!MlflowArtifacts.isTakenByTheServer(artifactUri)) {
      return;
    }
    MlflowArtifacts artifacts = new MlflowArtifacts(server, environment);
    try {
      List<String> files = new ArrayList<>(results.files());
      files.addAll(results.kept());
      for (String file : files) {
        artifacts.upload(artifactUri, file, results.content(file));
      }
    } catch (IOException e) {
      LOG.warn(
          "Cannot upload files to MLflow: {}. They stay in {}.",
          e.getMessage(),
          tracked.location());
    }
  }

  private List<Metric> metrics(RunResults results, int configuration) {
    String configId = tracked.configIds().get(configuration);
    List<Metric> metrics = new ArrayList<>();
    long step = 0;
    for (Row shard : results.shards()) {
      if (shard.<String>getAs(Table.PARTITION).equals(configId)) {
        Instant at = shard.<Timestamp>getAs("finished_at").toInstant();
        Map<String, Double> values = numbers(shard, RunResults.SHARD_MEASURES);
        Map<String, Double> named = new LinkedHashMap<>();
        values.forEach((name, value) -> named.put("shard/" + name, value));
        metrics.addAll(measured(named, step, at));
        step++;
      }
    }
    if (!results.metrics().isEmpty()) {
      Row row = results.metrics().get(configuration);
      metrics.addAll(measured(numbers(row, RunResults.CONFIG_MEASURES), step, Instant.now()));
    }
    return metrics;
  }

  private static Map<String, Double> numbers(Row row, List<String> columns) {
    Map<String, Double> numbers = new LinkedHashMap<>();
    for (String column : columns) {
      if (row.getAs(column) instanceof Number number) {
        numbers.put(column, number.doubleValue());
      }
    }
    return numbers;
  }

  /** Servers differ in what they make of NaN and infinity: these are left out. */
  private static List<Metric> measured(Map<String, Double> values, long step, Instant at) {
    return values.entrySet().stream()
        .filter(entry -> Double.isFinite(entry.getValue()))
        .map(
            entry ->
                Metric.newBuilder()
                    .setKey(entry.getKey())
                    .setValue(entry.getValue())
                    .setTimestamp(at.toEpochMilli())
                    .setStep(step)
                    .build())
        .toList();
  }

  private Map<String, String> resultTags(RunResults results) throws Exception {
    Map<String, String> tags = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> origin : results.provenance().properties()) {
      tags.put("lockstep." + origin.getKey(), origin.getValue().asText());
    }
    String commit = tags.get("lockstep.code_commit");
    if (commit != null) {
      tags.put("mlflow.source.git.commit", commit.replace("+changes", ""));
    }
    if (results.files().contains(ReportStage.FILE)) {
      tags.put("lockstep.report", tracked.location() + "/" + ReportStage.FILE);
    }
    // What MLflow shows as the run's description; it reads Markdown.
    tags.put("mlflow.note.content", "```\n" + results.text() + "```");
    return tags;
  }

  private void end(MlflowConnection open, RunStatus status) {
    Instant now = Instant.now();
    for (String id : runIds) {
      open.end(id, status, now);
    }
    if (commandRunId != null && !runIds.contains(commandRunId)) {
      open.end(commandRunId, status, now);
    }
    runIds.clear();
  }

  private MlflowConnection connection() {
    if (connection == null) {
      throw new IllegalStateException("finish comes after begin");
    }
    return connection;
  }

  @Override
  public String loss() {
    return "%s of %d configuration%s are not at tracking.uri=%s, and the files in %s have them%s"
        .formatted(
            runIds.isEmpty() ? "parameters and metrics" : "metrics",
            tracked.runs().size(),
            tracked.runs().size() == 1 ? "" : "s",
            server.uri(),
            tracked.location(),
            tracked.isRepeatable()
                ? "; the same command, once the server answers, reports them"
                : "");
  }

  @Override
  public void close() throws Exception {
    MlflowConnection open = connection;
    connection = null;
    if (open != null) {
      try (open) {
        if (!runIds.isEmpty()) {
          open.within(LONGEST_CLOSE, () -> end(open, RunStatus.FAILED));
        }
      }
    }
  }
}
