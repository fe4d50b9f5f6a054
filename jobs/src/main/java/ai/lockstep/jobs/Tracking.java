package ai.lockstep.jobs;

import ai.lockstep.jobs.cli.JobContext;
import ai.lockstep.jobs.mlflow.MlflowTracker;
import ai.lockstep.jobs.run.PlannedRun;
import ai.lockstep.jobs.run.RunFolder;
import ai.lockstep.jobs.tracking.RunResults;
import ai.lockstep.jobs.tracking.TrackedRun;
import ai.lockstep.jobs.tracking.TrackedStep;
import ai.lockstep.jobs.tracking.Tracker;
import ai.lockstep.jobs.wandb.WandbTracker;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A job's trackers: started when it has its folder, told of the tables at its end. A tracker that
 * fails is one line of warning and is told no more; the job goes on.
 */
final class Tracking {

  private static final Logger LOG = LoggerFactory.getLogger(Tracking.class);

  private final TrackedRun run;
  private final List<Tracker> trackers;

  private Tracking(TrackedRun run, Stream<Tracker> trackers) {
    this.run = run;
    this.trackers = new ArrayList<>(trackers.toList());
  }

  /** What a tracker is asked to do. */
  @FunctionalInterface
  private interface Step {
    void ask(Tracker tracker) throws Exception;
  }

  /**
   * Starts the trackers that {@code wandb} and {@code tracking} of the first configuration ask for.
   * A job that ends before {@link #finish} is shown as failed.
   */
  static Tracking start(JobContext context, List<PlannedRun> runs, RunFolder folder) {
    return start(context, runs, folder, System.getenv());
  }

  static Tracking start(
      JobContext context,
      List<PlannedRun> runs,
      RunFolder folder,
      Map<String, String> environment) {
    TrackedRun run =
        new TrackedRun(
            context.job(),
            context.overrides(),
            folder.runId(),
            folder.location(),
            runs,
            Instant.now());
    Tracking tracking =
        new Tracking(
            run,
            Stream.of(WandbTracker.of(run, environment), MlflowTracker.of(run, environment))
                .flatMap(tracker -> tracker.stream()));
    tracking.ask(Tracker::begin);
    context.atEnd(tracking::close);
    return tracking;
  }

  /**
   * Tells the trackers what came of the job, whose tables are written.
   *
   * @param metrics rows of {@code metrics}, one a configuration, in the order of the runs
   */
  void finish(SparkSession spark, List<Row> metrics) {
    finish(spark, metrics, Map.of());
  }

  /** The same for a job that needs its metrics for nothing else. */
  void finish(SparkSession spark, Supplier<List<Row>> metrics) {
    if (!trackers.isEmpty()) {
      finish(spark, metrics.get());
    }
  }

  /** Tells the trackers what the job measured on its way. */
  void step(TrackedStep step) {
    ask(tracker -> tracker.step(step));
  }

  /**
   * Tells the trackers what came of the job, whose tables are written.
   *
   * @param measures what the job measured beyond {@code metrics}, by name
   */
  void finish(SparkSession spark, List<Row> metrics, Map<String, Double> measures) {
    finish(new RunResults(spark, run, metrics, measures, List.of()));
  }

  /**
   * Tells the trackers what came of a training, whose row of {@code runs} is written.
   *
   * @param measures of all of it, by name
   * @param kept files of its folder that trackers keep
   */
  void finishTraining(SparkSession spark, Map<String, Double> measures, List<String> kept) {
    finish(new RunResults(spark, run, List.of(), measures, kept));
  }

  private void finish(RunResults results) {
    ask(tracker -> System.out.println(tracker.service() + ": " + tracker.finish(results)));
    close();
  }

  private void ask(Step step) {
    for (Tracker tracker : List.copyOf(trackers)) {
      try {
        step.ask(tracker);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        drop(tracker, e);
      } catch (Exception | LinkageError e) {
        drop(tracker, e);
      }
    }
  }

  private void drop(Tracker tracker, Throwable failure) {
    LOG.warn(
        "Cannot track the run in {}: {}; {}. The job goes on without.",
        tracker.service(),
        reason(failure),
        tracker.loss());
    LOG.debug("tracking failed", failure);
    trackers.remove(tracker);
    close(tracker);
  }

  private static String reason(Throwable failure) {
    return failure.getMessage() == null ? failure.toString() : failure.getMessage();
  }

  private void close() {
    trackers.forEach(Tracking::close);
    trackers.clear();
  }

  private static void close(Tracker tracker) {
    try {
      tracker.close();
    } catch (Exception e) {
      LOG.debug("{} did not close", tracker.service(), e);
    }
  }
}
