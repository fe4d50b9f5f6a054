package ai.lockstep.submit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/**
 * The packaged jobs on a cluster of real processes: two executors, each with a replica of its own,
 * and what is left when something is killed, frozen or full in the middle of a sweep over two
 * temperatures. Every time, each sample is there once and as in the undisturbed run: batches of one
 * row leave a row's floating-point numbers no company to depend on. Spark's event log says that the
 * fault hit work: which Spark tasks were lost, tried again, or done by a twin.
 */
@EnabledIfSystemProperty(
    named = "lockstep.cluster",
    matches = "true",
    disabledReason = "takes minutes on two cores; run it with -Dlockstep.cluster=true")
class ClusterTest {

  private static final int TASKS = 8;
  private static final int ROWS = 2 * TASKS;

  /** Far above what a busy machine needs. */
  private static final long TIMEOUT_MINUTES = 8;

  /** Drivers of the test that runs: a failed test leaves none to the next. */
  private static final List<Process> DRIVERS = new ArrayList<>();

  @TempDir static Path folder;
  private static StandaloneCluster cluster;
  private static SparkSession spark;
  private static List<String> undisturbed;

  @BeforeAll
  static void runUndisturbed() throws IOException, InterruptedException {
    cluster = new StandaloneCluster(folder);
    spark =
        SparkSession.builder()
            .master("local[2]")
            .config("spark.ui.enabled", "false")
            .config("spark.log.level", "WARN")
            .config("spark.driver.bindAddress", "127.0.0.1")
            .getOrCreate();
    Files.createDirectories(folder.resolve("metrics"));
    Files.createDirectories(folder.resolve("events"));
    finish(submit(folder.resolve("undisturbed")));
    undisturbed = decoded("undisturbed");
  }

  @AfterAll
  static void stop() {
    spark.stop();
    cluster.close();
  }

  @BeforeEach
  void aWholeCluster() throws IOException {
    cluster.startMissingWorkers();
  }

  /** One row a shard: rows are written as they are decoded. */
  private static final List<String> SWEEP =
      List.of(
          "hardware.batch_rows=1",
          "hardware.shards=" + TASKS,
          "model.device=cpu",
          "tasks=0-" + (TASKS - 1),
          "decode.r_length=8",
          "decode.a_length=24",
          "decode.tau_r=1",
          "decode.tau_a=1",
          "viz.enabled=false",
          "-m",
          "model.generation.temperature=0,0.8");

  private static Process submit(Path output, String... more) throws IOException {
    List<String> words =
        new ArrayList<>(
            List.of(
                "--master",
                cluster.master(),
                "--driver-memory",
                "700m",
                "--driver-java-options",
                "-XX:+UseSerialGC -XX:TieredStopAtLevel=1",
                "--conf",
                "spark.executor.cores=2",
                "--conf",
                "spark.cores.max=4",
                "--conf",
                "spark.executor.memory=600m",
                "--conf",
                "spark.executorEnv.OMP_NUM_THREADS=1",
                "--conf",
                "spark.executor.defaultJavaOptions=-XX:+UseSerialGC -XX:TieredStopAtLevel=1",
                "--conf",
                "spark.metrics.namespace=lockstep",
                "--conf",
                "spark.metrics.conf.executor.sink.csv.class=org.apache.spark.metrics.sink.CsvSink",
                "--conf",
                "spark.metrics.conf.executor.sink.csv.period=1",
                "--conf",
                "spark.metrics.conf.executor.sink.csv.directory=" + folder.resolve("metrics"),
                "--conf",
                "spark.eventLog.enabled=true",
                "--conf",
                "spark.eventLog.compress=false",
                "--conf",
                "spark.eventLog.rolling.enabled=false",
                "--conf",
                "spark.eventLog.dir=" + Files.createDirectories(events(output)).toUri(),
                "hardware=standalone"));
    words.addAll(List.of(more));
    return launch(output, words);
  }

  private static Path events(Path output) {
    return folder.resolve("events").resolve(output.getFileName());
  }

