package ai.lockstep.submit;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
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
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/**
 * The packaged jobs on a cluster of real processes: two executors, each with a replica of its own,
 * and what is left when an executor or the driver is killed in the middle.
 */
@EnabledIfSystemProperty(
    named = "lockstep.cluster",
    matches = "true",
    disabledReason = "takes minutes on two cores; run it with -Dlockstep.cluster=true")
class ClusterTest {

  private static final int ROWS = 12;

  /** Far above what a busy machine needs. */
  private static final long TIMEOUT_MINUTES = 5;

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
    finish(submit("evaluate", "undisturbed"));
    undisturbed = decoded("undisturbed");
  }

  @AfterAll
  static void stop() {
    spark.stop();
    cluster.close();
  }

  /** One row a shard: rows are written as they are decoded. */
  private static Process submit(String job, String output) throws IOException {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of("lockstep").toAbsolutePath().toString(),
                job,
                "--master",
                cluster.master(),
                "--driver-memory",
                "700m",
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
                "hardware=standalone",
                "hardware.batch_rows=1",
                "hardware.shards=" + ROWS,
                "model.device=cpu",
                "tasks=0-" + (ROWS - 1),
                "decode.r_length=8",
                "decode.a_length=48",
                "decode.tau_r=1",
                "decode.tau_a=1",
                "output.dir=" + folder.resolve(output)));
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectOutput(folder.resolve(output + ".out").toFile())
            .redirectError(folder.resolve(output + ".err").toFile());
    builder.environment().remove("SPARK_HOME");
    builder.environment().put("SPARK_LOCAL_IP", "127.0.0.1");
    return builder.start();
  }

  private static void finish(Process driver) throws InterruptedException {
    try {
      assertThat(driver.waitFor(TIMEOUT_MINUTES, TimeUnit.MINUTES)).as("ended").isTrue();
      assertThat(driver.exitValue()).isZero();
    } finally {
      driver.destroyForcibly();
    }
  }

  private static Dataset<Row> table(String output, String table) {
    return spark.read().parquet(folder.resolve(output).resolve(table).toString());
  }

  /** Everything of every row that does not say when and where it was decoded. */
  private static List<String> decoded(String output) {
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

  private static long filesOf(String output) {
    try (Stream<Path> files = Files.walk(folder.resolve(output).resolve("completions"))) {
      return files
          .filter(file -> file.getFileName().toString().endsWith(".parquet"))
          .filter(file -> !file.toString().contains("_temporary"))
          .count();
    } catch (IOException | UncheckedIOException e) {
      return 0;
    }
  }

  private static Process submitAndWaitForTheFirstRows(String output) throws IOException {
    Process driver = submit("generate", output);
    Eventually.holds("two rows are there", () -> filesOf(output) >= 2);
    assertThat(filesOf(output)).isLessThan(ROWS);
    return driver;
  }

  private static void sameAsUndisturbed(String output) {
    List<String> rows = decoded(output);
    assertThat(rows).hasSize(ROWS).doesNotHaveDuplicates();
    assertThat(rows).containsExactlyInAnyOrderElementsOf(undisturbed);
  }

  @Test
  void everyExecutorServesRowsOnItsOwnGpuAddress() throws IOException {
    List<Row> replicas =
        table("undisturbed", "completions").select("device", "replica").distinct().collectAsList();

    assertThat(replicas).hasSize(2).allMatch(row -> row.getString(0).equals("cpu"));
    Set<String> addresses =
        replicas.stream()
            .map(row -> row.getString(1).replaceFirst(".*/cpu#", ""))
            .collect(Collectors.toSet());
    assertThat(addresses).hasSize(2).isSubsetOf("0", "1", "2", "3");
    assertThat(undisturbed).hasSize(ROWS).doesNotHaveDuplicates();
    assertThat(table("undisturbed", "scores").count()).isEqualTo(ROWS);
    assertThat(Files.readString(folder.resolve("undisturbed.err")))
        .contains("scoring without GPUs: resource_profile=");
    for (String address : addresses) {
      assertThat(metrics(".gpu.%s.powerWatts.csv".formatted(address))).contains(",300.5");
    }
    assertThat(metrics(".replica.rowsPerBatch.csv")).isNotEmpty();
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
  void aKilledExecutorCostsNoRow() throws IOException, InterruptedException {
    Process driver = submitAndWaitForTheFirstRows("executor-killed");

    cluster.executors().get(0).destroyForcibly();

    finish(driver);
    sameAsUndisturbed("executor-killed");
  }

  @Test
  void aKilledDriverIsRepeatedAndDoesTheRest() throws IOException, InterruptedException {
    Process driver = submitAndWaitForTheFirstRows("driver-killed");
    driver.destroyForcibly().waitFor();
    long kept = table("driver-killed", "completions").count();
    assertThat(kept).isBetween(2L, ROWS - 1L);

    finish(submit("generate", "driver-killed"));

    assertThat(Files.readString(folder.resolve("driver-killed.err")))
        .contains("rows=%d done=%d missing=%d".formatted(ROWS, kept, ROWS - kept));
    sameAsUndisturbed("driver-killed");
  }

  @Test
  void aSecondDriverIsRefused() throws IOException, InterruptedException {
    Process first = submitAndWaitForTheFirstRows("shared");
    Path errors = folder.resolve("second.err");
    ProcessBuilder second =
        new ProcessBuilder(
                Path.of("lockstep").toAbsolutePath().toString(),
                "generate",
                "tasks=0-1",
                "output.dir=" + folder.resolve("shared"))
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(errors.toFile());
    second.environment().remove("SPARK_HOME");
    try {
      // Still writing when the second one looks: a stopped process is alive and holds its lease.
      signal("STOP", first);

      Process refused = second.start();

      assertThat(refused.waitFor(TIMEOUT_MINUTES, TimeUnit.MINUTES)).isTrue();
      assertThat(refused.exitValue()).isEqualTo(2);
    } finally {
      first.destroyForcibly().waitFor();
    }
    assertThat(Files.readString(errors))
        .contains(
            "lockstep: Cannot write to output.dir=%s: another driver is writing there (host "
                .formatted(folder.resolve("shared")),
            ", process %d). Wait for it, or choose another output.dir;".formatted(first.pid()));
  }

  private static void signal(String name, Process process)
      throws IOException, InterruptedException {
    assertThat(
            new ProcessBuilder("kill", "-" + name, String.valueOf(process.pid())).start().waitFor())
        .isZero();
  }
}
