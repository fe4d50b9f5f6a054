package ai.lockstep.harness;

import ai.lockstep.failure.LockstepException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The Python that runs programs and reference solutions alike; part of what a verdict means.
 *
 * @param python its path
 * @param version such as {@code 3.11.2}
 * @param numpyVersion such as {@code 1.24.2}
 * @param folders absolute folders that it needs to see besides the system's
 */
public record Interpreter(Path python, String version, String numpyVersion, List<Path> folders) {

  private static final String PROBE =
      """
      import json, os, platform, sys
      try:
          import numpy
      except ImportError:
          numpy = None
      paths = [sys.base_prefix, sys.prefix, os.path.dirname(os.path.realpath(sys.executable)), *sys.path]
      if numpy:
          paths.append(os.path.dirname(os.path.dirname(os.path.realpath(numpy.__file__))))
      print(json.dumps({
          "version": platform.python_version(),
          "supported": sys.version_info >= (3, 9) and platform.python_implementation() == "CPython",
          "numpy": numpy and numpy.__version__,
          "paths": [p for p in paths if os.path.isdir(p)],
      }))
      """;

  public Interpreter {
    folders = List.copyOf(folders);
  }

  /**
   * Asks an interpreter what it is.
   *
   * @throws LockstepException (environment) when it cannot run programs
   */
  static Interpreter at(Path python) {
    if (!Files.isExecutable(python)) {
      throw LockstepException.environment(
          "Cannot run programs with harness.python=%s: there is no such executable. Install it (Debian: apt-get install python3 python3-numpy) or name another."
              .formatted(python));
    }

    JsonNode answer = ask(python);
    if (!answer.required("supported").booleanValue()) {
      throw LockstepException.environment(
          "Cannot run programs with harness.python=%s: it is Python %s, and CPython 3.9 or newer is needed."
              .formatted(python, answer.required("version").textValue()));
    }

    if (answer.required("numpy").isNull()) {
      throw LockstepException.environment(
          "Cannot run programs with harness.python=%s: it has no numpy, which tasks use. Install it (Debian: apt-get install python3-numpy)."
              .formatted(python));
    }

    List<Path> folders = new ArrayList<>();
    answer.required("paths").forEach(path -> folders.add(Path.of(path.textValue())));
    return new Interpreter(
        python,
        answer.required("version").textValue(),
        answer.required("numpy").textValue(),
        folders);
  }

  private static JsonNode ask(Path python) {
    try {
      Process process =
          new ProcessBuilder(python.toString(), "-s", "-B", "-c", PROBE)
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      process.getOutputStream().close();
      byte[] answer = process.getInputStream().readAllBytes();
      if (answer.length == 0) {
        throw new IOException("it ended without an answer");
      }
      return new ObjectMapper().readTree(new String(answer, StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw LockstepException.environment(
          "Cannot run programs with harness.python=%s: it does not run as Python does (%s)."
              .formatted(python, e.getMessage()),
          e);
    }
  }

  /** What expected answers depend on, as a folder name: {@code python-3.11.2-numpy-1.24.2}. */
  String folderName() {
    return "python-%s-numpy-%s".formatted(version, numpyVersion);
  }

  @Override
  public String toString() {
    return "Python %s with numpy %s (%s)".formatted(version, numpyVersion, python);
  }
}
