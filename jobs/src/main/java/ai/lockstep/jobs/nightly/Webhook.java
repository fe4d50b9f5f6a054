package ai.lockstep.jobs.nightly;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.LocalDate;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Posts a night's verdict as JSON: {@code text} for chat services that show it, and {@code night},
 * {@code verdict}, {@code exit_code} and {@code output_dir} for programs. A night never fails
 * because nobody listens. The URL is often a secret: no message holds more than its host.
 *
 * @param url http or https
 * @param attempts tries in all, at least 1
 * @param firstPause before the second try; doubles with every further one
 */
public record Webhook(URI url, int attempts, Duration firstPause) {

  private static final Logger LOG = LoggerFactory.getLogger(Webhook.class);

  /** Four tries, 14 seconds of pauses in all: a restart of the other side. */
  private static final int ATTEMPTS = 4;

  private static final Duration FIRST_PAUSE = Duration.ofSeconds(2);
  private static final Duration TIMEOUT = Duration.ofSeconds(10);

  /**
   * The webhook at a URL; none where there is no URL, or one that cannot be used, which is warned
   * of.
   *
   * @param variable where the URL comes from, for the warning
   */
  public static Optional<Webhook> at(Optional<String> url, String variable) {
    if (url.filter(text -> !text.isBlank()).isEmpty()) {
      return Optional.empty();
    }
    try {
      URI uri = URI.create(url.get().strip());
      if (uri.getHost() != null && String.valueOf(uri.getScheme()).matches("https?")) {
        return Optional.of(new Webhook(uri, ATTEMPTS, FIRST_PAUSE));
      }
    } catch (IllegalArgumentException e) {
      LOG.debug("not a URL", e);
    }
    LOG.warn("nobody is told: {} does not hold an http or https URL", variable);
    return Optional.empty();
  }

  /**
   * Tells of a night.
   *
   * @param verdict {@link Verdict}'s spelling, or {@code failed}
   * @param outputDir of the night
   * @return whether the other side took it
   */
  public boolean tell(
      LocalDate night, String verdict, int exitCode, String headline, String outputDir) {
    ObjectNode body =
        new ObjectMapper()
            .createObjectNode()
            .put("text", headline)
            .put("night", night.toString())
            .put("verdict", verdict)
            .put("exit_code", exitCode)
            .put("output_dir", outputDir);
    HttpRequest request =
        HttpRequest.newBuilder(url)
            .timeout(TIMEOUT)
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(body.toString()))
            .build();
    HttpClient client = HttpClient.newBuilder().connectTimeout(TIMEOUT).build();
    String reason = "";
    for (int attempt = 0; attempt < attempts; attempt++) {
      try {
        if (attempt > 0) {
          Thread.sleep(firstPause.multipliedBy(1L << (attempt - 1)).toMillis());
        }
        int status = client.send(request, HttpResponse.BodyHandlers.discarding()).statusCode();
        if (status / 100 == 2) {
          return true;
        }
        reason = "status " + status;
        if (status / 100 == 4 && status != 408 && status != 429) {
          break; // It will not like the same again.
        }
      } catch (IOException e) {
        reason = e.getClass().getSimpleName();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        reason = "interrupted";
        break;
      }
    }
    LOG.warn("{} was not told of the night: {}", url.getHost(), reason);
    return false;
  }

  /** Without the path, which may be a secret. */
  @Override
  public String toString() {
    return "Webhook[" + url.getHost() + "]";
  }
}
