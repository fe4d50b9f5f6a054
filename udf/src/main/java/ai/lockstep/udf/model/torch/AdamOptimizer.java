package ai.lockstep.udf.model.torch;

import ai.djl.ndarray.NDArray;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.jni.JniUtils;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.BiConsumer;

/**
 * Adam without weight decay (arXiv 1412.6980, algorithm 1) over named arrays that are all updated
 * in every step. DJL's own keeps its moments to itself, so that a training could not go on after a
 * kill.
 */
final class AdamOptimizer {

  private static final float BETA_1 = 0.9f;
  private static final float BETA_2 = 0.999f;
  private static final float EPSILON = 1e-8f;

  /** What follows a weight's name in the name of its first moment; PyTorch calls it so. */
  private static final String MEAN = ".exp_avg";

  /** The same for the second moment. */
  private static final String VARIANCE = ".exp_avg_sq";

  private final float learningRate;
  private final Map<String, PtNDArray> moments = new LinkedHashMap<>();
  private int steps;

  AdamOptimizer(float learningRate) {
    this.learningRate = learningRate;
  }

  /** Adds a weight, with moments of 0. */
  void add(String name, PtNDArray weight) {
    for (String moment : new String[] {MEAN, VARIANCE}) {
      PtNDManager manager = weight.getManager();
      moments.put(
          name + moment, (PtNDArray) manager.zeros(weight.getShape(), weight.getDataType()));
    }
  }

  /** Begins a step; every weight is updated once in it. */
  void beginStep() {
    steps++;
  }

  /** Moves a weight along its gradient. */
  void update(String name, PtNDArray weight, NDArray gradient) {
    double correction = Math.sqrt(1 - Math.pow(BETA_2, steps)) / (1 - Math.pow(BETA_1, steps));
    JniUtils.adamUpdate(
        weight,
        (PtNDArray) gradient,
        moments.get(name + MEAN),
        moments.get(name + VARIANCE),
        learningRate,
        (float) (learningRate * correction),
        0,
        1,
        -1,
        BETA_1,
        BETA_2,
        EPSILON,
        false);
  }

  /** Shows all moments by name. */
  void forEachMoment(BiConsumer<String, PtNDArray> seen) {
    moments.forEach(seen);
  }

  /** Steps so far. */
  int steps() {
    return steps;
  }

  /** Goes on after so many steps. */
  void resumeAfter(int given) {
    steps = given;
  }
}
