package ai.lockstep.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import ai.lockstep.failure.LockstepException;
import ai.lockstep.jobs.decoding.DecodeInput;
import ai.lockstep.jobs.mlflow.MlflowServer;
import ai.lockstep.jobs.run.PlannedRun;
import ai.lockstep.jobs.tables.MetricsTable;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** What a tracking server of MLflow is told, by MLflow's own client. */
@ExtendWith(LocalSpark.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class MlflowTrackingTest {

  private static final Map<String, String> TOKEN = Map.of("MLFLOW_TRACKING_TOKEN", "secret");

  private SparkSession spark;
  private Path out;
  private MlflowServer server;
  private JobRun evaluated;
  private List<MlflowServer.Run> reported;

  /** One sweep that the tests look at, and whose tables they report again. */
  @BeforeAll
  void evaluateOnce(SparkSession session, @TempDir Path folder) throws IOException {
    spark = session;
    out = folder.resolve("run");
    server = MlflowServer.start();
    evaluated =
        JobRun.of(
            EvaluateJob.DESCRIPTION,
            EvaluateJob::run,
            words("tracking.experiment=mine", "viz.enabled=true"));
    reported = server.runs();
  }

  @AfterAll
  void stop() {
    server.close();
  }

  private List<String> words(String... more) {
    List<String> words =
        new ArrayList<>(
            List.of(
                "output.dir=" + out,
                "decode.r_length=6",
                "decode.a_length=10",
                "run.id=test",
                "tasks=0",
                "viz.enabled=false",
                "tracking=mlflow",
                "tracking.uri=" + server.address() + "/"));
    words.addAll(List.of(more));
    words.addAll(List.of("-m", "decode.tau_a=0.5,0.9"));
    return words;
  }

  /** What is done between the start of tracking and the end of a job. */
  @FunctionalInterface
  private interface Work {
    void with(Tracking tracking, List<Row> metrics);
  }

  private JobRun tracked(Work work, String... more) {
    return JobRun.of(
        EvaluateJob.DESCRIPTION,
        context -> {
          List<PlannedRun> runs = PlannedRun.of(context.compositions());
          DecodingRun<DecodeInput.Tasks> run =
              DecodingRun.open(context, runs, out.toString(), DecodeInput::benchmark);
          work.with(Tracking.start(context, runs, run.folder(), TOKEN), run.metrics());
        },
        words(more));
  }

  @Test
  void aSweepIsARunWithOneNestedForEachConfiguration() {
    assertThat(evaluated.errors()).isEmpty();
    assertThat(evaluated.exitCode()).isZero();
    assertThat(reported)
        .extracting(MlflowServer.Run::name)
        .containsExactly("test", "decode.tau_a=0.5", "decode.tau_a=0.9");
    assertThat(reported)
        .allSatisfy(run -> assertThat(run.experiment()).isEqualTo("mine"))
        .allSatisfy(run -> assertThat(run.status()).isEqualTo("FINISHED"));
    MlflowServer.Run command = reported.get(0);
    assertThat(evaluated.output())
        .contains(
            "MLflow: %s/#/experiments/0/runs/%s\n".formatted(server.address(), server.id(command)));
    assertThat(command.tags())
        .containsEntry("mlflow.source.name", "lockstep evaluate")
        .containsEntry("lockstep.run_id", "test")
        .hasEntrySatisfying("mlflow.note.content", note -> assertThat(note).contains("pass@1"));
    assertThat(reported.get(2).tags()).containsEntry("mlflow.parentRunId", server.id(command));
  }

  @Test
  void keysAreParametersAndMeasuresAreMetrics() {
    MlflowServer.Run second = reported.get(2);

    assertThat(second.params())
        .containsEntry("decode.tau_a", "0.9")
        .containsEntry("dataset.name", "starter")
        .containsEntry("wandb.entity", "null")
        .containsEntry("hardware.spark.sql.shuffle.partitions", "8");
    Row metrics =
        MetricsTable.TABLE
            .read(spark, out.toString())
            .where("config_id = '%s'".formatted(second.tags().get("lockstep.config_id")))
            .first();
    for (String metric : List.of("pass_at_1_base", "tokens_per_pass", "fill_rate", "samples")) {
      assertThat(second.metric(metric))
          .extracting(MlflowServer.Point::value)
          .containsExactly(metrics.<Number>getAs(metric).doubleValue());
    }
    assertThat(second.metric("shard/rows"))
        .extracting(MlflowServer.Point::value)
        .containsExactly(1.0);
  }

  @Test
  void theReportIsUploadedThroughAServerThatTakesIt() throws IOException {
    assertThat(reported.get(0).artifacts()).containsOnlyKeys("report.html");
    assertThat(reported.get(0).artifacts().get("report.html"))
        .isEqualTo(Files.readAllBytes(out.resolve("report.html")));

    try (MlflowServer elsewhere = MlflowServer.start()) {
      elsewhere.keepArtifactsAt("s3://bucket");
      JobRun result =
          tracked(
              (tracking, metrics) -> tracking.finish(spark, metrics),
              "tracking.uri=" + elsewhere.address());

      assertThat(result.exitCode()).isZero();
      assertThat(elsewhere.runs())
          .allSatisfy(run -> assertThat(run.artifacts()).isEmpty())
          .allSatisfy(run -> assertThat(run.status()).isEqualTo("FINISHED"))
          .first()
          .satisfies(
              run -> assertThat(run.tags()).containsEntry("lockstep.report", out + "/report.html"));
    }
  }

  @Test
  void aServerThatIsNotThereIsNotTheJobsFailure() throws IOException {
    int nobody;
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      nobody = socket.getLocalPort();
    }

    JobRun result =
        tracked(
            (tracking, metrics) -> tracking.finish(spark, metrics),
            "tracking.uri=http://127.0.0.1:" + nobody);

    assertThat(result).isEqualTo(new JobRun(0, "", ""));
  }

  @Test
  void aServerThatBreaksDownIsNotTheJobsFailure() throws IOException {
    try (MlflowServer failing = MlflowServer.start()) {
      JobRun result =
          tracked(
              (tracking, metrics) -> {
                failing.breakDown("the disk is full");
                tracking.finish(spark, metrics);
              },
              "tracking.uri=" + failing.address());

      assertThat(result).isEqualTo(new JobRun(0, "", ""));
      assertThat(failing.runs())
          .extracting(MlflowServer.Run::status)
          .containsExactly("RUNNING", "RUNNING", "RUNNING");
    }
  }

  @Test
  void aJobThatEndsEarlyHasFailed() throws IOException {
    try (MlflowServer other = MlflowServer.start()) {
      JobRun result =
          tracked(
              (tracking, metrics) -> {
                assertThat(other.runs()).hasSize(3);
                throw LockstepException.environment("Cannot go on: the power is out.");
              },
              "tracking.uri=" + other.address());

      assertThat(result.exitCode()).isEqualTo(3);
      assertThat(other.authorizations()).containsExactly("Bearer secret");
      assertThat(other.runs())
          .extracting(MlflowServer.Run::status)
          .containsExactly("FAILED", "FAILED", "FAILED");
    }
  }

  @Test
  void anAddressThatIsNoneIsTold() {
    JobRun result = tracked((tracking, metrics) -> {}, "tracking.uri=databricks");

    assertThat(result.exitCode()).isEqualTo(2);
    assertThat(result.errors())
        .isEqualTo(
            "lockstep: Cannot run with tracking.uri=databricks: MLflow's client needs the http or https address of a tracking server. Try tracking.uri=http://127.0.0.1:5000 (`mlflow server`).\n");
  }
}
