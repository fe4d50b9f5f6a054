package ai.lockstep.jobs.scoring;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.spark.SparkConf;
import org.apache.spark.resource.ResourceProfile;
import org.apache.spark.resource.ResourceProfileBuilder;
import org.apache.spark.resource.TaskResourceRequests;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets Spark tasks that judge programs run without a GPU where the application's other tasks ask
 * for one: as many at once as an executor has cores, instead of one a GPU. Driver only.
 */
final class CpuStage {

  private static final Logger LOG = LoggerFactory.getLogger(CpuStage.class);

  /** Local mode refuses resource profiles, and has no GPU to leave alone. */
  private static final String CLUSTERS = "(spark|yarn|k8s|local-cluster).*";

  /** Spark keeps every profile for the application's life: one is enough. */
  private static final Map<String, ResourceProfile> PROFILES = new ConcurrentHashMap<>();

  private CpuStage() {}

  /** The same rows, computed by Spark tasks of one core each and no GPU. */
  static Dataset<Row> of(Dataset<Row> rows) {
    SparkSession spark = rows.sparkSession();
    SparkConf conf = spark.sparkContext().getConf();
    if (!conf.contains("spark.task.resource.gpu.amount")
        || !spark.sparkContext().master().matches(CLUSTERS)) {
      return rows;
    }
    ResourceProfile profile =
        PROFILES.computeIfAbsent(spark.sparkContext().applicationId(), id -> profile());
    return spark.createDataFrame(rows.javaRDD().withResources(profile), rows.schema());
  }

  private static ResourceProfile profile() {
    // Task requests only: with executor requests Spark would want other executors.
    ResourceProfile profile =
        new ResourceProfileBuilder().require(new TaskResourceRequests().cpus(1)).build();
    LOG.info("scoring without GPUs: resource_profile={}", profile.id());
    return profile;
  }
}
