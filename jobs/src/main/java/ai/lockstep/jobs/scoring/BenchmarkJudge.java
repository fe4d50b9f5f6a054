package ai.lockstep.jobs.scoring;

import ai.lockstep.datasets.Benchmark;
import ai.lockstep.datasets.Benchmarks;
import ai.lockstep.datasets.Suite;
import ai.lockstep.datasets.Task;
import ai.lockstep.failure.LockstepException;
import ai.lockstep.harness.Outcome;
import ai.lockstep.harness.Verdict;
import ai.lockstep.jobs.config.HarnessConfig;
import ai.lockstep.jobs.config.RunConfig;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkEnv;

/**
 * Judges programs where all that is known is names: for SQL functions. Runs on executors, and on
 * the driver when Spark folds constants; never serialised.
 *
 * <p>Settings are Spark properties, which reach every executor: {@code spark.lockstep.harness.KEY}
 * stands for {@code harness.KEY}, and {@code spark.lockstep.dataset.NAME} names a benchmark's file
 * where it is not in its usual place.
 */
public final class BenchmarkJudge {

  private static final String DATASET_PREFIX = "spark.lockstep.dataset.";

  /** Spark may evaluate a function twice for a row, as in a filter and in a column. */
  private static final int REMEMBERED_VERDICTS = 4096;

  private static final Map<List<String>, HarnessConfig> CONFIGS = new ConcurrentHashMap<>();
  private static final Map<String, Tasks> OPEN = new ConcurrentHashMap<>();
  private static final Map<Key, CompletableFuture<Verdict>> RECENT =
      new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<Key, CompletableFuture<Verdict>> eldest) {
          return size() > REMEMBERED_VERDICTS;
        }
      };

  private record Key(HarnessConfig harness, String md5, String taskId, String programSha256) {}

  private record Tasks(String dataset, String md5, Map<String, Task> byId) {

    private static Tasks of(Benchmark benchmark) {
      Map<String, Task> byId = new LinkedHashMap<>();
      benchmark.tasks().forEach(task -> byId.put(task.taskId(), task));
      return new Tasks(benchmark.suite().datasetName(), benchmark.md5(), byId);
    }

    private Task task(String taskId) {
      Task task = byId.get(taskId);
      if (task == null) {
        throw LockstepException.user(
            "Cannot judge task_id=%s: %s has no such task; its ids look like %s."
                .formatted(taskId, dataset, byId.keySet().iterator().next()));
      }
      return task;
    }
  }

  private BenchmarkJudge() {}

  /**
   * Runs a program as it stands against a task's base and added tests. Equal programs of a task are
   * run once as long as their verdict is remembered.
   *
   * @param dataset {@code starter}, {@code humanevalplus} or {@code mbppplus}
   * @throws LockstepException (user) for a dataset or task that is not there; (environment) when
   *     this machine cannot run programs
   */
  public static Verdict judge(String dataset, String taskId, String program) {
    SparkConf conf = SparkEnv.get().conf();
    Tasks tasks = tasks(dataset, conf.get(DATASET_PREFIX + dataset, ""));
    Task task = tasks.task(taskId);
    HarnessConfig harness = harness(conf);
    Key key = new Key(harness, tasks.md5, taskId, ExactText.sha256(program));
    CompletableFuture<Verdict> mine = new CompletableFuture<>();
    CompletableFuture<Verdict> known;
    synchronized (RECENT) {
      known = RECENT.putIfAbsent(key, mine);
    }
    if (known != null) {
      return await(known);
    }

    try {
      Verdict verdict =
          ExecutorHarness.get(harness, OptionalInt.empty())
              .harness()
              .judge(task, tasks.md5, program);
      mine.complete(verdict);
      if (verdict.base().outcome() == Outcome.SANDBOX_ERROR) {
        forget(key);
      }
      return verdict;
    } catch (RuntimeException e) {
      forget(key);
      mine.completeExceptionally(e);
      throw e;
    }
  }

  private static void forget(Key key) {
    synchronized (RECENT) {
      RECENT.remove(key);
    }
  }

  private static Verdict await(CompletableFuture<Verdict> verdict) {
    try {
      return verdict.join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof LockstepException told) {
        throw told;
      }
      throw e;
    }
  }

  private static Tasks tasks(String dataset, String file) {
    Suite suite = Suite.named(dataset);
    return OPEN.computeIfAbsent(
        dataset + "\n" + file,
        absent ->
            Tasks.of(
                file.isEmpty() ? Benchmarks.open(suite) : Benchmarks.open(suite, Path.of(file))));
  }

  private static HarnessConfig harness(SparkConf conf) {
    return CONFIGS.computeIfAbsent(
        HarnessProperties.overrides(conf),
        overrides -> RunConfig.of(HarnessProperties.compose(overrides)).harness());
  }
}
