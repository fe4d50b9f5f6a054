package ai.lockstep.harness.extract;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class FragmentSearchTest {

  private static String resource(String name) throws Exception {
    return Path.of(Objects.requireNonNull(FragmentSearchTest.class.getResource(name), name).toURI())
        .toString();
  }

  @Test
  void findsWhatTryingEveryRangeFinds() throws Exception {
    Process python =
        new ProcessBuilder(
                PlainPython.executable(),
                "-I",
                resource("every_range.py"),
                resource("sanitize.py"),
                "3000")
            .redirectErrorStream(true)
            .start();
    python.getOutputStream().close();
    String output =
        new String(python.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    assertThat(output).isEqualTo("all agree");
  }
}
