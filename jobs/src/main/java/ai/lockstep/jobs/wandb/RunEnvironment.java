package ai.lockstep.jobs.wandb;

import ai.lockstep.jobs.run.CodeVersion;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Where and how a command was started.
 *
 * @param program the command, such as {@code lockstep evaluate}
 * @param args its overrides
 * @param commit git commit of lockstep, without a mark for changes; empty outside a checkout
 * @param startedAt when
 * @param os name and release of the system
 * @param platform the same in W&amp;B's short form, such as {@code linux-amd64}
 * @param host name of the machine
 * @param username who
 * @param root working folder
 * @param executable the Java that runs
 * @param cpuCount processors that Java sees
 */
record RunEnvironment(
    String program,
    List<String> args,
    Optional<String> commit,
    Instant startedAt,
    String os,
    String platform,
    String host,
    String username,
    String root,
    String executable,
    int cpuCount) {

  private static final Path KERNEL_NAME = Path.of("/proc/sys/kernel/hostname");

  RunEnvironment {
    args = List.copyOf(args);
  }

  /** This process's. */
  static RunEnvironment current(String job, List<String> args, Instant startedAt) {
    String system = System.getProperty("os.name");
    String architecture = System.getProperty("os.arch");
    return new RunEnvironment(
        "lockstep " + job,
        args,
        CodeVersion.commit().map(commit -> commit.replace("+changes", "")),
        startedAt,
        "%s-%s-%s".formatted(system, System.getProperty("os.version"), architecture),
        "%s-%s".formatted(system, architecture).toLowerCase(Locale.ROOT),
        machineName(),
        System.getProperty("user.name"),
        Path.of("").toAbsolutePath().toString(),
        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        Runtime.getRuntime().availableProcessors());
  }

  private static String machineName() {
    try {
      // Java asks the network for the name, for seconds where no one answers.
      return Files.isReadable(KERNEL_NAME)
          ? Files.readString(KERNEL_NAME).strip()
          : InetAddress.getLocalHost().getHostName();
    } catch (IOException e) {
      // A machine without a name of its own; W&B shows none.
      return "";
    }
  }
}
