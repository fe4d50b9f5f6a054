package ai.lockstep.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import ai.lockstep.failure.LockstepException;
import ai.lockstep.jobs.cli.JobContext;
import ai.lockstep.jobs.decoding.DecodeInput;
import ai.lockstep.jobs.run.PlannedRun;
import ai.lockstep.jobs.tables.ScoresTable;
import ai.lockstep.jobs.tables.Table;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** How decoding and judging of a sweep run side by side; nothing here waits for a time. */
@ExtendWith(LocalSpark.class)
class ScoringBehindTest {

  private static final long LOOK_NANOS = 20_000_000;

  @TempDir Path folder;
  private Path out;
  private SparkSession spark;

  @BeforeEach
  void takeSession(SparkSession session) {
    spark = session;
    out = folder.resolve("out");
  }

  /** What a test does in decoding's place, with the evaluation and with whom to tell. */
  @FunctionalInterface
  private interface Decoding {
    void run(DecodingRun<DecodeInput.Tasks> evaluation, Consumer<PlannedRun> whole);
  }

  private JobRun sweep(Decoding decoding) {
    return JobRun.of(
        EvaluateJob.DESCRIPTION,
        context -> ScoringBehind.during(open(context), whole -> decoding.run(open(context), whole)),
        List.of(
            "output.dir=" + out,
            "decode.r_length=4",
            "decode.a_length=6",
            "tasks=0",
            "-m",
            "decode.tau_a=0.5,0.9"));
  }

  private DecodingRun<DecodeInput.Tasks> open(JobContext context) {
    return DecodingRun.open(context, PlannedRun.of(context.compositions()), DecodeInput::benchmark);
  }

  private List<String> judged() {
    return ScoresTable.TABLE.read(spark, out.toString()).collectAsList().stream()
        .map(row -> row.<String>getAs(Table.PARTITION))
        .toList();
  }

  @Test
  void judgesAConfigurationWhileTheNextIsBeingDecoded() {
    List<PlannedRun> order = new ArrayList<>();
    List<String> judgedMeanwhile = new ArrayList<>();

    JobRun result =
        sweep(
            (evaluation, whole) -> {
              evaluation.decode(evaluation.plan(), order::add);
              whole.accept(order.get(0));
              while (judged().isEmpty()) {
                LockSupport.parkNanos(LOOK_NANOS);
              }
              judgedMeanwhile.addAll(judged());
              whole.accept(order.get(1));
            });

    assertThat(result.errors()).isEmpty();
    assertThat(judgedMeanwhile).containsExactly(order.get(0).config().configId());
    assertThat(judged())
        .containsExactlyInAnyOrderElementsOf(
            order.stream().map(run -> run.config().configId()).toList());
  }

  @Test
  void whenJudgingFailsDecodingIsCancelled() throws IOException {
    JobRun result =
        sweep(
            (evaluation, whole) -> {
              evaluation.decode(evaluation.plan(), run -> {});
              makeAFile(out.resolve("scores"));
              whole.accept(evaluation.first());
              // Only a cancelled job ends.
              JavaSparkContext.fromSparkContext(spark.sparkContext())
                  .parallelize(List.of(0), 1)
                  .foreach(zero -> new CountDownLatch(1).await());
            });

    assertThat(result.exitCode()).isEqualTo(70);
    assertThat(result.errors()).contains("scores").doesNotContain("cancelled");
  }

  private static void makeAFile(Path file) {
    try {
      Files.writeString(file, "in the table's place");
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void whenDecodingFailsItsReasonIsToldAndNoMoreIsJudged() {
    JobRun result =
        sweep(
            (evaluation, whole) -> {
              evaluation.decode(evaluation.plan(), run -> {});
              throw LockstepException.environment("Cannot go on: the GPU is gone.");
            });

    assertThat(result.exitCode()).isEqualTo(3);
    assertThat(result.errors()).isEqualTo("lockstep: Cannot go on: the GPU is gone.\n");
    assertThat(judged()).isEmpty();
  }
}
