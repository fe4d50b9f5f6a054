package ai.lockstep.jobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.lockstep.datasets.Benchmarks;
import ai.lockstep.datasets.Suite;
import ai.lockstep.datasets.Task;
import ai.lockstep.failure.LockstepException;
import ai.lockstep.jobs.scoring.EvalPlusScorer;
import ai.lockstep.udf.spark.LockstepGenerator;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.ml.Pipeline;
import org.apache.spark.ml.PipelineModel;
import org.apache.spark.ml.PipelineStage;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** The bundled model and the real sandbox, as a user's own application calls them. */
@ExtendWith(LocalSpark.class)
class TransformersTest {

  private static final List<Task> TASKS = Benchmarks.open(Suite.STARTER).tasks();

  @TempDir Path folder;
  private SparkSession spark;

  @BeforeEach
  void takeSession(SparkSession session) {
    spark = session;
  }

  private static LockstepGenerator generator() {
    return new LockstepGenerator()
        .setInputCol("prompt")
        .setOutputCol("answer")
        .setRLength(4)
        .setALength(24)
        .setTauA(0.95)
        .setDevice("cpu");
  }

  private static EvalPlusScorer scorer() {
    return new EvalPlusScorer().setInputCol("answer").setOutputCol("passed");
  }

  private Dataset<Row> rows(String column, Row... rows) {
    return spark.createDataFrame(
        List.of(rows),
        new StructType().add("task_id", DataTypes.StringType).add(column, DataTypes.StringType));
  }

  private Dataset<Row> prompts() {
    List<Row> prompts = new ArrayList<>();
    for (Task task : TASKS.subList(0, 3)) {
      prompts.add(RowFactory.create(task.taskId(), task.prompt()));
    }
    return rows("prompt", prompts.toArray(Row[]::new));
  }

  @Nested
  class TheGenerator {

    @Test
    void answersLikeTheGenerateJob() throws IOException {
      JobRun job =
          JobRun.of(
              GenerateJob.DESCRIPTION,
              GenerateJob::run,
              List.of(
                  "tasks=0-2",
                  "decode.r_length=4",
                  "decode.a_length=24",
                  "decode.tau_a=0.95",
                  "model.device=cpu",
                  "output.dir=" + folder.resolve("out")));
      assertThat(job.exitCode()).isZero();

      List<Row> answers =
          generator()
              .setDetailsCol("details")
              .transform(prompts())
              .selectExpr("task_id", "answer", "details.text", "details.nfe")
              .collectAsList();

      assertThat(answers)
          .containsExactlyInAnyOrderElementsOf(
              spark
                  .read()
                  .parquet(folder.resolve("out/completions").toString())
                  .select("task_id", "text_a", "text", "nfe")
                  .collectAsList());
    }

    @Test
    void aNullPromptFailsAlone() {
      List<Row> answers =
          generator()
              .setDetailsCol("details")
              .transform(
                  rows("prompt", RowFactory.create("a", null), RowFactory.create("b", "def f(x):")))
              .selectExpr("task_id", "answer IS NULL", "details.error")
              .collectAsList();

      assertThat(answers)
          .containsExactlyInAnyOrder(
              RowFactory.create("a", true, "the prompt is null"),
              RowFactory.create("b", false, null));
    }

    @Test
    void aWrongSettingIsToldBeforeAnythingRuns() {
      assertThatThrownBy(() -> generator().setTauR(1.4).transform(prompts()))
          .isInstanceOf(LockstepException.class)
          .hasMessage(
              "Cannot decode with decode.tau_r=1.4: the acceptance threshold must lie in (0, 1]. Try decode.tau_r=0.85.");
    }

    @Test
    void savesAndLoads() throws IOException {
      String path = folder.resolve("generator").toString();
      LockstepGenerator saved = generator().setSeed(7).setTopP(0.9);

      saved.save(path);

      LockstepGenerator loaded = LockstepGenerator.load(path);
      assertThat(loaded.uid()).isEqualTo(saved.uid());
      assertThat(loaded.explainParams()).isEqualTo(saved.explainParams());
    }
  }

  @Nested
  class TheScorer {

    @Test
    void judgesAnswersInProseAndFences() {
      Task task = TASKS.get(0);
      String fenced = "Here it is:\n```python\n" + task.referenceProgram() + "\n```\n";
      String wrong = "def %s(*arguments):\n    return 'no'\n".formatted(task.entryPoint());

      List<Row> verdicts =
          scorer()
              .setDetailsCol("details")
              .transform(
                  rows(
                      "answer",
                      RowFactory.create(task.taskId(), fenced),
                      RowFactory.create(task.taskId(), wrong),
                      RowFactory.create(task.taskId(), null)))
              .selectExpr("passed", "details.base_status", "details.outcome")
              .collectAsList();

      assertThat(verdicts)
          .containsExactlyInAnyOrder(
              RowFactory.create(true, "pass", "passed"),
              RowFactory.create(false, "fail", "wrong_answer"),
              RowFactory.create(null, null, null));
    }

    @Test
    void anUnknownTaskIsNamed() {
      Dataset<Row> verdicts =
          scorer().transform(rows("answer", RowFactory.create("HumanEval/0", "def f(): pass")));

      assertThatThrownBy(verdicts::collectAsList)
          .rootCause()
          .hasMessage("Cannot judge task_id=HumanEval/0: starter has no such task.");
    }

    @Test
    void savesAndLoads() throws IOException {
      String path = folder.resolve("scorer").toString();
      EvalPlusScorer saved = scorer().setSanitize(false).setOpening("```python\n");

      saved.save(path);

      EvalPlusScorer loaded = EvalPlusScorer.load(path);
      assertThat(loaded.uid()).isEqualTo(saved.uid());
      assertThat(loaded.explainParams()).isEqualTo(saved.explainParams());
    }
  }

  @Test
  void aSavedPipelineDecodesAndJudges() throws IOException {
    String path = folder.resolve("pipeline").toString();
    Pipeline pipeline = new Pipeline().setStages(new PipelineStage[] {generator(), scorer()});
    PipelineModel model = pipeline.fit(prompts());
    model.save(path);

    List<Row> fromLoaded =
        PipelineModel.load(path)
            .transform(prompts())
            .select("task_id", "answer", "passed")
            .collectAsList();

    assertThat(fromLoaded).hasSize(3).allSatisfy(row -> assertThat(row.anyNull()).isFalse());
    assertThat(fromLoaded)
        .containsExactlyInAnyOrderElementsOf(
            model.transform(prompts()).select("task_id", "answer", "passed").collectAsList());
  }
}