  /** How Spark tasks of a driver that came to its end ended. */
  private static List<JsonNode> taskEnds(String output) throws IOException {
    List<JsonNode> ends = new ArrayList<>();
    try (Stream<Path> logs = Files.list(events(folder.resolve(output)))) {
      for (String line : Files.readAllLines(logs.findFirst().orElseThrow())) {
        JsonNode event = new ObjectMapper().readTree(line);
        if (event.path("Event").asText().equals("SparkListenerTaskEnd")) {
          ends.add(event);
        }
      }
    }
    return ends;
  }

  private static boolean succeeded(JsonNode taskEnd) {
    return taskEnd.at("/Task End Reason/Reason").asText().equals("Success");
  }

  private static Process launch(Path output, List<String> more) throws IOException {
    String name = output.getFileName().toString();
    List<String> command =
        new ArrayList<>(List.of(Path.of("lockstep").toAbsolutePath().toString(), "evaluate"));
    command.addAll(more);
    command.addAll(SWEEP);
    command.add("output.dir=" + output);
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectOutput(folder.resolve(name + ".out").toFile())
            .redirectError(folder.resolve(name + ".err").toFile());
    builder.environment().remove("SPARK_HOME");
    builder.environment().put("SPARK_LOCAL_IP", "127.0.0.1");
    builder.environment().put("OMP_NUM_THREADS", "1");
    Process driver = builder.start();
    DRIVERS.add(driver);
    return driver;
  }

  @AfterEach
  void noDriverIsLeft() throws InterruptedException {
    for (Process driver : DRIVERS) {
      driver.destroyForcibly().waitFor();
    }
    DRIVERS.clear();
  }

  private static int end(Process driver) throws InterruptedException {
    try {
      assertThat(driver.waitFor(TIMEOUT_MINUTES, TimeUnit.MINUTES)).as("ended").isTrue();
      return driver.exitValue();
    } finally {
      driver.destroyForcibly();
    }
  }

  private static void finish(Process driver) throws InterruptedException {
    assertThat(end(driver)).isZero();
  }

  private static String errors(String output) throws IOException {
    return Files.readString(folder.resolve(output + ".err"));
  }

  private static Dataset<Row> table(Path output, String table) {
    return spark.read().parquet(output.resolve(table).toString());
  }

  private static Dataset<Row> table(String output, String table) {
    return table(folder.resolve(output), table);
  }

  private static List<String> decoded(String output) {
    return decoded(folder.resolve(output));
  }

  /** Everything of every row that does not say when and where it was decoded. */
  private static List<String> decoded(Path output) {
    return table(output, "completions")
        .select(
            "config_id",
            "task_id",
            "sample_index",
            "status",
            "prompt_ids",
            "token_ids",
            "text",
            "nfe",
            "commit_nfe",
            "commit_p",
            "commit_logp")
        .toJSON()
        .collectAsList();
  }

  private static List<Path> parts(String output) {
    try (Stream<Path> files = Files.walk(folder.resolve(output).resolve("completions"))) {
      return files
          .filter(file -> file.getFileName().toString().matches("part-.*\\.parquet"))
          .filter(file -> !file.toString().contains("_temporary"))
          .toList();
    } catch (IOException | UncheckedIOException e) {
      return List.of();
    }
  }

  private static Process submitAndWaitForTheFirstRows(String output, String... more)
      throws IOException {
    Process driver = submit(folder.resolve(output), more);
    Eventually.holds("two rows are there", () -> parts(output).size() >= 2);
    assertThat(parts(output)).hasSizeLessThan(ROWS);
    return driver;
  }

  private static void sameAsUndisturbed(String output) {
    sameAsUndisturbed(folder.resolve(output));
  }

  private static void sameAsUndisturbed(Path output) {
    assertThat(decoded(output)).containsExactlyInAnyOrderElementsOf(undisturbed);
    String[] key = {"config_id", "task_id", "sample_index"};
    for (String table : List.of("completions", "scores")) {
      Dataset<Row> keys = table(output, table).selectExpr(key);
      assertThat(keys.count()).as(table).isEqualTo(ROWS);
      assertThat(keys.distinct().count()).as(table).isEqualTo(ROWS);
    }
    assertThat(table(output, "steps").count())
        .isEqualTo(table(output, "completions").selectExpr("sum(nfe)").first().getLong(0));
  }

