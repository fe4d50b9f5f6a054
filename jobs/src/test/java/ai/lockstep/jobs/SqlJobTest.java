package ai.lockstep.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import ai.lockstep.jobs.tables.MetricsTable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

@ExtendWith(LocalSpark.class)
class SqlJobTest {

  @TempDir Path folder;

  @BeforeEach
  void writeATable(SparkSession spark) throws IOException {
    Files.writeString(folder.resolve("lockstep.json"), "{}");
    MetricsTable.TABLE.append(
        spark.createDataFrame(
            List.of(
                MetricsTable.TABLE
                    .row()
                    .set("run_id", "night")
                    .set("dataset", "starter")
                    .set("tasks", 3)
                    .set("samples", 3L)
                    .set("failed_rows", 0L)
                    .set("pass_at_1_plus", 0.5)
                    .set("tokens_per_pass", 2.0)
                    .set("tampered", 0L)
                    .set("unjudged", 0L)
                    .set("config_id", "c1")
                    .build()),
            MetricsTable.TABLE.schema()),
        folder.toString());
  }

  private JobRun sql(String... words) {
    return JobRun.of(() -> SqlJob.exitCode(words));
  }

  @Test
  void printsTheAnswerOfAQuery() {
    JobRun result = sql("SELECT config_id, tasks FROM metrics", "output.dir=" + folder);

    assertThat(result.errors()).isEmpty();
    assertThat(result.exitCode()).isZero();
    assertThat(result.output())
        .isEqualTo(
            """
            config_id  tasks
            c1             3
            """);
  }

  @Test
  void knowsQueriesByName() {
    JobRun result = sql("frontier", "output.dir=" + folder);

    assertThat(result.output())
        .isEqualTo(
            """
            config_id  tokens_per_pass  pass_at_1_base  pass_at_1_plus  on_frontier
            c1                     2.0            NULL             0.5         true
            """);
  }

  @Test
  void aMistakeInTheQueryIsTheUsers() {
    JobRun result = sql("SELECT tasks FROM metric", "output.dir=" + folder);

    assertThat(result.exitCode()).isEqualTo(2);
    assertThat(result.errors())
        .startsWith("lockstep: Cannot run the query: ")
        .contains("`metric` cannot be found");
  }

  @Test
  void aFolderWithoutARunIsRefused() {
    Path empty = folder.resolve("empty");

    JobRun result = sql("frontier", "output.dir=" + empty);

    assertThat(result.exitCode()).isEqualTo(2);
    assertThat(result.errors())
        .isEqualTo(
            "lockstep: Cannot ask output.dir=%s: no run of lockstep is there. Name a run's folder with output.dir=DIR.\n"
                .formatted(empty));
  }

  @Test
  void aQueryIsNeeded() {
    JobRun result = sql();

    assertThat(result.exitCode()).isEqualTo(2);
    assertThat(result.errors())
        .isEqualTo(
            "lockstep: Cannot run sql without a query: give one as the first word, or a name. Try submit/lockstep sql --help.\n");
  }

  @Test
  void helpListsTheNamedQueries() {
    JobRun result = sql("--help");

    assertThat(result.exitCode()).isZero();
    assertThat(result.output())
        .contains("  worst_tasks        the tasks that the fewest samples solve\n");
  }
}
