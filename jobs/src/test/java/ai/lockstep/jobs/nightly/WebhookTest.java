package ai.lockstep.jobs.nightly;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class WebhookTest {

  private final List<String> bodies = Collections.synchronizedList(new ArrayList<>());
  private final List<Integer> answers = Collections.synchronizedList(new ArrayList<>());
  private HttpServer server;

  @BeforeEach
  void startListening() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/",
        exchange -> {
          bodies.add(new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
          exchange.sendResponseHeaders(answers.isEmpty() ? 200 : answers.remove(0), -1);
          exchange.close();
        });
    server.start();
  }

  @AfterEach
  void stopListening() {
    server.stop(0);
  }

  private boolean tell() {
    URI url = URI.create("http://127.0.0.1:%d/secret".formatted(server.getAddress().getPort()));
    return new Webhook(url, 3, Duration.ofMillis(1))
        .tell(LocalDate.of(2026, 3, 6), "regression", 5, "it \"got\" worse", "nights/2026-03-06");
  }

  @Test
  void tellsTheVerdictAsJson() throws IOException {
    assertThat(tell()).isTrue();

    assertThat(new ObjectMapper().readTree(bodies.get(0)))
        .isEqualTo(
            new ObjectMapper()
                .readTree(
                    """
                    {"text": "it \\"got\\" worse", "night": "2026-03-06", "verdict": "regression",
                     "exit_code": 5, "output_dir": "nights/2026-03-06"}
                    """));
  }

  @Test
  void triesAgainWhileTheOtherSideIsInTrouble() {
    answers.addAll(List.of(503, 429));

    assertThat(tell()).isTrue();
    assertThat(bodies).hasSize(3);
  }

  @Test
  void givesUpWithoutAFailure() {
    answers.addAll(List.of(500, 500, 500, 500));
    assertThat(tell()).isFalse();
    assertThat(bodies).hasSize(3);

    server.stop(0);
    assertThat(tell()).isFalse();
  }

  @Test
  void doesNotRepeatWhatIsRefused() {
    answers.add(404);

    assertThat(tell()).isFalse();
    assertThat(bodies).hasSize(1);
  }

  @Test
  void isThereOnlyForAUrlAndKeepsItsPathToItself() {
    assertThat(Webhook.at(Optional.empty(), "V")).isEmpty();
    assertThat(Webhook.at(Optional.of(" "), "V")).isEmpty();
    assertThat(Webhook.at(Optional.of("ftp://host/x"), "V")).isEmpty();
    assertThat(Webhook.at(Optional.of("not a url"), "V")).isEmpty();
    assertThat(Webhook.at(Optional.of("https://hooks.example/secret"), "V"))
        .hasValueSatisfying(hook -> assertThat(hook).hasToString("Webhook[hooks.example]"));
  }
}
