package ai.lockstep.udf.model.torch;

import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.jni.IValue;
import ai.lockstep.udf.checkpoint.Checkpoint;
import ai.lockstep.udf.checkpoint.CheckpointConfig;
import ai.lockstep.udf.checkpoint.Weights;
import ai.lockstep.udf.model.Alignment;
import ai.lockstep.udf.model.MaskedDiffusionModel;
import ai.lockstep.udf.model.ModelSpec;
import ai.lockstep.udf.model.Pass;
import ai.lockstep.udf.model.Proposals;
import ai.lockstep.udf.model.RowPass;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;
import java.util.function.Consumer;

/**
 * A Dream checkpoint on PyTorch: float32 on a CPU, bfloat16 on a GPU, statistics always in float32.
 *
 * <p>Rows of any lengths are laid end to end without padding ({@link PackedBatch}); positions are
 * 0..n-1 in every row (rotary angles are relative, so upstream's left padding gives the same). Only
 * the outputs that predict a target go through the {@link OutputHead}.
 *
 * <p>Deliberate differences to upstream on bfloat16, all to the exact side: the weight of a norm is
 * applied before rounding, a residual is added before rounding, rotation rounds once; and the
 * entropy leaves out the 1e-10 inside the logarithm, which is worth less than 2e-5 at 152,064 ids.
 *
 * <p>Source: modeling_dream.py and generation_utils.py of Dream-org/Dream-v0-Instruct-7B.
 */
public final class DreamModel implements MaskedDiffusionModel {

  private static final int FIRST_SLOTS = 8;
  private static final int FIRST_POSITIONS = 2048;

  private final ModelSpec spec;
  private final TorchDevice device;
  private final DreamKernel kernel;
  private final OutputHead head;
  private final BitSet openSlots = new BitSet();
  private int slots;
  private int slotPositions;
  private int rotaryPositions;

  private DreamModel(ModelSpec spec, TorchDevice device, DreamKernel kernel) {
    this.spec = spec;
    this.device = device;
    this.kernel = kernel;
    this.head = new OutputHead(kernel, spec);
  }

  /**
   * Uploads a checkpoint's weights.
   *
   * @param tokenCount ids below this have a token, from the tokenizer
   * @throws ai.lockstep.failure.LockstepException when tensors are missing or misshapen
   */
  public static DreamModel load(Checkpoint checkpoint, int tokenCount, TorchDevice device) {
    Weights weights = checkpoint.weights();

    return load(
        spec(checkpoint.name(), checkpoint.config(), tokenCount),
        device,
        new DreamKernel(device),
        kernel -> new WeightUpload(kernel, checkpoint, weights, device).run());
  }

  /**
   * A model of a given size with random weights made on the device: for measuring speed without a
   * checkpoint of that size.
   *
   * @param config the sizes
   * @param tokenCount ids below this count as having a token
   */
  public static DreamModel random(CheckpointConfig config, int tokenCount, TorchDevice device) {
    return random(config, tokenCount, device, new DreamKernel(device));
  }

  /** A random model on a kernel that the model closes. */
  static DreamModel random(
      CheckpointConfig config, int tokenCount, TorchDevice device, DreamKernel kernel) {
    return load(
        spec("random", config, tokenCount),
        device,
        kernel,
        given -> WeightUpload.random(given, config, device));
  }

  /**
   * What a Dream checkpoint says of itself.
   *
   * @param name for people
   * @param tokenCount ids below this have a token
   */
  public static ModelSpec spec(String name, CheckpointConfig config, int tokenCount) {
    return new ModelSpec(
        name,
        config.vocabSize(),
        Math.min(tokenCount, config.vocabSize()),
        config.maskId(),
        config.padId(),
        config.eosIds(),
        config.maxPositions(),
        Alignment.SHIFTED);
  }

  private static DreamModel load(
      ModelSpec spec, TorchDevice device, DreamKernel kernel, Consumer<DreamKernel> weights) {
    try {
      weights.accept(kernel);

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

  @Override
  public List<Proposals> propose(List<RowPass> rows) {
    Proposals[] answers = new Proposals[rows.size()];
    List<Integer> cached = new ArrayList<>();
    List<Integer> uncached = new ArrayList<>();
    for (int i = 0; i < answers.length; i++) {
      (rows.get(i).slot() == RowPass.NO_SLOT ? uncached : cached).add(i);
    }
    // Neighbouring slots in order are one block of memory for attention.
    cached.sort(Comparator.comparing(i -> rows.get(i).slot()));
    if (!cached.isEmpty()) {
      run(rows, cached, true, answers);
    }
    if (!uncached.isEmpty()) {
      run(rows, uncached, false, answers);
    }

    return List.of(answers);
  }

  private void run(List<RowPass> rows, List<Integer> chosen, boolean cached, Proposals[] answers) {
    List<PackedBatch.Lane> lanes = new ArrayList<>();
    for (int row : chosen) {
      Pass pass = rows.get(row).pass();
      lanes.add(new PackedBatch.Lane(pass.tokens(), pass, Math.max(0, rows.get(row).slot())));
    }
    int[] twins = new int[chosen.size()];
    for (int i = 0; i < twins.length; i++) {
      Pass pass = lanes.get(i).pass();
      if (pass.unconditionalTokens().length > 0) {
        if (cached) {
          throw new IllegalArgumentException("A guided pass cannot use a cache slot");
        }
        twins[i] = lanes.size();
        lanes.add(new PackedBatch.Lane(pass.unconditionalTokens(), pass, 0));
      }
    }
    PackedBatch batch =
        new PackedBatch(lanes, cached, slotPositions, device.granularity(), spec.padId());
    read(batch);
    List<OutputHead.Row> asked = new ArrayList<>();
    for (int i = 0; i < twins.length; i++) {
      asked.add(
          new OutputHead.Row(
              chosen.get(i), lanes.get(i).pass(), batch.firstState(i), batch.firstState(twins[i])));
    }
    head.answer(asked, answers);
  }

  /** The transformer's body over a batch; the final states stay on the device. */
  private void read(PackedBatch batch) {
    if (batch.longestRow() > rotaryPositions) {
      rotaryPositions = Math.max(FIRST_POSITIONS, 2 * batch.longestRow());
      kernel.call("prepare", IValue.from(rotaryPositions));
    }
    try (PtNDManager scope = kernel.newScope()) {
      kernel.call(
          "read",
          DreamKernel.tensor(scope, batch.plan()),
          IValue.from(batch.tokens()),
          IValue.listFrom(batch.rows()),
          IValue.from(batch.spacing()),
          IValue.from(batch.cached()),
          IValue.from(batch.causal()));
    }
  }

  private int roundUp(int length) {
    int granularity = device.granularity();
    return (length + granularity - 1) / granularity * granularity;
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
