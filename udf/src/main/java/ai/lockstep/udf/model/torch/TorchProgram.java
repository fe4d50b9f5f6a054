package ai.lockstep.udf.model.torch;

import ai.djl.Device;
import ai.djl.engine.Engine;
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
import java.nio.charset.StandardCharsets;
import java.util.Map;

/**
 * An object of a TorchScript class on one device, whose program is a readable resource {@code
 * CLASS.torchscript}. Closing frees everything it holds. One thread at a time.
 */
class TorchProgram implements AutoCloseable {

  private final PtNDManager manager;
  private final PtSymbolBlock block;

  /**
   * Compiles the program and makes the object.
   *
   * @param resources the class beside which the program lies
   * @param name of the TorchScript class and its resource
   * @param moreMethods appended to the program
   * @param attributes in the order of the class's declarations, see {@link TorchScriptArchive}
   */
  TorchProgram(
      Class<?> resources,
      String name,
      String moreMethods,
      Map<String, Object> attributes,
      Device device) {
    // Nothing is ever downloaded by the engine itself: it would wait for a network that may not be.
    System.setProperty("ai.djl.offline", "true");
    this.manager = (PtNDManager) Engine.getEngine("PyTorch").newBaseManager(device);
    try {
      this.block = load(manager, resources, name, moreMethods, attributes);
    } catch (RuntimeException e) {
      manager.close();
      throw e;
    }
  }

  /** Loads a program; the parameters are the constructor's. */
  static PtSymbolBlock load(
      PtNDManager manager,
      Class<?> resources,
      String name,
      String moreMethods,
      Map<String, Object> attributes) {
    try {
      byte[] archive =
          TorchScriptArchive.of(name, source(resources, name) + moreMethods, attributes);
      return JniUtils.loadModule(manager, new ByteArrayInputStream(archive), false, false);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String source(Class<?> resources, String name) throws IOException {
    try (InputStream in = resources.getResourceAsStream(name + ".torchscript")) {
      if (in == null) {
        throw new IOException("No resource " + name + ".torchscript");
      }

      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  /** A place for the arrays of one call, freed when it is closed. */
  final PtNDManager newScope() {
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
  final PtNDArray[] callForTensors(PtNDManager scope, String method, IValue... arguments) {
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
   * Keeps the profiling executor off: it compiles while the first shapes come, and its fused
   * kernels did not pay for that on an H200, where they left Dream-7B's 8 x 768 at 146.4 ms, took
   * 34.7 instead of 33.1 at 32 x 32 and 9.7 instead of 10.4 at 8 x 32. PyTorch keeps this setting
   * for each thread.
   */
  private static void interpret() {
    JniUtils.setGraphExecutorOptimize(false);
  }

  private static void closeAll(IValue... values) {
    for (IValue value : values) {
      value.close();
    }
  }

  @Override
  public void close() {
    block.close();
    manager.close();
  }
}
