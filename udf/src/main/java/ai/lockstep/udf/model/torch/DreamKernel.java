package ai.lockstep.udf.model.torch;

import ai.djl.Device;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.jni.IValue;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.Map;

/** {@code DreamKernel.torchscript}: holds the weights and the cache of one model. */
final class DreamKernel extends TorchProgram {

  DreamKernel(Device device) {
    super(DreamKernel.class, "DreamKernel", attributes(), device);
  }

  /** Empty; real values come with {@code configure}. */
  private static Map<String, Object> attributes() {
    Map<String, Object> attributes = new LinkedHashMap<>();
    attributes.put("training", false);
    for (String list :
        new String[] {"weights", "pending", "cache", "hidden", "current", "rotary"}) {
      attributes.put(list, TorchScriptArchive.Attribute.EMPTY_TENSOR_LIST);
    }
    for (String number : new String[] {"heads", "kv_heads", "head_size", "dtype"}) {
      attributes.put(number, 0L);
    }
    attributes.put("packed", false);
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
}
