package ai.lockstep.udf.model.torch;

import ai.djl.Device;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.jni.IValue;
import ai.lockstep.udf.checkpoint.CheckpointConfig;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What the device can do at best, measured through the same engine as the model. */
final class Ceilings extends TorchProgram {

  private final TorchDevice device;

  Ceilings(TorchDevice device) {
    super(Ceilings.class, "Ceilings", "", attributes(), device.device());
    this.device = device;
  }

  private static Map<String, Object> attributes() {
    Map<String, Object> attributes = new LinkedHashMap<>();
    attributes.put("training", false);
    attributes.put("kept", TorchScriptArchive.Attribute.EMPTY_TENSOR_LIST);

    return attributes;
  }

  /** FLOP/s of the best large square matrix product. */
  double flopsPerSecond() {
    double best = 0;
    for (long size : isGpu() ? new long[] {8192, 12288} : new long[] {1024, 2048}) {
      prepare(new long[][] {{size, size}, {size, size}});
      int repeats = isGpu() ? 20 : 3;
      double seconds = Timing.median(5, () -> call("multiply", IValue.from(repeats)));
      best = Math.max(best, 2.0 * size * size * size * repeats / seconds);
    }
    clear();

    return best;
  }

  /** Bytes read plus bytes written per second by a large copy. */
  double bytesPerSecond() {
    long numbers = isGpu() ? 1L << 30 : 1L << 26;
    prepare(new long[][] {{numbers}, {numbers}});
    int repeats = isGpu() ? 10 : 2;
    double seconds = Timing.median(5, () -> call("copy", IValue.from(repeats)));
    clear();

    return 2.0 * numbers * bytesPerNumber() * repeats / seconds;
  }

  /** Seconds that only the matrix products of a model's layers take. */
  double secondsOfLayers(CheckpointConfig config, int tokens) {
    long hidden = config.hiddenSize();
    long qkv = (config.heads() + 2L * config.kvHeads()) * config.headSize();
    long inner = config.intermediateSize();
    // Two sets of weights, so that none is still in the cache from the last time.
    long[][] shapes = {
      {tokens, hidden},
      {qkv, hidden},
      {hidden, hidden},
      {2 * inner, hidden},
      {hidden, inner},
      {qkv, hidden},
      {hidden, hidden},
      {2 * inner, hidden},
      {hidden, inner}
    };
    prepare(shapes);
    double seconds = Timing.median(7, () -> call("layers", IValue.from(config.layers())));
    clear();

    return seconds;
  }

  /** Seconds of the attention of all layers in the ways that the model has on the device. */
  Map<String, Double> secondsOfAttention(CheckpointConfig config, int rows, int query, int keys) {
    int places = keys + 1;
    long[][] shapes = {
      {rows, query, config.heads(), config.headSize()},
      {rows, places, 2L * config.kvHeads(), config.headSize()}
    };
    prepare(shapes);
    Map<String, Double> seconds = new LinkedHashMap<>();
    if (device.hasFlashAttention()) {
      seconds.put(
          "packed flash",
          Timing.median(
              7,
              () -> {
                try (PtNDManager scope = newScope()) {
                  long[] starts = new long[2 * rows + 2];
                  long[] counts = new long[rows];
                  for (int r = 0; r <= rows; r++) {
                    starts[r] = (long) r * query;
                    starts[rows + 1 + r] = (long) r * places;
                  }
                  Arrays.fill(counts, keys);
                  call(
                      "packed",
                      IValue.from((PtNDArray) scope.create(starts, new Shape(starts.length))),
                      IValue.from((PtNDArray) scope.create(counts, new Shape(rows))),
                      IValue.from(query),
                      IValue.from(keys),
                      IValue.from(config.layers()));
                }
              }));
    }
    List<String> ways =
        device.hasFlashAttention() ? List.of("grouped", "folded") : List.of("folded");
    for (String way : ways) {
      seconds.put(
          way, Timing.median(7, () -> call(way, IValue.from(keys), IValue.from(config.layers()))));
    }
    clear();

    return seconds;
  }

  private void prepare(long[][] shapes) {
    try (PtNDManager scope = newScope()) {
      IValue[] lists = new IValue[shapes.length];
      for (int i = 0; i < shapes.length; i++) {
        lists[i] = IValue.listFrom(shapes[i]);
      }
      PtNDArray like = (PtNDArray) scope.create(0L);
      call("prepare", IValue.from(like), IValue.listFrom(lists), IValue.from(device.dtype()));
      for (IValue list : lists) {
        list.close();
      }
    }
  }

  private void clear() {
    prepare(new long[][] {{1}});
  }

  private boolean isGpu() {
    return !device.device().equals(Device.cpu());
  }

  private int bytesPerNumber() {
    return isGpu() ? 2 : 4;
  }
}
