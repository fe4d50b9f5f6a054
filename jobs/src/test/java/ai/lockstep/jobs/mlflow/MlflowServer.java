package ai.lockstep.jobs.mlflow;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * As much of MLflow's REST API 2.0 as reporting runs needs, in memory, with the limits and the
 * refusals of the real one that a reporter can run into.
 */
public final class MlflowServer implements AutoCloseable {

  private static final ObjectMapper JSON = new ObjectMapper();

  private static final Pattern ARTIFACT =
      Pattern.compile("/api/2\\.0/mlflow-artifacts/artifacts/0/(run\\d+)/artifacts/(.+)");

  /** A point of a metric. */
  public record Point(double value, long step, long timestamp) {}

  /** What was reported of a run. */
  public static final class Run {
    final String experiment;
    final String name;
    final Map<String, String> tags = new TreeMap<>();
    final Map<String, String> params = new TreeMap<>();
    final Map<String, List<Point>> metrics = new TreeMap<>();
    final Map<String, byte[]> artifacts = new TreeMap<>();
    String status = "RUNNING";

    private Run(String experiment, String name) {
      this.experiment = experiment;
      this.name = name;
    }

    public String experiment() {
      return experiment;
    }

    public String name() {
      return name;
    }

    public String status() {
      return status;
    }

    public Map<String, String> tags() {
      return tags;
    }

    public Map<String, String> params() {
      return params;
    }

    /** Files by their path within the run's artifacts. */
    public Map<String, byte[]> artifacts() {
      return artifacts;
    }

    public List<Point> metric(String metric) {
      return metrics.getOrDefault(metric, List.of());
    }
  }

  /** A request that MLflow refuses. */
  private static final class Refused extends RuntimeException {
    final int status;
    final String code;

    Refused(int status, String code, String message) {
      super(message);
      this.status = status;
      this.code = code;
    }
  }

  private final HttpServer server;
  private final List<String> experiments = new ArrayList<>();
  private final Map<String, Run> runs = new LinkedHashMap<>();
  private final Set<String> authorizations = new HashSet<>();
  private Optional<String> broken = Optional.empty();
  private String artifactRoot = "mlflow-artifacts:";

  private MlflowServer(HttpServer server) {
    this.server = server;
  }

  /** A server on a free port of this machine. */
  public static MlflowServer start() throws IOException {
    HttpServer http =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    MlflowServer server = new MlflowServer(http);
    http.createContext("/", server::answer);
    http.start();
    return server;
  }

  public String address() {
    return "http://127.0.0.1:" + server.getAddress().getPort();
  }

  /** Runs in the order in which they were made. */
  public synchronized List<Run> runs() {
    return List.copyOf(runs.values());
  }

  /** The id of a run. */
  public synchronized String id(Run run) {
    return runs.entrySet().stream()
        .filter(entry -> entry.getValue() == run)
        .findFirst()
        .orElseThrow()
        .getKey();
  }

  /** What calls have sent as {@code Authorization}. */
  public synchronized Set<String> authorizations() {
    return Set.copyOf(authorizations);
  }

  /** Lets calls fail from now on. */
  public synchronized void breakDown(String message) {
    broken = Optional.of(message);
  }

  private synchronized void answer(HttpExchange exchange) throws IOException {
    byte[] body = exchange.getRequestBody().readAllBytes();
    Optional.ofNullable(exchange.getRequestHeaders().getFirst("Authorization"))
        .ifPresent(authorizations::add);
    ObjectNode answer = JSON.createObjectNode();
    int status = 200;
    try {
      if (broken.isPresent()) {
        throw new Refused(500, "INTERNAL_ERROR", broken.get());
      }
      if (exchange.getRequestMethod().equals("PUT")) {
        keep(exchange.getRequestURI().getPath(), body);
      } else {
        JsonNode asked = body.length == 0 ? JSON.createObjectNode() : JSON.readTree(body);
        call(exchange, asked, answer);
      }
    } catch (Refused e) {
      status = e.status;
      answer.put("error_code", e.code).put("message", e.getMessage());
    }
    byte[] text = JSON.writeValueAsBytes(answer);
    exchange.getResponseHeaders().set("Content-Type", "application/json");
    exchange.sendResponseHeaders(status, text.length);
    exchange.getResponseBody().write(text);
    exchange.close();
  }

