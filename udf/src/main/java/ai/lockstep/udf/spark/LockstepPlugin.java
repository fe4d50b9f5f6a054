package ai.lockstep.udf.spark;

import ai.lockstep.udf.decode.DecodeRequest;
import ai.lockstep.udf.decode.LockstepDecoder;
import ai.lockstep.udf.decode.LockstepSettings;
import ai.lockstep.udf.decode.Markers;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import org.apache.spark.api.plugin.DriverPlugin;
import org.apache.spark.api.plugin.ExecutorPlugin;
import org.apache.spark.api.plugin.PluginContext;
import org.apache.spark.api.plugin.SparkPlugin;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Loads an executor's replica before its first Spark task, reports what it does to Spark's metrics
 * and closes it at the end: {@code spark.plugins=ai.lockstep.udf.spark.LockstepPlugin} with {@code
 * spark.lockstep.modelUrl} (see {@link ReplicaSettings}). Without a model URL it only reports.
 *
 * <p>An executor with several GPUs gets a replica on each, bound to the addresses that Spark gave.
 * A replica that cannot be loaded is logged, and the first Spark task that needs it fails with the
 * reason: an executor that dies at start would be replaced for ever.
 */
public final class LockstepPlugin implements SparkPlugin {

  private static final Logger LOG = LoggerFactory.getLogger(LockstepPlugin.class);

  @Override
  public @Nullable DriverPlugin driverPlugin() {
    return null;
  }

  @Override
  public ExecutorPlugin executorPlugin() {
    return new Warm();
  }

  private static final class Warm implements ExecutorPlugin {

    @Override
    public void init(PluginContext context, Map<String, String> fromDriver) {
      List<String> addresses = ExecutorModel.gpuAddresses(context.resources());
      ReplicaMetrics.register(context.metricRegistry());
      addresses.forEach(
          address ->
              GpuMetrics.register(context.metricRegistry(), NvidiaSmi.of(context.conf()), address));
      try {
        ReplicaSettings.of(context.conf()).ifPresent(settings -> warm(settings, addresses));
      } catch (RuntimeException e) {
        LOG.warn("replica not loaded ahead of the first Spark task", e);
      }
    }

    private static void warm(ReplicaSettings settings, List<String> addresses) {
      List<Optional<String>> places =
          addresses.isEmpty()
              ? List.of(Optional.empty())
              : addresses.stream().map(Optional::of).toList();
      for (Optional<String> place : places) {
        decodeOneToken(
            ExecutorModel.get(settings.model(), settings.placement(), place, settings.batchSize()));
      }
    }

    /** The first pass allocates and compiles; no row should wait for that. */
    private static void decodeOneToken(ExecutorModel model) {
      Markers none = new Markers(new int[0], new int[0]);
      DecodeRequest request =
          new DecodeRequest("warm-up", model.tokenizer().encode("def"), 0, "warm-up", 0);
      try {
        model.replica().submit(request, new LockstepDecoder(LockstepSettings.of(0, 1), none)).get();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      } catch (ExecutionException e) {
        LOG.warn("replica {} failed to warm up", model.replica().name(), e.getCause());
      }
    }

    @Override
    public void shutdown() {
      ExecutorModel.closeAll();
    }
  }
}
