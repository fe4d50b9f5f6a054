package ai.lockstep.jobs.mlflow;

import ai.lockstep.jobs.config.TrackingConfig;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Uploads files of runs through a tracking server that keeps artifacts behind itself ({@code mlflow
 * server}'s default): such a run's artifacts lie at {@code mlflow-artifacts:/...}, and the server
 * takes a file by {@code PUT api/2.0/mlflow-artifacts/artifacts/...}. MLflow's client for Java
 * hands uploads to a Python installation instead.
 */
final class MlflowArtifacts {

  private static final String SCHEME = "mlflow-artifacts";
  private static final String ENDPOINT = "/api/2.0/mlflow-artifacts/artifacts";
  private static final Duration CONNECT = Duration.ofSeconds(10);
  private static final Duration LONGEST_UPLOAD = Duration.ofSeconds(60);

  private final String server;
  private final Optional<String> authorization;
  private final HttpClient client =
      HttpClient.newBuilder()
          // Some of the servers that MLflow runs in stumble over an offer of HTTP/2.
          .version(HttpClient.Version.HTTP_1_1)
          .connectTimeout(CONNECT)
          .build();

  /**
   * @param environment as for {@link MlflowConnection}
   */
  MlflowArtifacts(TrackingConfig.Mlflow server, Map<String, String> environment) {
    this.server = server.uri();
    this.authorization = authorization(environment);
  }

  private static Optional<String> authorization(Map<String, String> environment) {
    String user = environment.get("MLFLOW_TRACKING_USERNAME");
    String token = environment.get("MLFLOW_TRACKING_TOKEN");
    if (user != null) {
      String both = user + ":" + environment.getOrDefault("MLFLOW_TRACKING_PASSWORD", "");
      byte[] bytes = both.getBytes(StandardCharsets.UTF_8);
      return Optional.of("Basic " + Base64.getEncoder().encodeToString(bytes));
    }
    return token == null ? Optional.empty() : Optional.of("Bearer " + token);
  }

  /** Whether the server itself takes what goes there; other places need clients of their own. */
  static boolean isTakenByTheServer(String artifactUri) {
    return artifactUri.startsWith(SCHEME + ":") && URI.create(artifactUri).getAuthority() == null;
  }

  /**
   * Uploads a file.
   *
   * @param artifactUri of the run
   * @param name path within the run's artifacts
   * @throws IOException when the server does not take it
   */
  void upload(String artifactUri, String name, byte[] content)
      throws IOException, InterruptedException {
    String path = URI.create(artifactUri).getPath() + "/" + name;
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(server + ENDPOINT + encoded(path)))
            .timeout(LONGEST_UPLOAD)
            .PUT(HttpRequest.BodyPublishers.ofByteArray(content));
    authorization.ifPresent(value -> request.header("Authorization", value));
    int status = client.send(request.build(), HttpResponse.BodyHandlers.discarding()).statusCode();
    if (status / 100 != 2) {
      throw new IOException("%s answered %d to the upload of %s".formatted(server, status, name));
    }
  }

  /** Slashes stay. */
  private static String encoded(String path) {
    return Arrays.stream(path.split("/", -1))
        .map(part -> URLEncoder.encode(part, StandardCharsets.UTF_8).replace("+", "%20"))
        .collect(Collectors.joining("/"));
  }
}
