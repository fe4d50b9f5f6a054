package ai.lockstep.udf.toy;

import ai.lockstep.udf.model.Alignment;
import ai.lockstep.udf.model.LogitsStatistics;
import ai.lockstep.udf.model.MaskedDiffusionModel;
import ai.lockstep.udf.model.ModelSpec;
import ai.lockstep.udf.model.Pass;
import ai.lockstep.udf.model.Proposals;
import ai.lockstep.udf.model.RowPass;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A masked-diffusion model that fits on a page: a target's logits are a sum of numbers, one for
 * each known token of the row, smaller with distance. Tokens 0 to 9, a end token, a mask, and one
 * id without a token. Exact, so that results can be compared bit for bit.
 *
 * <p>It keeps caches as the real one does: what a target attends to outside a pass's window are the
 * tokens that stood there when they were last read. It checks what the interface promises.
 */
public final class ToyModel implements MaskedDiffusionModel {

  public static final int EOS = 10;
  public static final int MASK = 11;
  public static final int CONTEXT = 96;

  private static final int TOKENS = 12;
  private static final int VOCABULARY = 13;
  private static final double REACH = 0.7;
  private static final double SHARPNESS = 6;
  private static final int UNREAD = -1;

  private final ModelSpec spec;
  private final LogitsStatistics statistics;
  private final Map<Integer, int[]> slots = new HashMap<>();
  private boolean closed;
  private int mostOpenSlots;

  public ToyModel(Alignment alignment) {
    this.spec =
        new ModelSpec("toy", VOCABULARY, TOKENS, MASK, EOS, List.of(EOS), CONTEXT, alignment);
    this.statistics = LogitsStatistics.of(spec);
  }

  /** With Dream's alignment. */
  public ToyModel() {
    this(Alignment.SHIFTED);
  }

  @Override
  public ModelSpec spec() {
    return spec;
  }

  @Override
  public List<Proposals> propose(List<RowPass> rows) {
    requireOpen();
    long distinct = rows.stream().mapToInt(RowPass::slot).filter(s -> s >= 0).distinct().count();
    long named = rows.stream().filter(row -> row.slot() >= 0).count();
    if (distinct < named) {
      throw new IllegalArgumentException("A slot is named twice");
    }

    return rows.stream().map(this::propose).toList();
  }

  private Proposals propose(RowPass row) {
    Pass pass = row.pass();
    int[] seen = read(row);
    float[][] logits = new float[pass.targetCount()][];
    for (int i = 0; i < logits.length; i++) {
      logits[i] = logits(pass, pass.target(i), seen);
      if (pass.unconditionalTokens().length > 0) {
        float[] free = logits(pass, pass.target(i), pass.unconditionalTokens());
        for (int v = 0; v < VOCABULARY; v++) {
          logits[i][v] = (float) (free[v] + (pass.guidanceScale() + 1) * (logits[i][v] - free[v]));
        }
      }
    }

    return statistics.propose(pass, logits);
  }

  /** The tokens a pass attends to. */
  private int[] read(RowPass row) {
    Pass pass = row.pass();
    if (row.slot() == RowPass.NO_SLOT) {
      return pass.tokens();
    }
    int[] remembered = slots.get(row.slot());
    if (remembered == null || remembered.length < pass.length()) {
      throw new IllegalArgumentException("Slot %d has no room for %s".formatted(row.slot(), pass));
    }
    for (int i = 0; i < pass.windowLength(); i++) {
      int position = pass.windowPosition(i);
      remembered[position] = pass.token(position);
    }
    int[] seen = Arrays.copyOf(remembered, pass.length());
    if (Arrays.stream(seen).anyMatch(token -> token == UNREAD)) {
      throw new IllegalArgumentException("A position was never read: " + pass);
    }

    return seen;
  }

  private static float[] logits(Pass pass, int target, int[] seen) {
    int end =
        Arrays.stream(pass.blockEnds()).filter(e -> e > target).findFirst().orElse(seen.length);
    float[] logits = new float[VOCABULARY];
    for (int v = 0; v < VOCABULARY; v++) {
      double sum = 0;
      for (int j = 0; j < end; j++) {
        if (seen[j] != MASK) {
          sum += Math.pow(REACH, Math.abs(target - j)) * number(seen[j], target - j, v);
        }
      }
      logits[v] = (float) (SHARPNESS * sum);
    }

    return logits;
  }

  /** In -1 to 1, by a hash. */
  private static double number(int token, int distance, int id) {
    long z = (token * 31L + Integer.signum(distance)) * 31L + id;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;

    return ((z ^ (z >>> 31)) >> 11) * 0x1.0p-52;
  }

  @Override
  public int openSlot(int length) {
    requireOpen();
    int slot = 0;
    while (slots.containsKey(slot)) {
      slot++;
    }
    int[] tokens = new int[length];
    Arrays.fill(tokens, UNREAD);
    slots.put(slot, tokens);
    mostOpenSlots = Math.max(mostOpenSlots, slots.size());

    return slot;
  }

  @Override
  public void closeSlot(int slot) {
    if (slots.remove(slot) == null) {
      throw new IllegalArgumentException("Slot " + slot + " is not open");
    }
  }

  /** Slots not given back. */
  public int openSlots() {
    return slots.size();
  }

  /** The most slots that were open at a time. */
  public int mostOpenSlots() {
    return mostOpenSlots;
  }

  public boolean isClosed() {
    return closed;
  }

  @Override
  public void close() {
    requireOpen();
    closed = true;
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("The model was closed");
    }
  }
}
