package ai.lockstep.udf.spark;

import ai.lockstep.udf.model.torch.TorchDevice;
import ai.lockstep.udf.replica.Replica;
import ai.lockstep.udf.replica.ReplicaLoad;
import ai.lockstep.udf.tokenizer.DreamTokenizer;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.spark.SparkEnv;
import org.apache.spark.TaskContext;
import org.apache.spark.resource.ResourceInformation;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A model as an executor holds it: loaded once for each GPU address that Spark assigned, shared by
 * all Spark tasks, alive until the JVM ends or {@link LockstepPlugin} shuts down. Runs on
 * executors; never serialised.
 *
 * @param tokenizer the model's
 * @param replica drives the model; its name is host, process and device, with {@code #ADDRESS}
 *     behind where Spark assigned a GPU that {@link DeviceChoice#CPU} leaves alone
 * @param device such as {@code cpu} or {@code gpu:0}
 * @param readyNanos {@link System#nanoTime()} when the replica stood
 */
public record ExecutorModel(
    DreamTokenizer tokenizer, Replica replica, String device, long readyNanos) {

  private static final Logger LOG = LoggerFactory.getLogger(ExecutorModel.class);

  private static final String GPU = "gpu:";

  /** The executor's id where the driver is its own. */
  private static final String DRIVER = "driver";

  private static final Map<Key, ExecutorModel> LOADED = new ConcurrentHashMap<>();

  static {
    Runtime.getRuntime().addShutdownHook(new Thread(ExecutorModel::closeAll, "lockstep-replicas"));
  }

  private record Key(
      ModelSource model, Placement placement, Optional<String> address, int batchRows) {}

  /**
   * The model on the device that Spark gave this task; loads it when it is the first to ask.
   *
   * @param batchRows rows decoded together at most, at least 1
   */
  public static ExecutorModel get(ModelSource model, Placement placement, int batchRows) {
    return get(model, placement, assignedToTask(), batchRows);
  }

  /** The same for a given GPU address; a replica that an error has ended is replaced. */
  static ExecutorModel get(
      ModelSource model, Placement placement, Optional<String> address, int batchRows) {
    return LOADED.compute(
        new Key(model, placement, address, batchRows),
        (key, loaded) -> loaded == null || loaded.replica.isClosed() ? load(key) : loaded);
  }

  /** What the replicas of this JVM have done, by name. */
  public static Map<String, ReplicaLoad> loads() {
    Map<String, ReplicaLoad> loads = new TreeMap<>();
    LOADED
        .values()
        .forEach(
            model -> loads.merge(model.replica.name(), model.replica.load(), ReplicaLoad::plus));
    return loads;
  }

  /**
   * Reads what this model's GPU does now; empty where it computes on a CPU, or none can be read.
   */
  public Optional<GpuUse> gpuUse() {
    return device.startsWith(GPU)
        ? nvidiaSmi()
            .read(device.substring(GPU.length()))
            .map(now -> GpuUse.of(replica.name(), now))
        : Optional.empty();
  }

  private static NvidiaSmi nvidiaSmi() {
    SparkEnv spark = SparkEnv.get();
    return spark == null ? NvidiaSmi.onPath() : NvidiaSmi.of(spark.conf());
  }

  /** What is loaded now. */
  static List<ExecutorModel> loaded() {
    return List.copyOf(LOADED.values());
  }

  private static ExecutorModel load(Key key) {
    long started = System.nanoTime();
    TorchDevice device = key.placement.torch(key.address.or(() -> inLocalMode(key.placement)));
    ModelSource.Loaded loaded = key.model.load(device);
    String leftAlone =
        key.placement.device() == DeviceChoice.CPU
            ? key.address.map(address -> "#" + address).orElse("")
            : "";
    String name = "%s/%d/%s%s".formatted(host(), pid(), device, leftAlone);
    Replica replica = new Replica(name, loaded.model(), key.batchRows);
    long ready = System.nanoTime();
    LOG.info(
        "replica ready: model={} replica={} seconds={}",
        key.model.name(),
        name,
        (ready - started) / 1_000_000 / 1000.0);
    return new ExecutorModel(loaded.tokenizer(), replica, device.toString(), ready);
  }

  /** The address that Spark assigned; two executors of a host so never share a GPU unasked. */
  private static Optional<String> assignedToTask() {
    TaskContext task = TaskContext.get();
    return task == null
        ? Optional.empty()
        : gpuAddresses(task.resourcesJMap()).stream().findFirst();
  }

  /** The first GPU, where it is asked for and Spark's local mode assigns none. */
  private static Optional<String> inLocalMode(Placement placement) {
    SparkEnv spark = SparkEnv.get();
    boolean local = spark != null && spark.executorId().equals(DRIVER);
    return local && placement.device() == DeviceChoice.CUDA
        ? Optional.of(DeviceChoice.FIRST_GPU)
        : Optional.empty();
  }

  /** The GPU addresses among what Spark assigned. */
  static List<String> gpuAddresses(Map<String, ResourceInformation> resources) {
    ResourceInformation gpus = resources.get("gpu");
    return gpus == null ? List.of() : List.of(gpus.addresses());
  }

  private static String host() {
    try {
      return InetAddress.getLocalHost().getHostName();
    } catch (UnknownHostException e) {
      return "unknown";
    }
  }

  private static long pid() {
    return ManagementFactory.getRuntimeMXBean().getPid();
  }

  /** Closes every replica of this JVM; rows in flight fail. A later request loads again. */
  public static void closeAll() {
    for (Key key : List.copyOf(LOADED.keySet())) {
      ExecutorModel model = LOADED.remove(key);
      if (model != null) {
        model.replica.close();
        model.tokenizer.close();
      }
    }
  }
}
