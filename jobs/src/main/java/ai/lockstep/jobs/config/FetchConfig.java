package ai.lockstep.jobs.config;

import ai.lockstep.failure.LockstepException;
import java.net.URI;
import java.net.URISyntaxException;

/**
 * {@code fetch}.
 *
 * @param endpoint {@code fetch.endpoint}: where benchmarks are published, or a mirror of it
 */
public record FetchConfig(URI endpoint) {

  static FetchConfig read(Keys keys) {
    String endpoint = keys.text("endpoint");
    keys.rejectUnread();
    try {
      URI uri = new URI(endpoint);
      if (uri.getScheme() != null && uri.getScheme().matches("https?") && uri.getHost() != null) {
        return new FetchConfig(uri);
      }
    } catch (URISyntaxException e) {
      throw failure(endpoint);
    }
    throw failure(endpoint);
  }

  private static LockstepException failure(String endpoint) {
    return LockstepException.user(
        "Cannot run with fetch.endpoint=%s: it must be an http or https address, such as https://github.com."
            .formatted(endpoint));
  }
}
