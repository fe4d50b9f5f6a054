package ai.lockstep.harness;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A Python program made of several files of this package, run with {@code python -c}. */
final class PythonProgram {

  /** What serves in the sandbox. */
  static final PythonProgram SANDBOX =
      new PythonProgram(
          "sandbox", "frames.py", "encode.py", "seccomp.py", "worker.py", "server.py");

  /** What judges outside of it. */
  static final PythonProgram JUDGE =
      new PythonProgram(
          "judge", "frames.py", "decode.py", "arguments.py", "oracles.py", "judge.py");

  private final String name;
  private final String text;

  private PythonProgram(String name, String... files) {
    this.name = name;
    this.text = Stream.of(files).map(PythonProgram::read).collect(Collectors.joining("\n"));
  }

  /** The files one after the other. */
  String text() {
    return text;
  }

  /**
   * The program for {@code -c} that runs the text in its first argument. It gives the text a table
   * of built-in names of its own, so that no candidate can change what its names mean.
   */
  String bootstrap() {
    return "import builtins, sys; sys.path[:] = [p for p in sys.path if p]; "
        + "exec(compile(sys.argv[1], '%s', 'exec'), ".formatted(name)
        + "{'__builtins__': dict(vars(builtins)), '__name__': '%s'})".formatted(name);
  }

  /** One file's text. */
  static String read(String file) {
    try (InputStream in = PythonProgram.class.getResourceAsStream(file)) {
      if (in == null) {
        throw new IllegalStateException(file + " is missing from the class path");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new IllegalStateException(file + " cannot be read", e);
    }
  }
}
