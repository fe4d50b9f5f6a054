package ai.lockstep.harness;

import ai.lockstep.failure.LockstepException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The command line that starts an interpreter in a sandbox.
 *
 * <p>Under {@link Isolation#BUBBLEWRAP} it sees the system's programs and libraries read-only, its
 * own process list, a few devices, and two folders in memory that it may write; no network, no home
 * folders, no configuration. Started by root, it stays root without privileges except to start
 * programs as another user and to clean up after them; started by a user, it is nobody in a user
 * namespace.
 */
final class SandboxCommand {

  private static final Logger LOG = LoggerFactory.getLogger(SandboxCommand.class);

  /** Where a program may write, and how much: tests that write at all write kilobytes. */
  static final List<String> FOLDERS = List.of("/tmp", "/dev/shm");

  /** Where a program starts: within the first of {@link #FOLDERS}. */
  static final String WORK_FOLDER = FOLDERS.get(0) + "/work";

  private static final long FOLDER_BYTES = 128L << 20;

  private static final long START_SECONDS = 30;

  private static final List<String> ENVIRONMENT =
      List.of(
          "PATH=/usr/bin:/bin",
          "HOME=/tmp",
          "LANG=C.UTF-8",
          // Verdicts must not depend on the order of sets.
          "PYTHONHASHSEED=0",
          // A server that is to be forked must have one thread.
          "OMP_NUM_THREADS=1",
          "OPENBLAS_NUM_THREADS=1",
          // An arena reserves 128 MiB of address space, and by default there are 8 for each core.
          "MALLOC_ARENA_MAX=4");

  private final List<String> words;

  private SandboxCommand(List<String> words) {
    this.words = List.copyOf(words);
  }

  /** Words that end in the interpreter and its options; {@code -c} and a program follow. */
  List<String> words() {
    return words;
  }

  /** The same without the privileges that serving many runs takes. */
  SandboxCommand withoutPrivileges() {
    List<String> fewer = new ArrayList<>(words);
    for (int at = fewer.indexOf("--cap-add"); at >= 0; at = fewer.indexOf("--cap-add")) {
      fewer.subList(at, at + 2).clear();
    }
    return new SandboxCommand(fewer);
  }

  /** Whether this JVM belongs to root. */
  static boolean isRoot() {
    return "root".equals(System.getProperty("user.name"));
  }

  static SandboxCommand of(Isolation isolation, Interpreter interpreter) {
    List<String> words = new ArrayList<>();
    switch (isolation) {
      case BUBBLEWRAP -> bubblewrap(words, interpreter);
      case SECCOMP -> {
        words.addAll(List.of("env", "-i"));
        words.addAll(ENVIRONMENT);
      }
    }
    words.addAll(List.of(interpreter.python().toString(), "-s", "-B"));
    return new SandboxCommand(words);
  }

  private static void bubblewrap(List<String> words, Interpreter interpreter) {
    words.addAll(List.of("bwrap", "--die-with-parent", "--new-session", "--as-pid-1"));
    words.addAll(List.of("--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts"));
    words.addAll(List.of("--unshare-cgroup-try", "--hostname", "sandbox"));
    if (isRoot()) {
      words.addAll(List.of("--cap-drop", "ALL"));
      for (String capability : List.of("SETUID", "SETGID", "KILL", "DAC_OVERRIDE")) {
        words.addAll(List.of("--cap-add", "CAP_" + capability));
      }
    } else {
      words.addAll(List.of("--unshare-user", "--uid", "65534", "--gid", "65534"));
    }

    words.addAll(List.of("--ro-bind", "/usr", "/usr"));
    for (String folder : List.of("/bin", "/sbin", "/lib", "/lib32", "/lib64")) {
      seeAs(words, Path.of(folder));
    }
    for (String file : List.of("ld.so.cache", "alternatives", "localtime")) {
      words.addAll(List.of("--ro-bind-try", "/etc/" + file, "/etc/" + file));
    }
    interpreter.folders().stream()
        .filter(folder -> !folder.startsWith("/usr") && folder.getNameCount() > 0)
        .distinct()
        .forEach(
            folder -> words.addAll(List.of("--ro-bind", folder.toString(), folder.toString())));

    words.addAll(List.of("--proc", "/proc", "--dev", "/dev"));
    for (String folder : FOLDERS) {
      words.addAll(List.of("--size", Long.toString(FOLDER_BYTES), "--tmpfs", folder));
    }
    words.addAll(List.of("--remount-ro", "/", "--chdir", "/", "--clearenv"));
    for (String variable : ENVIRONMENT) {
      int equals = variable.indexOf('=');
      words.addAll(
          List.of("--setenv", variable.substring(0, equals), variable.substring(equals + 1)));
    }
    words.add("--");
  }

  /** As it is on this system: a link into /usr, a folder of its own, or nothing. */
  private static void seeAs(List<String> words, Path folder) {
    try {
      if (Files.isSymbolicLink(folder)) {
        String target = Files.readSymbolicLink(folder).toString();
        words.addAll(List.of("--symlink", target, folder.toString()));
      } else if (Files.isDirectory(folder)) {
        words.addAll(List.of("--ro-bind", folder.toString(), folder.toString()));
      }
    } catch (IOException e) {
      throw LockstepException.environment("Cannot read " + folder + ": " + e.getMessage(), e);
    }
  }

  /**
   * The level to use: the one asked for, or for {@code auto} the first that works.
   *
   * @throws LockstepException (environment) when it does not work here
   */
  static Isolation strongest(HarnessSettings settings, Interpreter interpreter) {
    if (!settings.sandbox().equals(HarnessSettings.AUTO)) {
      Isolation asked = Isolation.named(settings.sandbox()).orElseThrow();
      obstacle(asked, interpreter)
          .ifPresent(
              why -> {
                throw LockstepException.environment(
                    "Cannot isolate programs with harness.sandbox=%s: %s".formatted(asked, why));
              });
      return asked;
    }

    List<String> obstacles = new ArrayList<>();
    for (Isolation isolation : Isolation.values()) {
      Optional<String> obstacle = obstacle(isolation, interpreter);
      if (obstacle.isEmpty()) {
        obstacles.forEach(why -> LOG.warn("sandbox={}: {}", isolation, why));
        return isolation;
      }
      obstacles.add("%s: %s".formatted(isolation, obstacle.get()));
    }
    throw LockstepException.environment(
        "Cannot isolate programs on this machine: %s".formatted(String.join(" ", obstacles)));
  }

  /** Why a level does not work here, as a sentence; empty when it does. */
  private static Optional<String> obstacle(Isolation isolation, Interpreter interpreter) {
    if (isolation == Isolation.BUBBLEWRAP && !isOnPath("bwrap")) {
      return Optional.of(
          "bwrap is not installed. Install it (Debian: apt-get install bubblewrap).");
    }

    String namespaces = isolation == Isolation.BUBBLEWRAP ? "True" : "False";
    List<String> words = new ArrayList<>(of(isolation, interpreter).words());
    words.addAll(
        List.of(
            "-c",
            PythonProgram.read("seccomp.py")
                + "\nimport os\nassert (os.getpid() == 1) == %s\n".formatted(namespaces)
                + "prepare_filter(%s)()\nprint('filtered')\n".formatted(namespaces)));
    try {
      Process process = new ProcessBuilder(words).redirectErrorStream(true).start();
      process.getOutputStream().close();
      String said =
          new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
      boolean ended = process.waitFor(START_SECONDS, TimeUnit.SECONDS);
      if (ended && process.exitValue() == 0 && said.endsWith("filtered")) {
        return Optional.empty();
      }
      String last = said.lines().reduce((a, b) -> b).orElse("no word");
      return Optional.of("it does not start here (it says: %s).".formatted(last));
    } catch (IOException e) {
      return Optional.of("it does not start here (%s).".formatted(e.getMessage()));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("Interrupted while trying the sandbox", e);
    }
  }

  private static boolean isOnPath(String program) {
    return Stream.of(System.getenv().getOrDefault("PATH", "").split(":"))
        .filter(folder -> !folder.isEmpty())
        .anyMatch(folder -> Files.isExecutable(Path.of(folder, program)));
  }
}
