package ai.lockstep.jobs.tables;

import static org.apache.spark.sql.types.DataTypes.DoubleType;
import static org.apache.spark.sql.types.DataTypes.IntegerType;
import static org.apache.spark.sql.types.DataTypes.StringType;
import static org.apache.spark.sql.types.DataTypes.TimestampType;
import static org.apache.spark.sql.types.DataTypes.createArrayType;

import org.apache.spark.sql.types.StructType;

/** {@code runs}: one row a configuration of a run: where every other row comes from. */
public final class RunsTable {

  /** The GPU of a replica; see {@link ai.lockstep.udf.spark.GpuUse}. */
  public static final StructType GPU =
      new StructType()
          .add("replica", StringType, false)
          .add("readings", IntegerType, false)
          .add("utilization_percent", DoubleType, true)
          .add("memory_used_mebibytes", DoubleType, true)
          .add("power_watts", DoubleType, true);

  /** The declaration. */
  public static final Table TABLE =
      Table.named("runs")
          .required("run_id", StringType, "run.id")
          .required(
              "job",
              StringType,
              "the command: evaluate, generate, score, rollout, nightly, profile, train")
          .required("config", StringType, "the composed configuration as JSON")
          .required("overrides", StringType, "the command's overrides as a JSON array")
          .required("dataset", StringType, "dataset.name, 'prompts' or 'rollouts'")
          .required("dataset_md5", StringType, "MD5 of the input file as stored")
          .optional("model", StringType, "hub name or folder; null when nothing was decoded")
          .optional("model_digest", StringType, "digest of the checkpoint; null as model")
          .optional(
              "gpus",
              createArrayType(GPU, false),
              "what the replicas' GPUs did: utilisation and power in the mean, memory at most; null when none decoded")
          .optional("isolation", StringType, "sandbox level; null when nothing was judged")
          .optional("interpreter", StringType, "Python and numpy of the judge; null as isolation")
          .optional(
              "machine_factor",
              DoubleType,
              "what time limits were multiplied by; null as isolation")
          .optional(
              "machine_slowness",
              DoubleType,
              "time for a fixed piece of Python over the baseline's; null as isolation")
          .required("lockstep_version", StringType, "version of lockstep")
          .optional("code_commit", StringType, "git commit of lockstep; null outside a checkout")
          .required("spark_version", StringType, "version of Spark")
          .required("java_version", StringType, "version of the driver's JVM")
          .required("started_at", TimestampType, "when the job started")
          .required("finished_at", TimestampType, "when the row was written")
          .required(Table.PARTITION, StringType, "digest of the configuration")
          .declared();

  private RunsTable() {}
}
