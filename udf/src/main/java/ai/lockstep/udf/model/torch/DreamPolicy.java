package ai.lockstep.udf.model.torch;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.IValueUtils;
import ai.djl.pytorch.jni.JniUtils;
import ai.lockstep.udf.checkpoint.Checkpoint;
import ai.lockstep.udf.checkpoint.CheckpointConfig;
import ai.lockstep.udf.checkpoint.LoraAdapter;
import ai.lockstep.udf.checkpoint.LoraFactors;
import ai.lockstep.udf.checkpoint.StoredTensor;
import ai.lockstep.udf.checkpoint.TrainingState;
import ai.lockstep.udf.checkpoint.Weights;
import ai.lockstep.udf.model.Pass;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.UnaryOperator;

/**
 * A Dream checkpoint that learns: frozen weights, and LoRA factors on every projection that are
 * trained by Adam. Everything is float32; the weights take 4 bytes each.
 *
 * <p>The program is {@code DreamPolicy.torchscript}, which computes what {@link DreamKernel} does
 * without writing over its inputs, so that PyTorch can differentiate it. Rows are padded on the
 * right, and padding is hidden from attention.
 *
 * <p>The policy is W + scale * B A; its reference is W alone. B starts at 0 and A uniformly within
 * 1/sqrt(in), as PEFT does, or both as an adapter has them. One thread at a time.
 */
public final class DreamPolicy implements AutoCloseable {

  private static final List<String> PROJECTIONS =
      List.of(
          "self_attn.q_proj",
          "self_attn.k_proj",
          "self_attn.v_proj",
          "self_attn.o_proj",
          "mlp.gate_proj",
          "mlp.up_proj",
          "mlp.down_proj");

  private final CheckpointConfig config;
  private final PtNDManager manager;
  private final PtSymbolBlock program;
  private final List<PtNDArray> weights = new ArrayList<>();
  private final Map<String, PtNDArray> factors = new LinkedHashMap<>();
  private final LoraFactors.Settings settings;
  private final AdamOptimizer optimizer;

  private DreamPolicy(
      CheckpointConfig config,
      PtNDManager manager,
      PtSymbolBlock program,
      LoraFactors.Settings settings,
      AdamOptimizer optimizer) {
    this.config = config;
    this.manager = manager;
    this.program = program;
    this.settings = settings;
    this.optimizer = optimizer;
  }

  /**
   * Loads a checkpoint; the factors of its adapter, if it has one, are trained on.
   *
   * @param settings rank and alpha of new factors; the adapter's own rank and scale must be these
   * @param learningRate of Adam
   * @param seed of A
   * @throws IllegalArgumentException when the adapter has another rank or scale
   */
  public static DreamPolicy load(
      Checkpoint checkpoint,
      LoraFactors.Settings settings,
      float learningRate,
      long seed,
      TorchDevice device) {
    System.setProperty("ai.djl.offline", "true");
    PtNDManager manager = (PtNDManager) Engine.getEngine("PyTorch").newBaseManager(device.device());
    PtSymbolBlock program =
        TorchProgram.load(manager, DreamPolicy.class, "DreamPolicy", "", Map.of("training", false));
    DreamPolicy policy =
        new DreamPolicy(
            checkpoint.config(), manager, program, settings, new AdamOptimizer(learningRate));
    try {
      Weights stored = checkpoint.weights();
      for (String name : checkpoint.config().tensorShapes().keySet()) {
        policy.weights.add(policy.array("weights[]", stored.tensor(name)));
      }
      policy.addFactors(
          checkpoint.adapter().map(LoraAdapter::updates).orElse(Map.of()),
          new SplittableRandom(seed));
      return policy;
    } catch (RuntimeException e) {
      policy.close();
      throw e;
    }
  }

