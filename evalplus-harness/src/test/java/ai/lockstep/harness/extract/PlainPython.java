package ai.lockstep.harness.extract;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The system's interpreter without a sandbox, which parsing needs none of. */
final class PlainPython {

  private static final Path PYTHON = Path.of("/usr/bin/python3");

  private PlainPython() {}

  static PythonSanitizer sanitizer() {
    return PythonSanitizer.withCommand(List.of(executable()));
  }

  /** Its path; the test is skipped where there is none. */
  static String executable() {
    assumeTrue(Files.isExecutable(PYTHON), PYTHON + " is not installed");
    return PYTHON.toString();
  }
}