  @Test
  void everyExecutorServesRowsOnItsOwnGpuAddress() throws IOException {
    List<Row> replicas =
        table("undisturbed", "completions").select("device", "replica").distinct().collectAsList();

    assertThat(replicas).hasSize(2).allMatch(row -> row.getString(0).equals("cpu"));
    Set<String> addresses =
        replicas.stream().map(row -> address(row.getString(1))).collect(Collectors.toSet());
    assertThat(addresses).hasSize(2).isSubsetOf("0", "1", "2", "3");
    sameAsUndisturbed("undisturbed");
    everyReplicaKeptToTheGpuOfItsExecutor("undisturbed");
    assertThat(errors("undisturbed")).contains("scoring without GPUs: resource_profile=");
    for (String address : addresses) {
      assertThat(metrics(".gpu.%s.powerWatts.csv".formatted(address))).contains(",300.5");
    }
    assertThat(metrics(".replica.rowsPerBatch.csv")).isNotEmpty();
  }

  private static String address(String replica) {
    return replica.replaceFirst(".*/cpu#", "");
  }

  private static void everyReplicaKeptToTheGpuOfItsExecutor(String output) throws IOException {
    for (Row row : table(output, "completions").select("replica").distinct().collectAsList()) {
      String replica = row.getString(0);
      assertThat(cluster.addressesOf(replica)).as(replica).containsExactly(address(replica));
    }
  }

  /** Else equal rows would say nothing of how draws are seeded. */
  @Test
  void rowsOfTheTwoTemperaturesDiffer() {
    Dataset<Row> texts = table("undisturbed", "completions").select("config_id", "task_id", "text");

    assertThat(texts.select("config_id").distinct().count()).isEqualTo(2);
    assertThat(texts.select("task_id", "text").distinct().count()).isGreaterThan(TASKS);
  }

  private static String metrics(String ending) throws IOException {
    StringBuilder text = new StringBuilder();
    try (Stream<Path> files = Files.list(folder.resolve("metrics"))) {
      for (Path file : (Iterable<Path>) files::iterator) {
        if (file.toString().endsWith(ending)) {
          text.append(Files.readString(file));
        }
      }
    }
    return text.toString();
  }

  @Test
  void aKilledExecutorAndThenAKilledWorkerCostNoRow() throws IOException, InterruptedException {
    Process driver = submitAndWaitForTheFirstRows("killed");

    // The last worker's; then the first worker goes, with the executor that is left.
    cluster.executors().get(1).destroyForcibly();
    int before = parts("killed").size();
    Eventually.holds("another row is there", () -> parts("killed").size() > before);
    assertThat(parts("killed")).hasSizeLessThan(ROWS);
    cluster.killAWorker();

    finish(driver);
    assertThat(errors("killed")).contains("Command exited with code 137", "worker lost");
    List<JsonNode> ends = taskEnds("killed");
    assertThat(ends)
        .filteredOn(end -> end.at("/Task End Reason/Reason").asText().equals("ExecutorLostFailure"))
        .extracting(end -> end.at("/Task Info/Executor ID").asText())
        .as("executors that were decoding")
        .contains("0", "1");
    assertThat(ends).anyMatch(end -> succeeded(end) && end.at("/Task Info/Attempt").asInt() > 0);
    sameAsUndisturbed("killed");
    everyReplicaKeptToTheGpuOfItsExecutor("killed");
  }

