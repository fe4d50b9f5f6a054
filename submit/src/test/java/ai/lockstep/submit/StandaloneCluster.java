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

  private final Path folder;
  private final int port;
  private final int webPort;
  private final Process master;
  private final List<Process> workers = new ArrayList<>();

  /** Starts everything and waits until both workers are registered. */
  StandaloneCluster(Path folder) throws IOException {
    this.folder = folder;
    this.port = freePort();
    this.webPort = freePort();
    Path tools = Files.createDirectories(folder.resolve("tools"));
    Path nvidiaSmi = Files.writeString(tools.resolve("nvidia-smi"), NVIDIA_SMI);
    assertThat(nvidiaSmi.toFile().setExecutable(true)).isTrue();
    this.master =
        start(
            "master",
            Map.of(),
            "org.apache.spark.deploy.master.Master",
            "--host",
            "127.0.0.1",
            "--port",
            String.valueOf(port),
            "--webui-port",
            String.valueOf(webPort));
    Eventually.holds("the master answers", () -> aliveWorkers() == 0);
    for (String gpus : List.of("0,1", "2,3")) {
      workers.add(
          start(
              "worker" + gpus,
              Map.of("LOCKSTEP_GPUS", gpus, "PATH", tools + ":" + System.getenv("PATH")),
              "org.apache.spark.deploy.worker.Worker",
              "--host",
              "127.0.0.1",
              "--webui-port",
              "0",
              "--cores",
              "2",
              "--memory",
              "2g",
              "--work-dir",
              folder.resolve("work" + gpus).toString(),
              "--properties-file",
              workerProperties().toString(),
              master()));
    }
    Eventually.holds("two workers are registered", () -> aliveWorkers() == 2);
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
            .redirectOutput(folder.resolve(name + ".log").toFile());
    builder.environment().put("SPARK_HOME", SPARK_HOME.toString());
    builder.environment().put("SPARK_SCALA_VERSION", "2.13");
    builder.environment().put("SPARK_LOCAL_IP", "127.0.0.1");
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
    return workers.stream().flatMap(worker -> worker.children()).toList();
  }

  @Override
  public void close() {
    List<ProcessHandle> all =
        Stream.concat(
                executors().stream(),
                Stream.concat(workers.stream(), Stream.of(master)).map(Process::toHandle))
            .toList();
    all.forEach(ProcessHandle::destroyForcibly);
    all.forEach(process -> process.onExit().join());
  }
}
