package ai.lockstep.jobs.config;

import ai.lockstep.failure.LockstepException;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.List;
import java.util.Optional;

/**
 * {@code tracking}.
 *
 * @param mlflow the server that is told of runs; empty for none
 */
public record TrackingConfig(Optional<Mlflow> mlflow) {

  /**
   * {@code tracking=mlflow}.
   *
   * @param uri http or https address of the tracking server, without a slash at its end
   * @param experiment name of the experiment
   */
  public record Mlflow(String uri, String experiment) {

    public Mlflow {
      if (!isServer(uri)) {
        throw LockstepException.user(
            "Cannot run with tracking.uri=%s: MLflow's client needs the http or https address of a tracking server. Try tracking.uri=http://127.0.0.1:5000 (`mlflow server`)."
                .formatted(uri));
      }
      uri = uri.replaceAll("/+$", "");
    }

    private static boolean isServer(String address) {
      try {
        URI uri = new URI(address);
        return List.of("http", "https").contains(String.valueOf(uri.getScheme()))
            && uri.getHost() != null;
      } catch (URISyntaxException e) {
        return false;
      }
    }
  }

  static TrackingConfig read(Keys keys) {
    String name = keys.oneOf("name", List.of("none", "mlflow"));
    Optional<String> uri = keys.optionalText("uri");
    Optional<String> experiment = keys.optionalText("experiment");
    keys.rejectUnread();
    return new TrackingConfig(
        name.equals("none")
            ? Optional.empty()
            : Optional.of(new Mlflow(uri.orElse("null"), experiment.orElse("lockstep"))));
  }
}
