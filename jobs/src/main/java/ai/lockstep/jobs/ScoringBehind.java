package ai.lockstep.jobs;

import ai.lockstep.jobs.decoding.DecodeInput;
import ai.lockstep.jobs.decoding.DecodePlan;
import ai.lockstep.jobs.run.PlannedRun;
import ai.lockstep.jobs.scoring.JudgedTasks;
import ai.lockstep.jobs.scoring.ScoreStage;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.apache.spark.SparkContext;

/**
 * Judges the configurations of a run one after the other, each as soon as it is decoded, while the
 * next ones are still being decoded. Driver only.
 *
 * <p>Decoding and judging are Spark jobs of two groups and, where the session schedules fairly, of
 * two pools. When either fails, what runs of the other is cancelled: rows that are written stay.
 */
final class ScoringBehind {

  private static final String POOL = "spark.scheduler.pool";
  private static final String DECODING = "lockstep decoding";
  private static final String SCORING = "lockstep scoring";

  private final DecodingRun<DecodeInput.Tasks> evaluation;
  private final SparkContext context;
  private final ExecutorService scoring =
      Executors.newSingleThreadExecutor(
          task -> {
            Thread thread = new Thread(task, "lockstep-scoring");
            thread.setDaemon(true);
            return thread;
          });
  private final Set<PlannedRun> judged = new HashSet<>();
  private final AtomicReference<Throwable> failure = new AtomicReference<>();

  private ScoringBehind(DecodingRun<DecodeInput.Tasks> evaluation) {
    this.evaluation = evaluation;
    this.context = evaluation.spark().sparkContext();
  }

  /**
   * Decodes a plan and judges what has no verdict.
   *
   * @return the configurations for which something was done
   */
  static Set<PlannedRun> decode(DecodingRun<DecodeInput.Tasks> evaluation, DecodePlan plan) {
    Set<PlannedRun> worked =
        new HashSet<>(during(evaluation, whole -> evaluation.decode(plan, whole)));
    worked.addAll(plan.unfinished());
    return worked;
  }

  /**
   * Decodes and judges.
   *
   * @param decode decodes everything, and tells of each configuration when it is complete
   * @return the configurations of which a program was judged
   */
  static Set<PlannedRun> during(
      DecodingRun<DecodeInput.Tasks> evaluation, Consumer<Consumer<PlannedRun>> decode) {
    return new ScoringBehind(evaluation).run(decode);
  }

  private Set<PlannedRun> run(Consumer<Consumer<PlannedRun>> decode) {
    enter(DECODING);
    try {
      decode.accept(run -> scoring.execute(() -> score(run)));
    } catch (Exception e) {
      failure.compareAndSet(null, e);
      context.cancelJobGroup(SCORING);
    } finally {
      context.clearJobGroup();
      context.setLocalProperty(POOL, null);
    }
    awaitScores();
    if (failure.get() != null) {
      throw new CompletionException(failure.get());
    }
    return Set.copyOf(judged);
  }

  private void score(PlannedRun run) {
    if (failure.get() != null) {
      return;
    }
    enter(SCORING);
    try {
      long programs =
          ScoreStage.runOnCompletions(
              evaluation.spark(),
              run,
              JudgedTasks.of(evaluation.folder().runId(), evaluation.input()),
              evaluation.location());
      if (programs > 0) {
        judged.add(run);
      }
    } catch (Exception | LinkageError | OutOfMemoryError e) {
      failure.compareAndSet(null, e);
      context.cancelJobGroup(DECODING);
    }
  }

  private void enter(String group) {
    context.setJobGroup(group, group, true);
    context.setLocalProperty(POOL, group);
  }

  /** Afterwards this thread sees what the scoring thread wrote. */
  private void awaitScores() {
    scoring.shutdown();
    try {
      scoring.awaitTermination(Long.MAX_VALUE, TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      context.cancelJobGroup(SCORING);
      Thread.currentThread().interrupt();
      throw new IllegalStateException("Interrupted while judging", e);
    }
  }
}
