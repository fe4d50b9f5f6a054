package ai.lockstep.jobs.decoding;

import ai.lockstep.failure.LockstepException;
import ai.lockstep.jobs.config.ModelConfig;
import ai.lockstep.jobs.config.RunConfig;
import ai.lockstep.udf.model.MaskedDiffusionModel;
import ai.lockstep.udf.model.torch.TorchDevice;
import ai.lockstep.udf.replica.Replica;
import ai.lockstep.udf.tokenizer.DreamTokenizer;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
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
 * @param tokenizer the model's
 * @param replica drives the model
 * @param device such as {@code cpu} or {@code gpu:0}
 */
record ExecutorModel(DreamTokenizer tokenizer, Replica replica, String device) {

  private static final Logger LOG = LoggerFactory.getLogger(ExecutorModel.class);
  private static final Map<Key, ExecutorModel> LOADED = new ConcurrentHashMap<>();

  static {
    Runtime.getRuntime().addShutdownHook(new Thread(ExecutorModel::closeAll, "lockstep-replicas"));
  }

  private record Key(
      String location,
      Optional<String> adapter,
      Optional<ModelConfig.TorchScriptConfig> torchScript,
      List<Integer> eosTokenIds,
      String device,
      int batchRows) {

    /** What a loaded model depends on; the rest of the configuration is the decoder's. */
    static Key of(RunConfig config, TorchDevice device) {
      ModelConfig model = config.model();
      boolean exported = model.torchScript().isPresent();
      return new Key(
          model.location(),
          model.adapter(),
          model.torchScript(),
          exported ? model.generation().eosTokenIds() : List.of(),
          device.toString(),
          config.hardware().batchRows());
    }
  }

  /** The model on the device that Spark gave this task; loads it when it is the first to ask. */
  static ExecutorModel get(RunConfig config) {
    TorchDevice device = device(config.model());
    return LOADED.computeIfAbsent(Key.of(config, device), absent -> load(config, device));
  }

  private static ExecutorModel load(RunConfig config, TorchDevice device) {
    long started = System.nanoTime();
    LocatedModel located = LocatedModel.of(config);
    DreamTokenizer tokenizer = located.openTokenizer();
    MaskedDiffusionModel model = located.load(tokenizer, device);
    String name = "%s/%d/%s".formatted(host(), pid(), device);
    Replica replica = new Replica(name, model, config.hardware().batchRows());
    LOG.info(
        "replica ready: model={} device={} seconds={}",
        located.name(),
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
