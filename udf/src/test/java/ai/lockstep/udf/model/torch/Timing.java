package ai.lockstep.udf.model.torch;

import java.util.Arrays;

/** Wall-clock time of something that ends with its results on the host. */
final class Timing {

  private static final int WARM_UPS = 2;

  private Timing() {}

  /** The median of several runs in seconds, after two that do not count. */
  static double median(int runs, Runnable run) {
    for (int i = 0; i < WARM_UPS; i++) {
      run.run();
    }
    double[] seconds = new double[runs];
    for (int i = 0; i < runs; i++) {
      long start = System.nanoTime();
      run.run();
      seconds[i] = (System.nanoTime() - start) / 1e9;
    }
    Arrays.sort(seconds);

    return seconds[runs / 2];
  }
}
