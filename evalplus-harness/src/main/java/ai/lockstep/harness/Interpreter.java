package ai.lockstep.harness;

import java.nio.file.Path;

/**
 * The Python that runs programs and reference solutions alike; part of what a verdict means.
 *
 * @param python its path
 * @param version such as {@code 3.11.2}
 * @param numpyVersion such as {@code 1.24.2}
 */
public record Interpreter(Path python, String version, String numpyVersion) {

  @Override
  public String toString() {
    return "Python %s with numpy %s (%s)".formatted(version, numpyVersion, python);
  }
}
