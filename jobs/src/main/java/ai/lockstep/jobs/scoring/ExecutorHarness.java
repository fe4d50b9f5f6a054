package ai.lockstep.jobs.scoring;

import ai.lockstep.harness.Harness;
import ai.lockstep.harness.HarnessSettings;
import ai.lockstep.harness.HarnessSettings.Depth;
import ai.lockstep.harness.HarnessSettings.Scope;
import ai.lockstep.harness.Limits;
import ai.lockstep.jobs.config.HarnessConfig;
import java.nio.file.Path;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * A harness as an executor holds it: its sandboxes start once and serve all Spark tasks of the JVM
 * until it ends. Runs on executors; never serialised.
 *
 * @param workers as many threads as programs may run at once: a Spark task hands them several, so
 *     that every core has work also where Spark runs fewer tasks than there are cores, as it does
 *     when each of them asks for a GPU
 * @param parallel how many that are
 */
record ExecutorHarness(Harness harness, ExecutorService workers, int parallel) {

  private static final Map<HarnessSettings, ExecutorHarness> OPEN = new ConcurrentHashMap<>();

  static {
    Runtime.getRuntime()
        .addShutdownHook(new Thread(ExecutorHarness::closeAll, "lockstep-harnesses"));
  }

  /**
   * The harness of a configuration, started when first asked for.
   *
   * @param cores programs to run at once unless the configuration says; empty for all processors
   * @throws ai.lockstep.failure.LockstepException saying what the machine lacks
   */
  static ExecutorHarness get(HarnessConfig config, OptionalInt cores) {
    return OPEN.computeIfAbsent(settings(config, cores), ExecutorHarness::open);
  }

  private static ExecutorHarness open(HarnessSettings settings) {
    Harness harness = Harness.open(settings);
    ExecutorService workers =
        Executors.newFixedThreadPool(
            settings.parallel(),
            task -> {
              Thread thread = new Thread(task, "lockstep-judge");
              thread.setDaemon(true);
              return thread;
            });
    return new ExecutorHarness(harness, workers, settings.parallel());
  }

  private static HarnessSettings settings(HarnessConfig config, OptionalInt cores) {
    int parallel =
        config.parallel().orElse(cores.orElse(Runtime.getRuntime().availableProcessors()));
    return HarnessSettings.defaults()
        .withSandbox(config.sandbox())
        .withPython(Path.of(config.python()))
        .withDepth(config.failFast() ? Depth.FAIL_FAST : Depth.EVERY_TEST)
        .withScope(config.baseOnly() ? Scope.BASE_ONLY : Scope.BASE_AND_PLUS)
        .withLimits(
            new Limits(
                config.minTimeLimit(),
                config.gtTimeLimitFactor(),
                config.maxRunSeconds(),
                config.memoryBytes(),
                config.machineFactor().orElse(0.0)))
        .withParallel(parallel);
  }

  private static void closeAll() {
    OPEN.values()
        .forEach(
            open -> {
              open.workers.shutdownNow();
              open.harness.close();
            });
  }
}
