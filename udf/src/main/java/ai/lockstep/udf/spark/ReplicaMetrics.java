package ai.lockstep.udf.spark;

import ai.lockstep.udf.replica.ReplicaLoad;
import com.codahale.metrics.Gauge;
import com.codahale.metrics.MetricRegistry;
import java.util.List;
import java.util.function.ToDoubleFunction;
import java.util.function.ToLongFunction;

/** What the replicas of this JVM do, as Spark metrics; sums over its replicas. */
final class ReplicaMetrics {

  private ReplicaMetrics() {}

  static void register(MetricRegistry registry) {
    registry.register("replica.count", gauge(models -> models.size()));
    registry.register("replica.batches", total(ReplicaLoad::batches));
    registry.register("replica.rowsFinished", total(ReplicaLoad::rowsFinished));
    registry.register("replica.rowsFailed", total(ReplicaLoad::rowsFailed));
    registry.register("replica.rowsPerBatch", gauge(ReplicaMetrics::rowsPerBatch));
    registry.register("replica.busyShare", gauge(ReplicaMetrics::busyShare));
  }

  private static Gauge<Long> total(ToLongFunction<ReplicaLoad> count) {
    return () ->
        ExecutorModel.loaded().stream()
            .mapToLong(model -> count.applyAsLong(model.replica().load()))
            .sum();
  }

  private static Gauge<Double> gauge(ToDoubleFunction<List<ExecutorModel>> value) {
    return () -> value.applyAsDouble(ExecutorModel.loaded());
  }

  /** Mean rows of a forward call; 0 before the first. */
  private static double rowsPerBatch(List<ExecutorModel> models) {
    long batches = 0;
    long rows = 0;
    for (ExecutorModel model : models) {
      batches += model.replica().load().batches();
      rows += model.replica().load().rowPasses();
    }
    return batches == 0 ? 0 : (double) rows / batches;
  }

  /** Share of the time since the replicas were ready that was spent inside the model, in 0..1. */
  private static double busyShare(List<ExecutorModel> models) {
    long now = System.nanoTime();
    double busy = 0;
    double total = 0;
    for (ExecutorModel model : models) {
      busy += model.replica().load().busyNanos();
      total += now - model.readyNanos();
    }
    return total == 0 ? 0 : busy / total;
  }
}
