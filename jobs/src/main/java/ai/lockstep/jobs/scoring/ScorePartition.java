package ai.lockstep.jobs.scoring;

import ai.lockstep.datasets.Task;
import ai.lockstep.failure.LockstepException;
import ai.lockstep.harness.Harness;
import ai.lockstep.harness.RunVerdict;
import ai.lockstep.harness.Verdict;
import ai.lockstep.jobs.tables.ScoresTable;
import ai.lockstep.jobs.tables.Table;
import ai.lockstep.udf.spark.RowsAhead;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.Row;
import org.apache.spark.util.LongAccumulator;

/**
 * Judges the programs of one partition on this executor's harness, equal programs of a task once.
 * Runs on executors; serialised with a handle on the tasks.
 */
final class ScorePartition implements MapPartitionsFunction<Row, Row> {

  private static final long serialVersionUID = 1;

  private final ExecutorSettings settings;
  private final String runId;
  private final String dataset;
  private final String datasetMd5;
  private final Broadcast<Map<String, Task>> tasks;
  private final LongAccumulator judged;

  /**
   * @param judged counts finished rows, for display
   */
  ScorePartition(
      ExecutorSettings settings,
      JudgedTasks target,
      Broadcast<Map<String, Task>> tasks,
      LongAccumulator judged) {
    this.settings = settings;
    this.runId = target.runId();
    this.dataset = target.dataset();
    this.datasetMd5 = target.md5();
    this.tasks = tasks;
    this.judged = judged;
  }

  private record Judged(Verdict verdict, double seconds) {}

  private record InFlight(Row program, CompletableFuture<Judged> result, boolean reused) {}

  private record Program(String taskId, String sha256) {}

  @Override
  public Iterator<Row> call(Iterator<Row> programs) {
    ExecutorHarness executor = ExecutorHarness.get(settings.harness(), settings.cores());
    Map<Program, CompletableFuture<Judged>> verdicts = new HashMap<>();
    return new RowsAhead<>(
        programs,
        executor.parallel(),
        program -> submit(program, executor, verdicts),
        row -> {
          Row finished = finish(row, executor.harness());
          judged.add(1);
          return finished;
        });
  }

  private InFlight submit(
      Row row, ExecutorHarness executor, Map<Program, CompletableFuture<Judged>> verdicts) {
    Program program = new Program(row.getAs("task_id"), row.getAs("program_sha256"));
    CompletableFuture<Judged> known = verdicts.get(program);
    if (known != null) {
      return new InFlight(row, known, true);
    }
    Task task = tasks.value().get(program.taskId);
    String text = ExactText.of(row.getAs("program"));
    CompletableFuture<Judged> verdict =
        CompletableFuture.supplyAsync(
            () -> judge(executor.harness(), task, text), executor.workers());
    verdicts.put(program, verdict);
    return new InFlight(row, verdict, false);
  }

  private Judged judge(Harness harness, Task task, String program) {
    long started = System.nanoTime();
    Verdict verdict = harness.judge(task, datasetMd5, program);
    return new Judged(verdict, (System.nanoTime() - started) / 1e9);
  }

  private Row finish(InFlight row, Harness harness) {
    Judged judgement = await(row.result);
    Verdict verdict = judgement.verdict;
    Optional<RunVerdict> plus = verdict.plus();
    RunVerdict decisive = verdict.base().passed() ? plus.orElse(verdict.base()) : verdict.base();
    return ScoresTable.TABLE
        .row()
        .set("run_id", runId)
        .set("dataset", dataset)
        .set("task_id", verdict.taskId())
        .set("sample_index", row.program.getAs("sample_index"))
        .set("input_index", row.program.getAs("input_index"))
        .set("id", row.program.getAs("id"))
        .set("text", ExactText.of(row.program.getAs("text")))
        .set("program", ExactText.of(row.program.getAs("program")))
        .set("program_sha256", row.program.getAs("program_sha256"))
        .set("extraction", row.program.getAs("extraction"))
        .set("base_status", verdict.base().status().evalPlusName())
        .set("plus_status", plus.map(run -> run.status().evalPlusName()).orElse(null))
        .set("passed_base", verdict.base().passed())
        .set("passed_plus", verdict.passed() && plus.isPresent())
        .set("outcome", decisive.outcome().columnName())
        .set("message", decisive.passed() ? null : decisive.message())
        .set("base_tests", verdict.base().tests())
        .set("base_passed", verdict.base().passedTests())
        .set("plus_tests", plus.map(RunVerdict::tests).orElse(0))
        .set("plus_passed", plus.map(RunVerdict::passedTests).orElse(0))
        .set("base_details", verdict.base().details())
        .set("plus_details", plus.map(RunVerdict::details).orElse(null))
        .set("base_failed_input", verdict.base().firstFailedInput().orElse(null))
        .set("plus_failed_input", plus.flatMap(RunVerdict::firstFailedInput).orElse(null))
        .set("tampered", verdict.tampered())
        .set("tamper_reason", verdict.tampering().orElse(null))
        .set("wall_seconds", row.reused ? 0 : judgement.seconds)
        .set("reused", row.reused)
        .set("reward", verdict.passed() && !verdict.tampered() ? 1.0 : 0.0)
        .set("isolation", harness.isolation().settingName())
        .set("interpreter", harness.interpreter().toString())
        .set("dataset_md5", datasetMd5)
        .set(Table.PARTITION, row.program.getAs(Table.PARTITION))
        .build();
  }

  private static Judged await(CompletableFuture<Judged> verdict) {
    try {
      return verdict.get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof LockstepException told) {
        throw told;
      }
      throw new IllegalStateException("A program could not be judged", e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("Interrupted while judging", e);
    }
  }
}