  private void addFactors(Map<String, LoraAdapter.Update> given, SplittableRandom random) {
    Map<String, long[]> shapes = config.tensorShapes();
    for (int layer = 0; layer < config.layers(); layer++) {
      for (String projection : PROJECTIONS) {
        String module = "model.layers.%d.%s".formatted(layer, projection);
        long[] shape = shapes.get(module + ".weight");
        LoraAdapter.Update update = given.get(module + ".weight");
        PtNDArray a;
        PtNDArray b;
        if (update == null) {
          double bound = 1 / Math.sqrt(shape[1]);
          float[] values = new float[Math.toIntExact(settings.rank() * shape[1])];
          for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextDouble(-bound, bound);
          }
          a = (PtNDArray) manager.create(values, new Shape(settings.rank(), shape[1]));
          b = (PtNDArray) manager.zeros(new Shape(shape[0], settings.rank()), DataType.FLOAT32);
        } else {
          if (update.a().shape()[0] != settings.rank()
              || Math.abs(update.scale() - settings.scale()) > 1e-9) {
            throw new IllegalArgumentException(
                "the adapter has rank %d and scale %s"
                    .formatted(update.a().shape()[0], update.scale()));
          }
          a = array("", update.a());
          b = array("", update.b());
        }
        add(module + ".lora_A", a);
        add(module + ".lora_B", b);
      }
    }
  }

  private void add(String name, PtNDArray factor) {
    factor.setName("factors[]");
    factor.setRequiresGradient(true);
    factors.put(name, factor);
    optimizer.add(name, factor);
  }

  /** A stored tensor in float32. */
  private PtNDArray array(String name, StoredTensor tensor) {
    PtNDArray array = (PtNDArray) manager.create(tensor.toFloats(), new Shape(tensor.shape()));
    array.setName(name);
    return array;
  }

  /**
   * ln softmax(z)[given token] of all targets of all passes, in order, under the policy.
   *
   * @param passes whole rows with given tokens
   */
  public float[] logProbabilities(List<Pass> passes) {
    return withoutGradient(passes, settings.scale());
  }

  /** The same under the reference: the weights without the factors. */
  public float[] referenceLogProbabilities(List<Pass> passes) {
    return withoutGradient(passes, 0);
  }

  private float[] withoutGradient(List<Pass> passes, double scale) {
    JniUtils.setGradMode(false);
    try (PtNDManager scope = manager.newSubManager(manager.getDevice())) {
      return forward(scope, passes, scale).toFloatArray();
    } finally {
      JniUtils.setGradMode(true);
    }
  }

  /**
   * Computes log-probabilities and adds to the factors' gradients.
   *
   * @param passes whole rows with given tokens, at least one target in all
   * @param gradient from the log-probabilities, as {@link #logProbabilities} orders them, to the
   *     loss's derivatives by them
   * @return the log-probabilities
   */
  public float[] accumulate(List<Pass> passes, UnaryOperator<float[]> gradient) {
    JniUtils.setGradMode(true);
    try (PtNDManager scope = manager.newSubManager(manager.getDevice())) {
      PtNDArray logp = forward(scope, passes, settings.scale());
      float[] values = logp.toFloatArray();
      float[] derivatives = gradient.apply(values.clone());
      PtNDArray seed = (PtNDArray) scope.create(derivatives, new Shape(derivatives.length));
      JniUtils.backward(logp, seed, false, false);
      return values;
    }
  }

  private PtNDArray forward(PtNDManager scope, List<Pass> passes, double scale) {
    int longest = passes.stream().mapToInt(Pass::length).max().orElseThrow();
    long[] ids = new long[passes.size() * longest];
    long[] lengths = new long[passes.size()];
    int count = passes.stream().mapToInt(Pass::targetCount).sum();
    long[] sources = new long[count];
    long[] given = new long[count];
    int at = 0;
    for (int row = 0; row < lengths.length; row++) {
      Pass pass = passes.get(row);
      lengths[row] = pass.length();
      Arrays.fill(ids, row * longest, (row + 1) * longest, config.padId());
      for (int position = 0; position < pass.length(); position++) {
        ids[row * longest + position] = pass.token(position);
      }
      int[] tokens = pass.givenTokens();
      for (int i = 0; i < tokens.length; i++, at++) {
        sources[at] = (long) row * longest + pass.alignment().source(pass.target(i));
        given[at] = tokens[i];
      }
    }
    NDList inputs = new NDList(weights.size() + factors.size() + 5);
    inputs.addAll(weights);
    inputs.addAll(factors.values());
    inputs.add(named("ids", scope.create(ids, new Shape(lengths.length, longest))));
    inputs.add(named("lengths", scope.create(lengths, new Shape(lengths.length))));
    inputs.add(named("sources", scope.create(sources, new Shape(count))));
    inputs.add(named("given", scope.create(given, new Shape(count))));
    double[] numbers = {config.headSize(), config.rmsNormEps(), config.ropeTheta(), scale};
    inputs.add(named("numbers", scope.create(numbers, new Shape(numbers.length))));
    JniUtils.setGraphExecutorOptimize(false);
    NDList answer = IValueUtils.forward(program, inputs, true);
    answer.attach(scope);
    return (PtNDArray) answer.singletonOrThrow();
  }

  private static NDArray named(String name, NDArray array) {
    array.setName(name);
    return array;
  }

  /**
   * One step of Adam along the gradients accumulated since the last one.
   *
   * @param maxNorm gradients are scaled down to this norm over all factors when they are longer
   * @return the norm before that
   */
  public double step(double maxNorm) {
    double squares = 0;
    for (PtNDArray factor : factors.values()) {
      try (NDArray gradient = factor.getGradient();
          NDArray square = gradient.square();
          NDArray sum = square.sum()) {
        squares += sum.getFloat();
      }
    }
    double norm = Math.sqrt(squares);
    if (!Double.isFinite(norm)) {
      throw new IllegalStateException("The gradient's norm is " + norm);
    }
    double shrink = norm > maxNorm ? maxNorm / norm : 1;
    optimizer.beginStep();
    for (Map.Entry<String, PtNDArray> factor : factors.entrySet()) {
      try (NDArray gradient = factor.getValue().getGradient();
          NDArray shrunk = gradient.mul(shrink)) {
        optimizer.update(factor.getKey(), factor.getValue(), shrunk);
      }
      JniUtils.zeroGrad(factor.getValue());
    }
    return norm;
  }

  /** The derivatives accumulated so far by one factor, row-major: for tests. */
  float[] gradient(String name) {
    try (NDArray gradient = factors.get(name).getGradient()) {
      return gradient.toFloatArray();
    }
  }

  /** Adds to one number of a factor: for tests. */
  void nudge(String name, int index, float by) {
    PtNDArray factor = factors.get(name);
    float[] values = factor.toFloatArray();
    values[index] += by;
    set(factor, values);
  }

  private static void set(PtNDArray factor, float[] values) {
    factor.setRequiresGradient(false);
    factor.set(values);
    factor.setRequiresGradient(true);
  }

  /** The factors as they are now. */
  public LoraFactors factors() {
    Map<String, LoraFactors.Factor> copied = new LinkedHashMap<>();
    factors.forEach((name, factor) -> copied.put(name, copy(factor)));
    return new LoraFactors(settings, copied);
  }

  /**
   * Everything that the next steps depend on, between two steps.
   *
   * @param about see {@link TrainingState#settings}
   */
  public TrainingState state(String about) {
    Map<String, LoraFactors.Factor> tensors = new LinkedHashMap<>(factors().factors());
    optimizer.forEachMoment((name, moment) -> tensors.put(name, copy(moment)));
    return new TrainingState(optimizer.steps(), about, tensors);
  }

  /**
   * Goes on from a state of a policy of the same checkpoint and rank.
   *
   * @throws IllegalArgumentException when it has other tensors
   */
  public void resume(TrainingState state) {
    Map<String, PtNDArray> own = new LinkedHashMap<>(factors);
    optimizer.forEachMoment(own::put);
    if (!own.keySet().equals(state.tensors().keySet())) {
      throw new IllegalArgumentException("The state is of another model");
    }
    own.forEach(
        (name, array) -> {
          float[] values = state.tensors().get(name).values();
          if (factors.containsKey(name)) {
            set(array, values);
          } else {
            array.set(values);
          }
        });
    optimizer.resumeAfter(state.steps());
  }

  private static LoraFactors.Factor copy(PtNDArray array) {
    return new LoraFactors.Factor(array.getShape().getShape(), array.toFloatArray());
  }

  @Override
  public void close() {
    program.close();
    manager.close();
  }
}
