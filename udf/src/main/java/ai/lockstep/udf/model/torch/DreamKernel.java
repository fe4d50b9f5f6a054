package ai.lockstep.udf.model.torch;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.IValue;
import ai.djl.pytorch.jni.IValueUtils;
import ai.djl.pytorch.jni.JniUtils;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The TorchScript program {@code DreamKernel.torchscript} on one device, with typed calls. Holds
 * the weights and the cache; closing frees both. One thread at a time.
 */
final class DreamKernel implements AutoCloseable {

  private static final String CLASS = "DreamKernel";

  private final PtNDManager manager;
  private final PtSymbolBlock block;

  DreamKernel(Device device) {
    // Nothing is ever downloaded by the engine itself: it would wait for a network that may not be.
    System.setProperty("ai.djl.offline", "true");
    PtNDManager root = (PtNDManager) Engine.getEngine("PyTorch").newBaseManager(device);
    this.manager = root;
    try {
      byte[] archive = TorchScriptArchive.of(CLASS, source(), attributes());
      this.block = JniUtils.loadModule(root, new ByteArrayInputStream(archive), false, false);
    } catch (IOException e) {
      root.close();
      throw new UncheckedIOException(e);
    }
  }

  private static String source() throws IOException {
    try (InputStream in = DreamKernel.class.getResourceAsStream(CLASS + ".torchscript")) {
      if (in == null) {
        throw new IOException("No resource " + CLASS + ".torchscript");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  /** In the order of the class's declarations; real values come with {@code configure}. */
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

  /** A place for the arrays of one call, freed when it is closed. */
  PtNDManager newScope() {
    return manager.newSubManager(manager.getDevice());
  }

  /** Calls a method that returns a number. */
  long call(String method, IValue... arguments) {
    interpret();
    try (IValue result = IValueUtils.runMethod(block, method, arguments)) {
      return result.toLong();
    } finally {
      closeAll(arguments);
    }
  }

  /** Calls a method that returns a tensor or a list of them, which belong to the scope. */
  PtNDArray[] callForTensors(PtNDManager scope, String method, IValue... arguments) {
    interpret();
    try (IValue result = IValueUtils.runMethod(block, method, arguments)) {
      return result.isTensor()
          ? new PtNDArray[] {result.toTensor(scope)}
          : result.toTensorArray(scope);
    } finally {
      closeAll(arguments);
    }
  }

  /**
   * Keeps the profiling executor off: it would compile anew for every shape, up to a second each.
   * PyTorch keeps this setting for each thread.
   */
  private static void interpret() {
    JniUtils.setGraphExecutorOptimize(false);
  }

  private static void closeAll(IValue... values) {
    for (IValue value : values) {
      value.close();
    }
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

  @Override
  public void close() {
    block.close();
    manager.close();
  }
}