  private void call(HttpExchange exchange, JsonNode asked, ObjectNode answer) {
    String path = exchange.getRequestURI().getPath();
    switch (exchange.getRequestMethod() + " " + path.replaceFirst("^/api/2.0/mlflow/", "")) {
      case "GET experiments/get-by-name" -> {
        String name = exchange.getRequestURI().getQuery().replaceFirst(".*experiment_name=", "");
        if (!experiments.contains(name)) {
          throw new Refused(404, "RESOURCE_DOES_NOT_EXIST", "Could not find experiment " + name);
        }
        answer
            .putObject("experiment")
            .put("experiment_id", String.valueOf(experiments.indexOf(name)))
            .put("name", name);
      }
      case "POST experiments/create" -> {
        experiments.add(asked.path("name").asText());
        answer.put("experiment_id", String.valueOf(experiments.size() - 1));
      }
      case "POST runs/create" -> {
        String id = "run%d".formatted(runs.size());
        Run run =
            new Run(
                experiments.get(asked.path("experiment_id").asInt(-1)),
                asked.path("run_name").asText());
        tag(run, asked.path("tags"));
        runs.put(id, run);
        answer
            .putObject("run")
            .putObject("info")
            .put("run_id", id)
            .put("run_uuid", id)
            .put("artifact_uri", artifactRoot + "/0/" + id + "/artifacts");
      }
      case "POST runs/log-batch" -> log(run(asked), asked);
      case "POST runs/update" -> run(asked).status = asked.path("status").asText();
      default -> throw new Refused(404, "ENDPOINT_NOT_FOUND", "No API found for " + path);
    }
  }

  /** Takes an artifact, as a server does that proxies its store. */
  private void keep(String path, byte[] body) {
    Matcher place = ARTIFACT.matcher(path);
    Run run = place.matches() ? runs.get(place.group(1)) : null;
    if (run == null) {
      throw new Refused(404, "ENDPOINT_NOT_FOUND", "No API found for " + path);
    }
    run.artifacts.put(place.group(2), body);
  }

  /** Lets runs that are made from now on have their artifacts elsewhere. */
  public synchronized void keepArtifactsAt(String root) {
    artifactRoot = root;
  }

  private Run run(JsonNode asked) {
    Run run = runs.get(asked.path("run_id").asText());
    if (run == null) {
      throw new Refused(404, "RESOURCE_DOES_NOT_EXIST", "Run not found: " + asked);
    }
    return run;
  }

  private static void log(Run run, JsonNode asked) {
    require(asked.path("params").size() <= 100, "at most 100 params");
    require(asked.path("tags").size() <= 100, "at most 100 tags");
    require(asked.path("metrics").size() <= 1000, "at most 1000 metrics");
    for (JsonNode param : asked.path("params")) {
      String key = param.path("key").asText();
      String value = param.path("value").asText();
      require(isName(key), "Invalid parameter name: " + key);
      require(value.length() <= 500, "Param value of " + key + " has length " + value.length());
      String before = run.params.putIfAbsent(key, value);
      require(before == null || before.equals(value), "Changing param values is not allowed");
    }
    tag(run, asked.path("tags"));
    for (JsonNode metric : asked.path("metrics")) {
      String key = metric.path("key").asText();
      require(isName(key), "Invalid metric name: " + key);
      require(metric.path("value").isNumber(), "Got invalid value " + metric);
      run.metrics
          .computeIfAbsent(key, name -> new ArrayList<>())
          .add(
              new Point(
                  metric.path("value").asDouble(),
                  metric.path("step").asLong(),
                  metric.path("timestamp").asLong()));
    }
  }

  private static void tag(Run run, JsonNode tags) {
    for (JsonNode tag : tags) {
      require(tag.path("value").asText().length() <= 5000, "Tag value too long");
      run.tags.put(tag.path("key").asText(), tag.path("value").asText());
    }
  }

  private static boolean isName(String key) {
    return key.length() <= 250 && key.matches("[/\\w.\\- :]+");
  }

  private static void require(boolean holds, String message) {
    if (!holds) {
      throw new Refused(400, "INVALID_PARAMETER_VALUE", message);
    }
  }

  @Override
  public void close() {
    server.stop(0);
  }
}
