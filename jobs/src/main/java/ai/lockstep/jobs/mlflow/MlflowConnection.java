package ai.lockstep.jobs.mlflow;

import ai.lockstep.jobs.config.TrackingConfig;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.mlflow.api.proto.Service.CreateRun;
import org.mlflow.api.proto.Service.Metric;
import org.mlflow.api.proto.Service.Param;
import org.mlflow.api.proto.Service.RunInfo;
import org.mlflow.api.proto.Service.RunStatus;
import org.mlflow.api.proto.Service.RunTag;
import org.mlflow.tracking.MlflowClient;
import org.mlflow.tracking.creds.BasicMlflowHostCreds;
import org.mlflow.tracking.creds.MlflowHostCredsProvider;

/**
 * An experiment on a tracking server, within the limits of MLflow's API. The client has no time
 * limits of its own, so its calls are made on a thread that can be left behind.
 */
final class MlflowConnection implements AutoCloseable {

  /** What one request may hold. */
  private static final int PARAMS_AT_ONCE = 100;

  private static final int METRICS_AT_ONCE = 1000;

  /** What servers of all ages take; newer ones take more. */
  private static final int VALUE_LENGTH = 500;

  private static final int TAG_LENGTH = 5000;

  private final TrackingConfig.Mlflow server;
  private final MlflowClient client;
  private final ExecutorService calls =
      Executors.newSingleThreadExecutor(
          task -> {
            Thread thread = new Thread(task, "lockstep-mlflow");
            thread.setDaemon(true);
            return thread;
          });
  private @Nullable String experimentId;
  private final Map<String, String> artifactUris = new ConcurrentHashMap<>(); // by run

  /**
   * Opens a connection; asks the server nothing.
   *
   * @param environment may hold {@code MLFLOW_TRACKING_USERNAME} and {@code
   *     MLFLOW_TRACKING_PASSWORD}, {@code MLFLOW_TRACKING_TOKEN}, and {@code
   *     MLFLOW_TRACKING_INSECURE_TLS}, as for MLflow's client for Python; the one for Java reads
   *     none of them
   */
  MlflowConnection(TrackingConfig.Mlflow server, Map<String, String> environment) {
    this.server = server;
    this.client =
        new MlflowClient(
            (MlflowHostCredsProvider)
                new BasicMlflowHostCreds(
                    server.uri(),
                    environment.get("MLFLOW_TRACKING_USERNAME"),
                    environment.get("MLFLOW_TRACKING_PASSWORD"),
                    environment.get("MLFLOW_TRACKING_TOKEN"),
                    "true".equals(environment.get("MLFLOW_TRACKING_INSECURE_TLS"))));
  }

  /**
   * Makes calls.
   *
   * @throws IOException when the server refuses one, or they take longer than {@code longest}
   */
  void within(Duration longest, Runnable work) throws IOException, InterruptedException {
    try {
      calls.submit(work).get(longest.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      throw new IOException(
          "%s gave no answer in %d s".formatted(server.uri(), longest.toSeconds()), e);
    } catch (ExecutionException e) {
      throw new IOException(reason(e.getCause()), e.getCause());
    }
  }

  /** The client wraps what went wrong, such as a refused connection. */
  private static String reason(Throwable failure) {
    Throwable first = failure;
    while (first.getCause() != null) {
      first = first.getCause();
    }
    return first.getMessage() == null ? first.toString() : first.getMessage();
  }

  /** The experiment's, which is made when it is not there. */
  String experimentId() {
    if (experimentId == null) {
      experimentId =
          client
              .getExperimentByName(server.experiment())
              .map(found -> found.getExperimentId())
              .orElseGet(() -> client.createExperiment(server.experiment()));
    }
    return experimentId;
  }

  /** Makes a run that is going on; returns its id. */
  String createRun(String name, Instant started, Map<String, String> tags) {
    RunInfo run =
        client.createRun(
            CreateRun.newBuilder()
                .setExperimentId(experimentId())
                .setRunName(name)
                .setStartTime(started.toEpochMilli())
                .addAllTags(tagList(tags))
                .build());
    artifactUris.put(run.getRunId(), run.getArtifactUri());
    return run.getRunId();
  }

  /** Where a run's artifacts go; empty when the server does not say. */
  String artifactUri(String runId) {
    return artifactUris.getOrDefault(runId, "");
  }

  void params(String runId, Map<String, String> params) {
    List<Param> all = new ArrayList<>();
    params.forEach(
        (key, value) ->
            all.add(Param.newBuilder().setKey(key).setValue(cut(value, VALUE_LENGTH)).build()));
    for (int from = 0; from < all.size(); from += PARAMS_AT_ONCE) {
      List<Param> some = all.subList(from, Math.min(all.size(), from + PARAMS_AT_ONCE));
      client.logBatch(runId, List.of(), some, List.of());
    }
  }

  void metrics(String runId, List<Metric> metrics) {
    for (int from = 0; from < metrics.size(); from += METRICS_AT_ONCE) {
      List<Metric> some = metrics.subList(from, Math.min(metrics.size(), from + METRICS_AT_ONCE));
      client.logBatch(runId, some, List.of(), List.of());
    }
  }

  void tags(String runId, Map<String, String> tags) {
    client.logBatch(runId, List.of(), List.of(), tagList(tags));
  }

  void end(String runId, RunStatus status, Instant at) {
    client.setTerminated(runId, status, at.toEpochMilli());
  }

  private static List<RunTag> tagList(Map<String, String> tags) {
    return tags.entrySet().stream()
        .map(
            tag ->
                RunTag.newBuilder()
                    .setKey(tag.getKey())
                    .setValue(cut(tag.getValue(), TAG_LENGTH))
                    .build())
        .toList();
  }

  private static String cut(String text, int longest) {
    return text.length() <= longest ? text : text.substring(0, longest);
  }

  @Override
  public void close() {
    calls.shutdownNow();
    client.close();
  }
}