  /** Spark gives up a silent executor later than this test: only twins can do its rows. */
  @Test
  void aTwinOfASparkTaskThatHangsWritesItsRowsOnce() throws IOException, InterruptedException {
    Process driver =
        submitAndWaitForTheFirstRows(
            "speculated",
            "--conf",
            "spark.speculation=true",
            "--conf",
            "spark.speculation.interval=100ms",
            "--conf",
            "spark.speculation.quantile=0.25",
            "--conf",
            "spark.speculation.minTaskRuntime=1s",
            "--conf",
            "spark.speculation.task.duration.threshold=3s",
            "--conf",
            "spark.network.timeout=%dmin".formatted(2 * TIMEOUT_MINUTES));
    ProcessHandle frozen = cluster.executors().get(0);
    signal("STOP", frozen.pid());
    try {
      finish(driver);
    } finally {
      frozen.destroyForcibly();
    }
    assertThat(taskEnds("speculated"))
        .anyMatch(end -> succeeded(end) && end.at("/Task Info/Speculative").asBoolean());
    sameAsUndisturbed("speculated");
    everyReplicaKeptToTheGpuOfItsExecutor("speculated");
  }

  @Test
  void aKilledDriverIsRepeatedAndDoesTheRestAndWhatTheCrashTore()
      throws IOException, InterruptedException {
    Process driver = submitAndWaitForTheFirstRows("driver-killed");
    // Still writing when the second one looks: a stopped process is alive and holds its lease.
    signal("STOP", driver.pid());
    try {
      aSecondDriverIsRefused(driver.pid());
    } finally {
      driver.destroyForcibly().waitFor();
    }
    List<Path> kept = parts("driver-killed");
    assertThat(kept).hasSizeBetween(2, ROWS - 1);
    try (FileChannel torn = FileChannel.open(kept.get(0), StandardOpenOption.WRITE)) {
      torn.truncate(torn.size() / 2);
    }

    finish(submit(folder.resolve("driver-killed")));

    assertThat(errors("driver-killed"))
        .contains(kept.get(0).getFileName() + " has no end: a machine stopped while writing it")
        .containsPattern("rows=%d done=[1-9]".formatted(TASKS));
    sameAsUndisturbed("driver-killed");
    everyReplicaKeptToTheGpuOfItsExecutor("driver-killed");
  }

  private void aSecondDriverIsRefused(long holder) throws IOException, InterruptedException {
    Path errors = folder.resolve("second.err");
    ProcessBuilder second =
        new ProcessBuilder(
                Path.of("lockstep").toAbsolutePath().toString(),
                "generate",
                "tasks=0-1",
                "output.dir=" + folder.resolve("driver-killed"))
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(errors.toFile());
    second.environment().remove("SPARK_HOME");
    assertThat(end(second.start())).isEqualTo(2);
    assertThat(Files.readString(errors))
        .contains(
            "lockstep: Cannot write to output.dir=%s: another driver is writing there (host "
                .formatted(folder.resolve("driver-killed")),
            ", process %d). Wait for it, or choose another output.dir;".formatted(holder));
  }

  private static void signal(String name, long process) throws IOException, InterruptedException {
    assertThat(succeeds("kill", "-" + name, String.valueOf(process))).isTrue();
  }

  /** A file system of its own that is too small; only root can mount one. */
  @Test
  void aFullDiskIsToldAndTheRestIsDoneWhenThereIsRoom() throws IOException, InterruptedException {
    Path disk = Files.createDirectory(folder.resolve("disk"));
    assumeTrue(
        succeeds("mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", disk.toString()),
        "mounting needs root");
    try {
      Path output = disk.resolve("full");
      List<String> local = List.of("--master", "local[2,2]", "hardware=local");

      assertThat(end(launch(output, local))).isEqualTo(3);

      assertThat(errors("full"))
          .contains("lockstep: Cannot write: no space left on device. Free some space where");
      long kept = table(output, "completions").count();
      assertThat(kept).isBetween(1L, ROWS - 1L);

      assertThat(succeeds("mount", "-o", "remount,size=64m", disk.toString())).isTrue();
      finish(launch(output, local));

      sameAsUndisturbed(output);
    } finally {
      assertThat(succeeds("umount", disk.toString())).isTrue();
    }
  }

  private static boolean succeeds(String... command) throws IOException, InterruptedException {
    return new ProcessBuilder(command).start().waitFor() == 0;
  }
}
