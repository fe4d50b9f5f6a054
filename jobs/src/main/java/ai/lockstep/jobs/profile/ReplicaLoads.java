package ai.lockstep.jobs.profile;

import ai.lockstep.udf.replica.ReplicaLoad;
import ai.lockstep.udf.spark.ExecutorModel;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;

/** Asks every executor what its replicas have done so far. Driver only. */
public final class ReplicaLoads {

  /** Spark tasks a core: enough that each executor runs one of them. */
  private static final int TASKS_PER_CORE = 4;

  private ReplicaLoads() {}

  /** The loads by the replicas' names. An executor that no Spark task reached is left out. */
  public static Map<String, ReplicaLoad> of(SparkSession spark) {
    if (spark.sparkContext().isLocal()) {
      return ExecutorModel.loads();
    }
    int tasks = TASKS_PER_CORE * spark.sparkContext().defaultParallelism();
    Map<String, ReplicaLoad> loads = new TreeMap<>();
    JavaSparkContext.fromSparkContext(spark.sparkContext())
        .parallelize(IntStream.range(0, tasks).boxed().toList(), tasks)
        .map(task -> ExecutorModel.loads())
        .collect()
        .forEach(loads::putAll);
    return loads;
  }

  /** What all replicas together did between two calls. */
  public static ReplicaLoad between(
      Map<String, ReplicaLoad> before, Map<String, ReplicaLoad> after) {
    return after.entrySet().stream()
        .map(one -> one.getValue().since(before.getOrDefault(one.getKey(), ReplicaLoad.NONE)))
        .reduce(ReplicaLoad.NONE, ReplicaLoad::plus);
  }
}
