package ai.lockstep.jobs.decoding;

import static org.assertj.core.api.Assertions.assertThat;

import ai.lockstep.jobs.LocalSpark;
import ai.lockstep.jobs.tables.CompletionsTable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.spark.launcher.JavaModuleOptions;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Rows that end the executor's process, on executors that are processes. */
@EnabledIfSystemProperty(
    named = "lockstep.cluster",
    matches = "true",
    disabledReason = "restarts executors for a minute; run it with -Dlockstep.cluster=true")
@ExtendWith(LocalSpark.class)
class PoisonedRowsTest {

  /** Far above what a busy machine needs to start a handful of executors. */
  private static final long TIMEOUT_MINUTES = 5;

  @TempDir Path folder;

  @Test
  void failAloneAfterSomeTriesAndTheOthersAreWritten(SparkSession spark)
      throws IOException, InterruptedException {
    Path output = folder.resolve("out");

    decode(output);

    Dataset<Row> completions = CompletionsTable.TABLE.read(spark, output.toString());
    assertThat(
            completions
                .where("status <> 'ok'")
                .orderBy("task_id")
                .selectExpr("concat_ws(': ', task_id, error)")
                .collectAsList())
        .extracting(row -> row.getString(0))
        .containsExactly(
            "crash: The process that decoded this row alone died, or ran out of memory",
            "hunger: The process that decoded this row alone died, or ran out of memory");
    assertThat(completions.where("status = 'ok'").select("task_id").distinct().collectAsList())
        .hasSize(PoisonedRun.GOOD_ROWS);
    assertThat(completions.count()).isEqualTo(PoisonedRun.prompts().size());
    assertThat(output.resolve(".crashes")).doesNotExist();
  }

  private void decode(Path output) throws IOException, InterruptedException {
    Path home = folder.resolve("spark-home");
    Files.createDirectories(home.resolve("jars"));
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of(JavaModuleOptions.defaultModuleOptionArray()));
    command.addAll(List.of("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
    command.addAll(List.of("-cp", classPath(), PoisonedRun.class.getName(), output.toString()));
    Path log = folder.resolve("driver.log");
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .redirectOutput(log.toFile());
    builder.environment().put("SPARK_HOME", home.toString());
    builder.environment().put("SPARK_SCALA_VERSION", "2.13");
    Process driver = builder.start();
    try {
      assertThat(driver.waitFor(TIMEOUT_MINUTES, TimeUnit.MINUTES)).as("ended").isTrue();
      assertThat(driver.exitValue()).as(Files.readString(log)).isZero();
    } finally {
      driver.destroyForcibly();
    }
  }

  /** Surefire may hide it behind a jar that names it. */
  private static String classPath() {
    return System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
  }
}
