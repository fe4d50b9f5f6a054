package ai.lockstep.udf.model.torch;

import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.jni.IValue;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * {@code DreamKernel.torchscript}: holds the weights and the cache of one model.
 *
 * <p>Where there were several ways to compute the same, milliseconds a pass decided, measured with
 * Dream-7B on an H200 under PyTorch 2.11 (rows x queries; windows of 32 queries read 800 keys;
 * equal code differed by up to 5% at 1 x 32 and 2% elsewhere):
 *
 * <ul>
 *   <li>Gate and up projection are two products, whose results are contiguous: 146.4 at 8 x 768,
 *       against 154.2 for one product that is then halved; 33.1 and 33.2 at 32 x 32. At 1 x 32 one
 *       run gave 9.1 and 6.6, another, with fused kernels otherwise, 6.1 and 6.0.
 *   <li>Rows of one shape attend as PyTorch chooses, with grouped heads: 148.4 at 8 x 768 against
 *       153.3 folded and 154.2 by flash attention; 9.8 at 8 x 32 against 12.1 and 10.3; 6.8 at 1 x
 *       32 against 9.7 and 6.6, the last within the noise.
 *   <li>From 32 such rows on, with at most 32 queries each, the queries of heads that share keys
 *       are folded into one head, so that keys are read once: 58.0 at 64 x 32 against 60.7 as
 *       chosen and 64.3 by flash attention; 31.3, 31.5 and 33.2 at 32 x 32.
 *   <li>Rows of different shapes attend in one call of packed flash attention, however many there
 *       are; 8 rows of 100 to 768 take as long row by row (88.7 and 89.1).
 *   <li>Not worth their text, within 2% at 8 x 768 (145.5) and 3% at 32 x 32 (30.0) on an H100 at
 *       its power limit: rotating half by half or with a roll, activations and rotation in pieces
 *       that stay in the L2 cache, flash attention called directly, cuBLASLt for all products.
 * </ul>
 */
class DreamKernel extends TorchProgram {

  DreamKernel(TorchDevice device) {
    this(device, "");
  }

  /**
   * @param moreMethods appended to the program's text, so that they are methods of the kernel
   */
  DreamKernel(TorchDevice device, String moreMethods) {
    super(DreamKernel.class, "DreamKernel", moreMethods, attributes(), device.device());
  }

  /** Empty; real values come with {@code configure}. */
  private static Map<String, Object> attributes() {
    Map<String, Object> attributes = new LinkedHashMap<>();
    attributes.put("training", false);
    for (String list :
        new String[] {"weights", "pending", "cache", "flat", "hidden", "current", "rotary"}) {
      attributes.put(list, TorchScriptArchive.Attribute.EMPTY_TENSOR_LIST);
    }
    for (String number : new String[] {"heads", "kv_heads", "head_size", "dtype"}) {
      attributes.put(number, 0L);
    }
    attributes.put("flash", false);
    attributes.put("eps", 0.0);
    attributes.put("theta", 0.0);

    return attributes;
  }

  /** Hands a tensor's bytes over and appends it to the pending ones. */
  void push(ByteBuffer bytes, int storedDtype, long... shape) {
    try (PtNDManager scope = newScope()) {
      PtNDArray raw = scope.create(bytes, new Shape(bytes.remaining()), DataType.UINT8);
      call("push", IValue.from(raw), IValue.from(storedDtype), IValue.listFrom(shape));
    }
  }

  /** Appends a normally distributed tensor, made on the device, to the pending ones. */
  void pushRandom(double mean, double deviation, long... shape) {
    try (PtNDManager scope = newScope()) {
      PtNDArray like = (PtNDArray) scope.create(0L);
      call(
          "push_random",
          IValue.from(like),
          IValue.listFrom(shape),
          IValue.from(mean),
          IValue.from(deviation));
    }
  }

  /** Numbers for the kernel, freed with the scope. */
  static IValue tensor(PtNDManager scope, long[] values) {
    return IValue.from((PtNDArray) scope.create(values, new Shape(values.length)));
  }
}
