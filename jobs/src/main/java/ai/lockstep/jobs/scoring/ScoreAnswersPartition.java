package ai.lockstep.jobs.scoring;

import ai.lockstep.datasets.Task;
import ai.lockstep.failure.LockstepException;
import ai.lockstep.harness.RunVerdict;
import ai.lockstep.harness.Verdict;
import ai.lockstep.harness.extract.Sanitizer;
import ai.lockstep.jobs.config.HarnessConfig;
import ai.lockstep.udf.spark.RowWithMore;
import ai.lockstep.udf.spark.RowsAhead;
import java.io.Serializable;
import java.util.Iterator;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.StructType;

/**
 * Judges the answers of one partition. Runs on executors; serialised with a handle on the tasks.
 */
final class ScoreAnswersPartition implements MapPartitionsFunction<Row, Row> {

  private static final long serialVersionUID = 1;

  /** {@link EvalPlusScorer}'s parameters on their way. Serialised: yes. */
  record Settings(
      ExecutorSettings executor,
      String dataset,
      String datasetMd5,
      String inputCol,
      String taskCol,
      String opening)
      implements Serializable {}

  private final Settings settings;
  private final Broadcast<Map<String, Task>> tasks;
  private final StructType schema;

  /**
   * @param schema of the rows that are returned: with the verdict, and with details or without
   */
  ScoreAnswersPartition(Settings settings, Broadcast<Map<String, Task>> tasks, StructType schema) {
    this.settings = settings;
    this.tasks = tasks;
    this.schema = schema;
  }

  private record Judged(String program, Verdict verdict) {}

  private record InFlight(Row row, CompletableFuture<Optional<Judged>> result) {}

  @Override
  public Iterator<Row> call(Iterator<Row> rows) {
    if (!rows.hasNext()) {
      // An empty partition needs no sandbox.
      return rows;
    }
    HarnessConfig config = settings.executor.harness();
    ExecutorHarness executor = ExecutorHarness.get(config, settings.executor.cores());
    Optional<Sanitizer> sanitizer =
        config.sanitize() ? Optional.of(executor.harness().sanitizer()) : Optional.empty();
    ProgramText programs = new ProgramText(sanitizer);
    return new RowsAhead<>(
        rows, executor.parallel(), row -> submit(row, programs, executor), this::finish);
  }

  private InFlight submit(Row row, ProgramText programs, ExecutorHarness executor) {
    String answer = row.getAs(settings.inputCol);
    String taskId = row.getAs(settings.taskCol);
    if (answer == null || taskId == null) {
      return new InFlight(row, CompletableFuture.completedFuture(Optional.empty()));
    }
    Task task = tasks.value().get(taskId);
    if (task == null) {
      throw LockstepException.user(
          "Cannot judge %s=%s: %s has no such task."
              .formatted(settings.taskCol, taskId, settings.dataset));
    }
    return new InFlight(
        row,
        CompletableFuture.supplyAsync(
            () -> {
              String program =
                  programs.of(task, Candidates.Form.ANSWER, settings.opening, answer).text();
              return Optional.of(
                  new Judged(
                      program, executor.harness().judge(task, settings.datasetMd5, program)));
            },
            executor.workers()));
  }

  private Row finish(InFlight row) {
    Optional<Judged> judged;
    try {
      judged = row.result.join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof LockstepException told) {
        throw told;
      }
      throw e;
    }
    return RowWithMore.of(
        schema,
        row.row,
        judged.map(found -> found.verdict.passed() && !found.verdict.tampered()).orElse(null),
        judged.map(ScoreAnswersPartition::details).orElse(null));
  }

  private static Row details(Judged judged) {
    Verdict verdict = judged.verdict;
    RunVerdict decisive =
        verdict.base().passed() ? verdict.plus().orElse(verdict.base()) : verdict.base();
    return RowWithMore.struct(
        EvalPlusScorer.DETAILS,
        judged.program,
        verdict.base().status().evalPlusName(),
        verdict.plus().map(run -> run.status().evalPlusName()).orElse(null),
        decisive.outcome().columnName(),
        decisive.passed() ? null : decisive.message(),
        verdict.tampered());
  }
}
