package ai.lockstep.udf.model.torch;

import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.jni.IValue;
import ai.lockstep.failure.LockstepException;
import ai.lockstep.udf.checkpoint.ExportedModel;
import ai.lockstep.udf.model.MaskedDiffusionModel;
import ai.lockstep.udf.model.ModelSpec;
import ai.lockstep.udf.model.Pass;
import ai.lockstep.udf.model.Proposals;
import ai.lockstep.udf.model.RowPass;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Any masked-diffusion model that was exported to TorchScript as a program from ids to logits:
 * LLaDA, for one. It computes in the number format it was exported in; statistics are in float32,
 * by the same kernel method as {@link DreamModel}'s.
 *
 * <p><b>Rows of different lengths.</b> A program that takes a mask gets them in one batch, padded
 * on the right with {@link ModelSpec#padId} and mask 0. A program of ids alone could not tell
 * padding from text, so it gets one batch for each length.
 *
 * <p><b>No cache, no block-causal mask.</b> A program from ids to logits keeps no keys and values:
 * {@link #openSlot} fails, so that a run which names a cache is not mistaken for one that used it.
 *
 * <p>Memory: the logits of a whole batch are held at once, rows x length x vocabulary numbers, and
 * what the {@link OutputHead} takes.
 */
public final class TorchScriptModel implements MaskedDiffusionModel {

  private final ModelSpec spec;
  private final TorchDevice device;
  private final ExportedProgram program;
  private final DreamKernel kernel;
  private final OutputHead head;

  private TorchScriptModel(
      ModelSpec spec, TorchDevice device, ExportedProgram program, DreamKernel kernel) {
    this.spec = spec;
    this.device = device;
    this.program = program;
    this.kernel = kernel;
    this.head = new OutputHead(kernel, spec);
  }

  /**
   * Loads an exported model and runs it once.
   *
   * @param spec what the file does not say of itself
   * @throws LockstepException of category user when PyTorch does not accept the file, or its
   *     program does not map ids to logits over {@code spec.vocabSize()} ids
   */
  public static TorchScriptModel load(ExportedModel model, ModelSpec spec, TorchDevice device) {
    ExportedProgram program =
        new ExportedProgram(model.file(), spec.vocabSize(), spec.padId(), device);

    return new TorchScriptModel(spec, device, program, new DreamKernel(device));
  }

  @Override
  public ModelSpec spec() {
    return spec;
  }

  /** Whether the program takes a mask beside the ids, so that rows may be padded. */
  public boolean takesMask() {
    return program.takesMask();
  }

  @Override
  public List<Proposals> propose(List<RowPass> rows) {
    Map<Integer, List<Integer>> batches = new TreeMap<>();
    for (int i = 0; i < rows.size(); i++) {
      Pass pass = rows.get(i).pass();
      requireWholeRow(rows.get(i));
      int batch = program.takesMask() ? 0 : pass.length();
      batches.computeIfAbsent(batch, key -> new ArrayList<>()).add(i);
    }
    Proposals[] answers = new Proposals[rows.size()];
    for (List<Integer> batch : batches.values()) {
      run(rows, batch, answers);
    }

    return List.of(answers);
  }

  private static void requireWholeRow(RowPass row) {
    if (row.slot() != RowPass.NO_SLOT) {
      throw noCache();
    }
    if (row.pass().blockEnds().length > 0) {
      throw new IllegalArgumentException("An exported model has no block-causal mask");
    }
  }

  private void run(List<RowPass> rows, List<Integer> batch, Proposals[] answers) {
    List<int[]> lanes = new ArrayList<>();
    int[] owns = new int[batch.size()];
    for (int i = 0; i < owns.length; i++) {
      Pass pass = rows.get(batch.get(i)).pass();
      owns[i] = lanes.size();
      lanes.add(pass.tokens());
      if (pass.unconditionalTokens().length > 0) {
        lanes.add(pass.unconditionalTokens());
      }
    }
    try (PtNDManager scope = program.newScope()) {
      long length = read(scope, lanes);
      List<OutputHead.Row> asked = new ArrayList<>();
      for (int i = 0; i < owns.length; i++) {
        Pass pass = rows.get(batch.get(i)).pass();
        asked.add(new OutputHead.Row(batch.get(i), pass, owns[i] * length, (owns[i] + 1) * length));
      }
      head.answer(asked, answers);
    } finally {
      kernel.call("forget"); // else these logits would stay until the next ones are there
    }
  }

  /** Hands the logits of all lanes to the kernel; returns the padded length. */
  private int read(PtNDManager scope, List<int[]> lanes) {
    int longest = lanes.stream().mapToInt(lane -> lane.length).max().orElseThrow();
    int length = program.takesMask() ? roundUp(longest) : longest;
    long[] ids = new long[lanes.size() * length];
    Arrays.fill(ids, spec.padId());
    long[] mask = new long[ids.length];
    for (int r = 0; r < lanes.size(); r++) {
      int[] lane = lanes.get(r);
      for (int i = 0; i < lane.length; i++) {
        ids[r * length + i] = lane[i];
        mask[r * length + i] = 1;
      }
    }
    PtNDArray logits = program.logits(scope, ids, mask, lanes.size());
    kernel.call("take_logits", IValue.from(logits));

    return length;
  }

  private int roundUp(int length) {
    int granularity = device.granularity();
    int rounded = (length + granularity - 1) / granularity * granularity;

    // A program with a table of positions has no more of them than this.
    return Math.max(length, Math.min(rounded, spec.contextLength()));
  }

  /**
   * Fails: an exported model has no cache.
   *
   * @throws LockstepException of category user
   */
  @Override
  public int openSlot(int length) {
    throw noCache();
  }

  @Override
  public void closeSlot(int slot) {
    throw noCache();
  }

  private static LockstepException noCache() {
    return LockstepException.user(
        "Cannot decode an exported model with a cache: its program keeps no keys and values. Set decode.cache=none.");
  }

  @Override
  public void close() {
    kernel.close();
    program.close();
  }

  @Override
  public String toString() {
    return "TorchScriptModel[%s on %s]".formatted(spec.name(), device);
  }
}
