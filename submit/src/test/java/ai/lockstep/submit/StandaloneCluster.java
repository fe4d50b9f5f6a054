package ai.lockstep.submit;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.spark.launcher.JavaModuleOptions;

/**
 * A real standalone master and two workers, each a JVM of its own, on the loopback interface. Each
 * worker finds two GPUs by the real discovery script and a script in nvidia-smi's place.
 */
final class StandaloneCluster implements AutoCloseable {

  private static final Path SPARK_HOME = Path.of("target/spark-home").toAbsolutePath();
  private static final Path DISCOVERY = Path.of("gpus.sh").toAbsolutePath();

  private static final String NVIDIA_SMI =
      """
      #!/bin/sh
      for word; do case $word in --id=*) ids=${word#--id=};; esac; done
      case "$*" in
        *query-gpu=index*) echo "$ids" | tr , '\\n';;
        *) echo "1000, 50, 300.5";;
      esac
      """;

  /** Each worker is a host to Spark, which starts a task's twin on another host only. */
  private record Seat(String host, String gpus) {}

  private static final List<Seat> SEATS =
      List.of(new Seat("127.0.0.1", "0,1"), new Seat("127.0.0.2", "2,3"));

  private final Path folder;
  private final int port;
  private final int webPort;
  private final Process master;
  private final Map<Seat, Process> workers = new LinkedHashMap<>();

  /** Starts everything and waits until both workers are registered. */
  StandaloneCluster(Path folder) throws IOException {
    this.folder = folder;
    this.port = freePort();
    this.webPort = freePort();
    Path nvidiaSmi =
        Files.writeString(Files.createDirectories(tools()).resolve("nvidia-smi"), NVIDIA_SMI);
    assertThat(nvidiaSmi.toFile().setExecutable(true)).isTrue();
    this.master =
        start(
            "master",
            Map.of("SPARK_LOCAL_IP", "127.0.0.1"),
            "org.apache.spark.deploy.master.Master",
            "--host",
            "127.0.0.1",
            "--port",
            String.valueOf(port),
            "--webui-port",
            String.valueOf(webPort));
    Eventually.holds("the master answers", () -> aliveWorkers() == 0);
    startMissingWorkers();
  }

  /** Starts workers that were killed and waits until both are registered. */
  void startMissingWorkers() throws IOException {
    for (Seat seat : SEATS) {
      if (!workers.containsKey(seat) || !workers.get(seat).isAlive()) {
        workers.put(seat, startWorker(seat));
      }
    }
    Eventually.holds("two workers are registered", () -> aliveWorkers() == SEATS.size());
  }

  private Process startWorker(Seat seat) throws IOException {
    return start(
        "worker" + seat.gpus,
        Map.of(
            "LOCKSTEP_GPUS",
            seat.gpus,
            "SPARK_LOCAL_IP",
            seat.host,
            "PATH",
            tools() + ":" + System.getenv("PATH")),
        "org.apache.spark.deploy.worker.Worker",
        "--host",
        seat.host,
        "--webui-port",
        "0",
        "--cores",
        "2",
        "--memory",
        "2g",
        "--work-dir",
        folder.resolve("work" + seat.gpus).toString(),
        "--properties-file",
        workerProperties().toString(),
        master());
  }

  private Path tools() {
    return folder.resolve("tools");
  }

  private Path workerProperties() throws IOException {
    return Files.writeString(
        folder.resolve("worker.conf"),
        """
        spark.worker.resource.gpu.amount 2
        spark.worker.resource.gpu.discoveryScript %s
        """
            .formatted(DISCOVERY));
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private Process start(String name, Map<String, String> environment, String main, String... words)
      throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of(JavaModuleOptions.defaultModuleOptionArray()));
    command.addAll(List.of("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
    command.addAll(List.of("-cp", SPARK_HOME + "/jars/*", main));
    command.addAll(List.of(words));
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(
                ProcessBuilder.Redirect.appendTo(folder.resolve(name + ".log").toFile()));
    builder.environment().put("SPARK_HOME", SPARK_HOME.toString());
    builder.environment().put("SPARK_SCALA_VERSION", "2.13");
    builder.environment().putAll(environment);
    return builder.start();
  }

  private int aliveWorkers() {
    URI state = URI.create("http://127.0.0.1:%d/json/".formatted(webPort));
    try (InputStream in = state.toURL().openStream()) {
      return new ObjectMapper().readTree(in).get("aliveworkers").asInt();
    } catch (IOException e) {
      return -1;
    }
  }

  /** The master's URL. */
  String master() {
    return "spark://127.0.0.1:" + port;
  }

  /** Executors that run now: workers have no other children. */
  List<ProcessHandle> executors() {
    return workers.values().stream().flatMap(worker -> worker.children()).toList();
  }

  /** GPU addresses that Spark gave to the executor, running or not, that loaded a replica. */
  List<String> addressesOf(String replica) throws IOException {
    try (Stream<Path> files = Files.find(folder, 4, (file, is) -> file.endsWith("stderr"))) {
      for (Path log : (Iterable<Path>) files::iterator) {
        if (Files.readString(log).contains(" replica=" + replica + " ")) {
          return addresses(log.getParent());
        }
      }
    }
    throw new AssertionError("No executor loaded " + replica);
  }

  /** From the file by which a worker tells an executor. */
  private static List<String> addresses(Path executor) throws IOException {
    List<String> addresses = new ArrayList<>();
    try (Stream<Path> files = Files.list(executor)) {
      for (Path file : (Iterable<Path>) files::iterator) {
        if (file.getFileName().toString().startsWith("resource-executor-")) {
          new ObjectMapper()
              .readTree(file.toFile())
              .findValue("addresses")
              .forEach(address -> addresses.add(address.asText()));
        }
      }
    }
    return addresses;
  }

  /** Kills a worker, whose executors end by themselves; waits until the master has noticed. */
  void killAWorker() {
    workers.values().iterator().next().destroyForcibly().onExit().join();
    Eventually.holds("the master misses a worker", () -> aliveWorkers() == SEATS.size() - 1);
  }

  @Override
  public void close() {
    List<ProcessHandle> all =
        Stream.concat(
                executors().stream(),
                Stream.concat(workers.values().stream(), Stream.of(master)).map(Process::toHandle))
            .toList();
    all.forEach(ProcessHandle::destroyForcibly);
    all.forEach(process -> process.onExit().join());
  }
}
