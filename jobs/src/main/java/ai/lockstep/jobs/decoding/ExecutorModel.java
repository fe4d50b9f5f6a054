package ai.lockstep.jobs.decoding;

import ai.lockstep.datasets.download.CacheFolder;
import ai.lockstep.failure.LockstepException;
import ai.lockstep.jobs.config.ModelConfig;
import ai.lockstep.jobs.config.RunConfig;
import ai.lockstep.udf.checkpoint.Checkpoint;
import ai.lockstep.udf.checkpoint.CheckpointLocator;
import ai.lockstep.udf.checkpoint.CheckpointSource;
import ai.lockstep.udf.checkpoint.HubSettings;
import ai.lockstep.udf.model.torch.DreamModel;
import ai.lockstep.udf.model.torch.TorchDevice;
import ai.lockstep.udf.replica.Replica;
import ai.lockstep.udf.tokenizer.DreamTokenizer;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.spark.TaskContext;
import org.apache.spark.resource.ResourceInformation;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A model as an executor holds it: loaded once for each device of the JVM, shared by all its Spark
 * tasks, alive until the JVM ends. Runs on executors; never serialised.
 *
 * @param tokenizer the checkpoint's
 * @param replica drives the model
 * @param device such as {@code cpu} or {@code gpu:0}
 */
record ExecutorModel(DreamTokenizer tokenizer, Replica replica, String device) {

  private static final Logger LOG = LoggerFactory.getLogger(ExecutorModel.class);
  private static final Map<Key, ExecutorModel> LOADED = new ConcurrentHashMap<>();

  static {
    Runtime.getRuntime().addShutdownHook(new Thread(ExecutorModel::closeAll, "lockstep-replicas"));
  }

  private record Key(String location, Optional<String> adapter, String device, int batchRows) {}

  /** The model on the device that Spark gave this task; loads it when it is the first to ask. */
  static ExecutorModel get(RunConfig config) {
    ModelConfig model = config.model();
    TorchDevice device = device(model);
    Key key =
        new Key(
            model.location(), model.adapter(), device.toString(), config.hardware().batchRows());
    return LOADED.computeIfAbsent(key, absent -> load(config, device));
  }

  /**
   * Finds the checkpoint that the configuration names, without loading it; downloads what is
   * missing only with {@code model.download=true}.
   */
  static Checkpoint locate(ModelConfig model) {
    HubSettings hub = HubSettings.fromEnvironment();
    boolean offline = hub.offline() || model.download() == ModelConfig.Download.DENIED;
    CheckpointLocator locator =
        new CheckpointLocator(
            new HubSettings(hub.cache(), hub.endpoint(), hub.token(), offline),
            CacheFolder.current());
    CheckpointSource source = source(model);
    return model
        .adapter()
        .map(adapter -> locator.locate(source, Path.of(adapter)))
        .orElseGet(() -> locator.locate(source));
  }

  private static CheckpointSource source(ModelConfig model) {
    Optional<String> bundled = model.bundledName();
    if (bundled.isPresent()) {
      return new CheckpointSource.Bundled(bundled.get());
    }
    if (model.path().isPresent()) {
      return new CheckpointSource.Folder(Path.of(model.path().get()));
    }
    return new CheckpointSource.Hub(
        model.hfName().orElseThrow(),
        model.revision().orElse(CheckpointSource.Hub.DEFAULT_REVISION));
  }

  private static ExecutorModel load(RunConfig config, TorchDevice device) {
    long started = System.nanoTime();
    Checkpoint checkpoint = locate(config.model());
    DreamTokenizer tokenizer = DreamTokenizer.open(checkpoint.folder());
    DreamModel model = DreamModel.load(checkpoint, tokenizer.tokenCount(), device);
    String name = "%s/%d/%s".formatted(host(), pid(), device);
    Replica replica = new Replica(name, model, config.hardware().batchRows());
    LOG.info(
        "replica ready: model={} device={} seconds={}",
        checkpoint.name(),
        device,
        (System.nanoTime() - started) / 1_000_000 / 1000.0);
    return new ExecutorModel(tokenizer, replica, device.toString());
  }

  private static TorchDevice device(ModelConfig model) {
    Optional<Integer> gpu = assignedGpu();
    return switch (model.device()) {
      case CPU -> TorchDevice.cpu();
      case AUTO -> gpu.map(TorchDevice::cuda).orElseGet(TorchDevice::cpu);
      case CUDA ->
          gpu.map(TorchDevice::cuda)
              .orElseThrow(
                  () ->
                      LockstepException.environment(
                          "Cannot run with model.device=cuda: Spark gave this task no GPU. Use hardware=h200_1x on a cluster, or model.device=cpu."));
    };
  }

  /** The address that Spark assigned; two executors of a host so never share a GPU unasked. */
  private static Optional<Integer> assignedGpu() {
    TaskContext task = TaskContext.get();
    if (task == null) {
      return Optional.empty();
    }
    ResourceInformation gpus = task.resourcesJMap().get("gpu");
    return gpus == null || gpus.addresses().length == 0
        ? Optional.empty()
        : Optional.of(Integer.parseInt(gpus.addresses()[0]));
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

  private static void closeAll() {
    LOADED
        .values()
        .forEach(
            model -> {
              model.replica.close();
              model.tokenizer.close();
            });
  }
}
