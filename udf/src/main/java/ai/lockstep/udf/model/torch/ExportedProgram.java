package ai.lockstep.udf.model.torch;

import ai.djl.engine.Engine;
import ai.djl.engine.EngineException;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.IValue;
import ai.djl.pytorch.jni.IValueUtils;
import ai.djl.pytorch.jni.JniUtils;
import ai.lockstep.failure.LockstepException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/**
 * A TorchScript module from a file, whose {@code forward} maps [rows, length] int64 ids, and a 0/1
 * int64 mask of the same shape if it takes one, to [rows, length, vocabulary] logits. Closing frees
 * it. One thread at a time.
 */
final class ExportedProgram implements AutoCloseable {

  /** What PyTorch says of a forward that takes ids alone and got a mask as well. */
  private static final String TOO_MANY_ARGUMENTS =
      "Expected at most 2 argument(s) for operator 'forward'";

  private static final long[] PROBE_SHAPE = {2, 3};

  private final Path file;
  private final int vocabulary;
  private final PtNDManager manager;
  private final PtSymbolBlock block;
  private final boolean takesMask;

  /**
   * Loads the module and runs it once to learn what it takes and whether it gives what it should.
   *
   * @param vocabulary ids that the logits must be of
   * @param anyId an id to run it with
   */
  ExportedProgram(Path file, int vocabulary, int anyId, TorchDevice device) {
    this.file = file;
    this.vocabulary = vocabulary;
    System.setProperty("ai.djl.offline", "true"); // as TorchProgram does
    this.manager = (PtNDManager) Engine.getEngine("PyTorch").newBaseManager(device.device());
    try {
      this.block = load();
    } catch (RuntimeException e) {
      manager.close();
      throw e;
    }
    try {
      this.takesMask = probe(anyId);
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  private PtSymbolBlock load() {
    try {
      // Weights go where this manager is, wherever they were when they were saved.
      PtSymbolBlock loaded =
          JniUtils.loadModule(manager, file, true, new String[0], new String[0], false);
      JniUtils.enableInferenceMode(loaded);

      return loaded;
    } catch (EngineException e) {
      throw LockstepException.user(
          "Cannot load the exported model %s: PyTorch does not accept it (%s). Export it again with PyTorch %s or older."
              .formatted(file, reason(e), Engine.getEngine("PyTorch").getVersion()),
          e);
    }
  }

  /** Whether the program takes a mask. */
  private boolean probe(int anyId) {
    long[] ids = new long[(int) (PROBE_SHAPE[0] * PROBE_SHAPE[1])];
    Arrays.fill(ids, anyId);
    long[] mask = new long[ids.length];
    Arrays.fill(mask, 1);
    try (PtNDManager scope = newScope()) {
      PtNDArray idTensor = tensor(scope, ids, PROBE_SHAPE);
      try {
        run(scope, PROBE_SHAPE, idTensor, tensor(scope, mask, PROBE_SHAPE));

        return true;
      } catch (EngineException e) {
        if (!String.valueOf(e.getMessage()).contains(TOO_MANY_ARGUMENTS)) {
          throw failed(e);
        }
      }
      try {
        run(scope, PROBE_SHAPE, idTensor);

        return false;
      } catch (EngineException e) {
        throw failed(e);
      }
    }
  }

  private LockstepException failed(EngineException e) {
    return LockstepException.user(
        "Cannot run the exported model %s: its forward fails on ids of shape %s (%s). Export it with a forward that takes ids of any number of rows and positions, and at most a mask beside them."
            .formatted(file, Arrays.toString(PROBE_SHAPE), reason(e)),
        e);
  }

  /** Whether the program takes a mask, so that rows may be padded. */
  boolean takesMask() {
    return takesMask;
  }

  /** A place for the arrays of one call, freed when it is closed. */
  PtNDManager newScope() {
    return manager.newSubManager(manager.getDevice());
  }

  /**
   * One forward pass.
   *
   * @param scope owns the answer
   * @param ids [rows, length], row-major
   * @param mask [rows, length], 1 for real positions; ignored by a program without mask
   * @return [rows, length, vocabulary] on the device, in the program's own number format
   */
  PtNDArray logits(PtNDManager scope, long[] ids, long[] mask, long rows) {
    long[] shape = {rows, ids.length / rows};
    PtNDArray idTensor = tensor(scope, ids, shape);

    return takesMask
        ? run(scope, shape, idTensor, tensor(scope, mask, shape))
        : run(scope, shape, idTensor);
  }

  private PtNDArray run(PtNDManager scope, long[] shape, PtNDArray... arguments) {
    JniUtils.setGraphExecutorOptimize(false); // else every new length compiles anew
    IValue[] values = Arrays.stream(arguments).map(IValue::from).toArray(IValue[]::new);
    try (IValue result = IValueUtils.runMethod(block, "forward", values)) {
      if (!result.isTensor()) {
        throw LockstepException.user(
            "Cannot use the exported model %s: its forward returns %s. Export it with a forward that returns the logits as one tensor."
                .formatted(file, result.getType()));
      }
      PtNDArray logits = result.toTensor(scope);
      requireShape(logits.getShape().getShape(), shape);

      return logits;
    } finally {
      Arrays.stream(values).forEach(IValue::close);
    }
  }

  private void requireShape(long[] actual, long[] ids) {
    if (actual.length != 3 || actual[0] != ids[0] || actual[1] != ids[1]) {
      throw LockstepException.user(
          "Cannot use the exported model %s: its forward maps ids of shape %s to a tensor of shape %s. Export it with a forward that returns logits of shape [rows, length, vocabulary]."
              .formatted(file, Arrays.toString(ids), Arrays.toString(actual)));
    }
    if (actual[2] != vocabulary) {
      throw LockstepException.user(
          "Cannot use the exported model %s with model.torchscript.vocab_size=%d: its logits are of %d ids. Set model.torchscript.vocab_size=%d, and the other ids to those of this model."
              .formatted(file, vocabulary, actual[2], actual[2]));
    }
  }

  private static PtNDArray tensor(PtNDManager scope, long[] values, long[] shape) {
    return (PtNDArray) scope.create(values, new Shape(shape));
  }

  /** What PyTorch says in the end: before it comes the program's stack. */
  private static String reason(EngineException e) {
    List<String> lines =
        String.valueOf(e.getMessage())
            .lines()
            .map(String::strip)
            .filter(l -> !l.isEmpty())
            .toList();

    return lines.stream()
        .filter(line -> line.contains("Error: "))
        .reduce((earlier, later) -> later)
        .orElse(lines.isEmpty() ? "no reason given" : lines.get(0));
  }

  @Override
  public void close() {
    block.close();
    manager.close();
  }
}
