package ai.lockstep.harness;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OracleTest {

  @TempDir static Path cache;

  @Test
  void floatsAreCloseWhereNumpySaysSo() throws IOException {
    String program = PythonProgram.read("oracles.py") + PythonProgram.read("close.py");
    Process process =
        new ProcessBuilder(Tasks.settings(cache).python().toString(), "-s", "-c", program)
            .redirectErrorStream(true)
            .start();

    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

    assertThat(said).isEqualTo("3653 of 3653\n");
  }
}
