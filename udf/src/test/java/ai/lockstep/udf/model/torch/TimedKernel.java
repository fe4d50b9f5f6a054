package ai.lockstep.udf.model.torch;

import ai.djl.pytorch.jni.IValue;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/** A model's kernel whose forward passes and parts of them are timed. */
final class TimedKernel extends DreamKernel {

  /**
   * How long a call took.
   *
   * @param host seconds until it returned, with work perhaps still queued on the device
   * @param done seconds until the device had finished
   */
  record Times(double host, double done) {}

  private static final int WARM_UPS = 2;
  private static final int RUNS = 7;

  private boolean waits;
  private Times lastRead = new Times(0, 0);

  TimedKernel(TorchDevice device) {
    super(device, parts());
  }

  private static String parts() {
    try (InputStream in = TimedKernel.class.getResourceAsStream("KernelParts.torchscript")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Whether a forward pass waits for the device before the output head follows. */
  void waitAfterRead(boolean wanted) {
    waits = wanted;
  }

  /** Times of the last forward pass that was waited for, without the output head. */
  Times lastRead() {
    return lastRead;
  }

  @Override
  long call(String method, IValue... arguments) {
    if (!waits || !method.equals("read")) {
      return super.call(method, arguments);
    }
    lastRead = time(method, () -> arguments);

    return 0;
  }

  /** Times a method that leaves its result in the kernel: the median of several calls. */
  Times median(String method, Supplier<IValue[]> arguments) {
    List<Times> times = new ArrayList<>();
    for (int i = -WARM_UPS; i < RUNS; i++) {
      Times call = time(method, arguments);
      if (i >= 0) {
        times.add(call);
      }
    }

    return median(times);
  }

  /** Medians of both times. */
  static Times median(List<Times> times) {
    int middle = times.size() / 2;

    return new Times(
        times.stream().mapToDouble(Times::host).sorted().toArray()[middle],
        times.stream().mapToDouble(Times::done).sorted().toArray()[middle]);
  }

  private Times time(String method, Supplier<IValue[]> arguments) {
    IValue[] given = arguments.get();
    long start = System.nanoTime();
    super.call(method, given);
    long returned = System.nanoTime();
    super.call("settle");

    return new Times((returned - start) / 1e9, (System.nanoTime() - start) / 1e9);
  }
}
