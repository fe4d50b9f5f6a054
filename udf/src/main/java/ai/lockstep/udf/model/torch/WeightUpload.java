package ai.lockstep.udf.model.torch;

import ai.djl.pytorch.jni.IValue;
import ai.lockstep.udf.checkpoint.Checkpoint;
import ai.lockstep.udf.checkpoint.CheckpointConfig;
import ai.lockstep.udf.checkpoint.Dtype;
import ai.lockstep.udf.checkpoint.LoraAdapter;
import ai.lockstep.udf.checkpoint.StoredTensor;
import ai.lockstep.udf.checkpoint.Weights;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiConsumer;

/** Brings a checkpoint's tensors to the kernel, layer by layer, merging an adapter on the way. */
final class WeightUpload {

  /** Bytes handed over at a time: large enough for speed, far below a buffer's 2 GiB. */
  private static final long WINDOW_BYTES = 256L << 20;

  private static final int TENSORS_PER_LAYER = 12;
  private static final double RANDOM_DEVIATION = 0.02;

  private final DreamKernel kernel;
  private final Checkpoint checkpoint;
  private final Weights weights;
  private final TorchDevice device;

  WeightUpload(DreamKernel kernel, Checkpoint checkpoint, Weights weights, TorchDevice device) {
    this.kernel = kernel;
    this.checkpoint = checkpoint;
    this.weights = weights;
    this.device = device;
  }

  void run() {
    forEachTensor(
        kernel,
        checkpoint.config(),
        device,
        (name, shape) -> {
          push(weights.tensor(name));
          merge(name);
        });
  }

  /** Fills a model with random weights: norms around 1, everything else around 0. */
  static void random(DreamKernel kernel, CheckpointConfig config, TorchDevice device) {
    forEachTensor(
        kernel,
        config,
        device,
        (name, shape) ->
            kernel.pushRandom(name.endsWith("norm.weight") ? 1 : 0, RANDOM_DEVIATION, shape));
  }

  private static void forEachTensor(
      DreamKernel kernel,
      CheckpointConfig config,
      TorchDevice device,
      BiConsumer<String, long[]> push) {
    kernel.call(
        "configure",
        IValue.from(config.heads()),
        IValue.from(config.kvHeads()),
        IValue.from(config.headSize()),
        IValue.from(device.dtype()),
        IValue.from(device.hasFlashAttention()),
        IValue.from(config.rmsNormEps()),
        IValue.from(config.ropeTheta()));
    int index = 0;
    int lastOfLayers = config.layers() * TENSORS_PER_LAYER;
    for (Map.Entry<String, long[]> tensor : config.tensorShapes().entrySet()) {
      push.accept(tensor.getKey(), tensor.getValue());
      boolean inLayer = index > 0 && index <= lastOfLayers;
      if (!inLayer) {
        kernel.call("keep");
      } else if (index % TENSORS_PER_LAYER == 0) {
        kernel.call("keep_layer");
      }
      index++;
    }
    if (config.tiedHead()) {
      kernel.call("tie_head");
    }
  }

  private void push(StoredTensor tensor) {
    int[] windows = {0};
    tensor.forEachWindow(
        WINDOW_BYTES,
        (fromRow, rows, bytes) -> {
          long[] shape = tensor.shape();
          shape[0] = rows;
          kernel.push(bytes, code(tensor.dtype()), shape);
          windows[0]++;
        });
    if (windows[0] > 1) {
      kernel.call("join", IValue.from(windows[0]));
    }
  }

  private void merge(String name) {
    Optional<LoraAdapter.Update> update =
        checkpoint.adapter().flatMap(a -> Optional.ofNullable(a.updates().get(name)));
    if (update.isPresent()) {
      push(update.get().a());
      push(update.get().b());
      kernel.call("merge", IValue.from(update.get().scale()));
    }
  }

  /** PyTorch's code of a stored number format. */
  private static int code(Dtype dtype) {
    return switch (dtype) {
      case F16 -> 5;
      case F32 -> 6;
      case BF16 -> 15;
    };
  }
}
