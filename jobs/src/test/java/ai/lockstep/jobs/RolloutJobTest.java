package ai.lockstep.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import ai.lockstep.jobs.tables.GrpoTable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** The whole job on the bundled model and suite, with short blocks. */
@ExtendWith(LocalSpark.class)
class RolloutJobTest {

  @TempDir Path folder;
  private Path out;
  private SparkSession spark;

  @BeforeEach
  void takeSession(SparkSession session) {
    spark = session;
    out = folder.resolve("out");
  }

  private JobRun rollout(String... more) {
    List<String> words =
        new ArrayList<>(
            List.of(
                "output.dir=" + out,
                "decode.r_length=6",
                "decode.a_length=40",
                "run.id=test",
                "tasks=0-2",
                "rl.samples=3"));
    words.addAll(List.of(more));
    return JobRun.of(RolloutJob.DESCRIPTION, RolloutJob::run, words);
  }

  private List<Row> grpo() {
    return GrpoTable.TABLE
        .read(spark, out.toString())
        .orderBy("input_index", "sample_index")
        .collectAsList();
  }

  private List<String> json() {
    return GrpoTable.TABLE.read(spark, out.toString()).toJSON().collectAsList().stream()
        .sorted()
        .toList();
  }

  @Test
  void samplesJudgesComparesAndWritesForEveryTrainer() throws IOException {
    JobRun result = rollout();

    assertThat(result.errors()).isEmpty();
    assertThat(result.exitCode()).isZero();
    List<Row> rows = grpo();
    assertThat(rows)
        .extracting(row -> row.<String>getAs("task_id") + "#" + row.<Integer>getAs("sample_index"))
        .containsExactly(
            "Starter/0#0",
            "Starter/0#1",
            "Starter/0#2",
            "Starter/1#0",
            "Starter/1#1",
            "Starter/1#2",
            "Starter/2#0",
            "Starter/2#1",
            "Starter/2#2");
    assertThat(rows).allMatch(row -> row.<Boolean>getAs("replayable"));
    for (Row row : rows) {
      int length = row.<String>getList(row.fieldIndex("token_ids")).size();
      for (String perToken :
          List.of(
              "commit_block",
              "commit_sweep",
              "commit_nfe",
              "commit_kind",
              "commit_p",
              "commit_logp",
              "commit_score",
              "loss_mask")) {
        assertThat(row.getList(row.fieldIndex(perToken))).as(perToken).hasSize(length);
      }
      double parts =
          2.0 * row.<Double>getAs("reward_plus") + 0.5 * row.<Double>getAs("reward_format");
      assertThat(row.<Double>getAs("reward")).isEqualTo(parts - row.<Double>getAs("reward_tamper"));
    }
  }
}
