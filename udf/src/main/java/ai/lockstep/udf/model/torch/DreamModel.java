package ai.lockstep.udf.model.torch;

import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.jni.IValue;
import ai.lockstep.udf.checkpoint.Checkpoint;
import ai.lockstep.udf.model.Alignment;
import ai.lockstep.udf.model.MaskedDiffusionModel;
import ai.lockstep.udf.model.ModelSpec;
import ai.lockstep.udf.model.Pass;
import ai.lockstep.udf.model.Proposals;
import ai.lockstep.udf.model.RowPass;
import ai.lockstep.udf.model.Sampling;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A Dream checkpoint on PyTorch: float32 on a CPU, bfloat16 on a GPU, statistics always in float32.
 *
 * <p>Rows are right-padded to the longest of their batch and padded keys are masked; positions are
 * 0..n-1 in every row (rotary angles are relative, so upstream's left padding gives the same). Only
 * the outputs that predict a target go through the output head, {@link #SLICE} at a time, so that
 * memory is bounded at SLICE x vocabulary floats whatever the batch.
 *
 * <p>Source: modeling_dream.py and generation_utils.py of Dream-org/Dream-v0-Instruct-7B.
 */
public final class DreamModel implements MaskedDiffusionModel {

  /** Target rows per call of the output head: 1024 x 152064 float32 are 0.6 GB. */
  private static final int SLICE = 1024;

  /** A row shorter than this share of its batch's longest starts a batch of its own. */
  private static final double LEAST_SHARE_OF_LONGEST = 0.5;

  private static final int FIRST_SLOTS = 8;
  private static final long[] NO_LONGS = {};
  private static final double[] NO_DOUBLES = {};

  private final ModelSpec spec;
  private final TorchDevice device;
  private final DreamKernel kernel;
  private final BitSet openSlots = new BitSet();
  private int slots;
  private int slotPositions;

  private DreamModel(ModelSpec spec, TorchDevice device, DreamKernel kernel) {
    this.spec = spec;
    this.device = device;
    this.kernel = kernel;
  }

  /**
   * Uploads a checkpoint's weights.
   *
   * @param tokenCount ids below this have a token, from the tokenizer
   * @throws ai.lockstep.failure.LockstepException when tensors are missing or misshapen
   */
  public static DreamModel load(Checkpoint checkpoint, int tokenCount, TorchDevice device) {
    var config = checkpoint.config();
    ModelSpec spec =
        new ModelSpec(
            checkpoint.name(),
            config.vocabSize(),
            Math.min(tokenCount, config.vocabSize()),
            config.maskId(),
            config.padId(),
            config.eosIds(),
            config.maxPositions(),
            Alignment.SHIFTED);
    var weights = checkpoint.weights();
    DreamKernel kernel = new DreamKernel(device.device());
    try {
      new WeightUpload(kernel, checkpoint, weights, device).run();
      return new DreamModel(spec, device, kernel);
    } catch (RuntimeException e) {
      kernel.close();
      throw e;
    }
  }

  @Override
  public ModelSpec spec() {
    return spec;
  }

  /** Where the model lives. */
  public TorchDevice device() {
    return device;
  }

  /** One sequence of a batch: a row, or the unconditional twin of a guided one. */
  private record Lane(int pass, RowPass row, int[] tokens) {

    int window() {
      return row.pass().to() - row.pass().from();
    }

    int length() {
      return row.pass().length();
    }

    boolean isCached() {
      return row.slot() != RowPass.NO_SLOT;
    }
  }

  @Override
  public List<Proposals> propose(List<RowPass> rows) {
    Proposals[] answers = new Proposals[rows.size()];
    List<Lane> lanes = new ArrayList<>();
    for (int i = 0; i < rows.size(); i++) {
      Pass pass = rows.get(i).pass();
      lanes.add(new Lane(i, rows.get(i), pass.tokens()));
    }
    for (List<Lane> batch : batches(lanes)) {
      run(batch, answers);
    }
    return List.of(answers);
  }

  /** Cached and uncached rows apart, and no short row padded to more than twice its length. */
  private static List<List<Lane>> batches(List<Lane> lanes) {
    List<Lane> sorted = new ArrayList<>(lanes);
    sorted.sort(
        Comparator.comparing(Lane::isCached)
            .thenComparing(Lane::window, Comparator.reverseOrder()));
    List<List<Lane>> batches = new ArrayList<>();
    for (Lane lane : sorted) {
      List<Lane> last = batches.isEmpty() ? List.of() : batches.get(batches.size() - 1);
      boolean fits =
          !last.isEmpty()
              && last.get(0).isCached() == lane.isCached()
              && lane.window() >= LEAST_SHARE_OF_LONGEST * last.get(0).window();
      if (!fits) {
        last = new ArrayList<>();
        batches.add(last);
      }
      last.add(lane);
    }
    return batches;
  }

  private void run(List<Lane> rows, Proposals[] answers) {
    List<Lane> lanes = new ArrayList<>(rows);
    for (Lane lane : rows) {
      int[] unconditional = lane.row.pass().unconditionalTokens();
      if (unconditional.length > 0) {
        if (lane.isCached()) {
          throw new IllegalArgumentException("A guided pass cannot use a cache slot");
        }
        lanes.add(new Lane(lane.pass, lane.row, unconditional));
      }
    }
    try (PtNDManager scope = kernel.newScope()) {
      read(scope, lanes);
    }
    Map<Question, List<Lane>> groups = new LinkedHashMap<>();
    for (Lane lane : rows) {
      groups.computeIfAbsent(Question.of(lane.row.pass()), q -> new ArrayList<>()).add(lane);
    }
    groups.forEach((question, group) -> answer(question, group, lanes, answers));
  }

  /** What must be equal for targets of different rows to be answered by one call. */
  private record Question(
      Sampling sampling, boolean guided, double scale, boolean given, boolean logits) {

    static Question of(Pass pass) {
      return new Question(
          pass.sampling(),
          pass.unconditionalTokens().length > 0,
          pass.guidanceScale(),
          pass.givenTokens().length > 0,
          pass.logitsWanted());
    }
  }

  /** The transformer's body over a batch; the final states stay on the device. */
  private void read(PtNDManager scope, List<Lane> lanes) {
    boolean cached = lanes.get(0).isCached();
    int longest = lanes.stream().mapToInt(Lane::window).max().orElseThrow();
    int longestRow = lanes.stream().mapToInt(Lane::length).max().orElseThrow();
    int width = roundUp(longest);
    int span = cached ? Math.min(roundUp(longestRow), slotPositions) : width;
    int batch = lanes.size();
    boolean blockCausal = lanes.stream().anyMatch(lane -> lane.row.pass().blockEnds().length > 0);
    boolean masked = blockCausal || lanes.stream().anyMatch(lane -> lane.length() != span);

    long[] ids = new long[batch * width];
    long[] positions = new long[batch * width];
    Arrays.fill(ids, spec.padId());
    int visibleWidth = blockCausal ? width : 1;
    long[] visible = new long[batch * visibleWidth];
    for (int b = 0; b < batch; b++) {
      Lane lane = lanes.get(b);
      Pass pass = lane.row.pass();
      for (int i = 0; i < width; i++) {
        boolean real = i < lane.window();
        int position = pass.from() + i;
        ids[b * width + i] = real ? lane.tokens[position] : spec.padId();
        // Padding is written to the place behind the last position, which nothing reads.
        positions[b * width + i] = real ? position : cached ? slotPositions : i;
      }
      Arrays.fill(visible, b * visibleWidth, (b + 1) * visibleWidth, lane.length());
      int[] ends = pass.blockEnds();
      for (int i = 0, block = 0; ends.length > 0 && i < lane.window(); i++) {
        while (ends[block] <= pass.from() + i) {
          block++;
        }
        visible[b * width + i] = ends[block];
      }
    }
    kernel.call(
        "read",
        tensor(scope, ids, batch, width),
        tensor(scope, positions, batch, width),
        masked ? tensor(scope, visible, batch, visibleWidth) : tensor(scope, NO_LONGS, 0),
        cached
            ? tensor(scope, lanes.stream().mapToLong(lane -> lane.row.slot()).toArray(), batch)
            : tensor(scope, NO_LONGS, 0),
        IValue.from(span));
  }

  private int roundUp(int length) {
    int granularity = device.granularity();
    return (length + granularity - 1) / granularity * granularity;
  }

  private void answer(Question question, List<Lane> group, List<Lane> lanes, Proposals[] answers) {
    int count = group.stream().mapToInt(lane -> lane.row.pass().targetCount()).sum();
    long[] rows = new long[count];
    long[] sources = new long[count];
    long[] freeRows = question.guided ? new long[count] : NO_LONGS;
    long[] given = question.given ? new long[count] : NO_LONGS;
    double[] uniforms = question.sampling.draws() ? new double[count] : NO_DOUBLES;
    int at = 0;
    for (Lane lane : group) {
      Pass pass = lane.row.pass();
      int row = lane.isCached() ? lane.row.slot() : lanes.indexOf(lane);
      int freeRow = question.guided ? twin(lane, lanes) : 0;
      // States of a cached row are kept by position, those of an uncached one start at 0 as well.
      int[] passGiven = pass.givenTokens();
      double[] passUniforms = pass.uniforms();
      for (int i = 0; i < pass.targetCount(); i++, at++) {
        rows[at] = row;
        sources[at] = pass.alignment().source(pass.target(i));
        if (question.guided) {
          freeRows[at] = freeRow;
        }
        if (question.given) {
          given[at] = passGiven[i];
        }
        if (question.sampling.draws()) {
          uniforms[at] = passUniforms[i];
        }
      }
    }
    Sampling sampling = question.sampling;
    try (PtNDManager scope = kernel.newScope()) {
      PtNDArray[] result =
          kernel.callForTensors(
              scope,
              "answer",
              tensor(scope, rows, count),
              tensor(scope, sources, count),
              tensor(scope, freeRows, freeRows.length),
              IValue.from(question.scale),
              IValue.from(spec.maskId()),
              IValue.from(spec.tokenCount()),
              IValue.from(sampling.suppressSpecial()),
              IValue.from(sampling.draws() ? sampling.temperature() : 0.0),
              IValue.from(sampling.topP()),
              IValue.from(sampling.topK()),
              IValue.from((PtNDArray) scope.create(uniforms, new Shape(uniforms.length))),
              tensor(scope, given, given.length),
              IValue.from(SLICE),
              IValue.from(question.logits));
      Statistics statistics = new Statistics(result, spec.vocabSize());
      int from = 0;
      for (Lane lane : group) {
        int targets = lane.row.pass().targetCount();
        answers[lane.pass] = statistics.proposals(from, targets, question);
        from += targets;
      }
    }
  }

  private static int twin(Lane lane, List<Lane> lanes) {
    for (int i = lanes.size() - 1; i >= 0; i--) {
      if (lanes.get(i).pass == lane.pass) {
        return i;
      }
    }
    throw new IllegalStateException("A guided row has no unconditional twin");
  }

  /** The columns that the kernel's {@code slice} puts side by side. */
  private static final class Statistics {

    private static final int COLUMNS = 5;

    private final long[] tokens;
    private final float[] numbers;
    private final float[] logits;
    private final int vocabulary;

    Statistics(PtNDArray[] result, int vocabulary) {
      this.tokens = result[0].toLongArray();
      this.numbers = result[1].toFloatArray();
      this.logits = result.length > 2 ? result[2].toFloatArray() : new float[0];
      this.vocabulary = vocabulary;
    }

    Proposals proposals(int from, int count, Question question) {
      int[] chosen = new int[count];
      for (int i = 0; i < count; i++) {
        chosen[i] = (int) tokens[from + i];
      }
      float[][] rows = new float[question.logits ? count : 0][];
      for (int i = 0; i < rows.length; i++) {
        int start = (from + i) * vocabulary;
        rows[i] = Arrays.copyOfRange(logits, start, start + vocabulary);
      }
      return new Proposals(
          chosen,
          column(0, from, count),
          column(1, from, count),
          column(2, from, count),
          column(3, from, count),
          question.given ? column(4, from, count) : new float[0],
          rows);
    }

    private float[] column(int column, int from, int count) {
      float[] values = new float[count];
      for (int i = 0; i < count; i++) {
        values[i] = numbers[(from + i) * COLUMNS + column];
      }
      return values;
    }
  }

  private static IValue tensor(PtNDManager scope, long[] values, long... shape) {
    PtNDArray array = (PtNDArray) scope.create(values, new Shape(shape));
    return IValue.from(array);
  }

  @Override
  public int openSlot(int length) {
    int slot = openSlots.nextClearBit(0);
    if (slot >= slots || length > slotPositions) {
      int newSlots = slot < slots ? slots : Math.max(FIRST_SLOTS, 2 * slots);
      int newPositions = Math.max(slotPositions, roundUp(length));
      kernel.call("reserve", IValue.from(newSlots), IValue.from(newPositions));
      slots = newSlots;
      slotPositions = newPositions;
    }
    openSlots.set(slot);
    return slot;
  }

  @Override
  public void closeSlot(int slot) {
    if (!openSlots.get(slot)) {
      throw new IllegalArgumentException("Cache slot " + slot + " is not open");
    }
    openSlots.clear(slot);
  }

  @Override
  public void close() {
    kernel.close();
  }

  @Override
  public String toString() {
    return "DreamModel[%s on %s]".formatted(spec.name(), device);
  }
}
