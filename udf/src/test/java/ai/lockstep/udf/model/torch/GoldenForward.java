package ai.lockstep.udf.model.torch;

import ai.lockstep.udf.golden.Golden;
import ai.lockstep.udf.golden.GoldenTensor;
import ai.lockstep.udf.model.Alignment;
import ai.lockstep.udf.model.MaskedDiffusionModel;
import ai.lockstep.udf.model.Pass;
import ai.lockstep.udf.model.Proposals;
import ai.lockstep.udf.model.RowPass;
import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** The cases of {@code forward.json}: what to ask a model, and the logits it should answer. */
final class GoldenForward {

  /** Cases that are one pass over whole rows with the weights of {@code golden/model}. */
  static final List<String> WHOLE_ROWS =
      List.of("plain", "masked", "left_padded", "long", "block_causal");

  /** Cases that fill a cache slot and then ask for a window. */
  static final List<String> CACHED = List.of("prefix_cache", "dual_cache");

  private static final int BLOCK_CAUSAL_PROMPT = 6;
  private static final int BLOCK_CAUSAL_BLOCK = 4;

  private GoldenForward() {}

  /**
   * A model's unshifted logits at all stored positions of a case, padding left out: rows of
   * different lengths where the reference pads.
   */
  static float[][] answer(MaskedDiffusionModel model, String name) {
    if (CACHED.contains(name)) {
      return cachedAnswer(model, name);
    }
    List<RowPass> rows = new ArrayList<>();
    for (int[] ids : ids(name)) {
      Pass pass = wantingLogits(ids);
      rows.add(
          new RowPass(
              name.equals("block_causal") ? pass.withBlockCausalMask(blockEnds(ids.length)) : pass,
              RowPass.NO_SLOT));
    }
    List<float[]> answers = new ArrayList<>();
    List<Proposals> proposals = model.propose(rows);
    for (int b = 0; b < rows.size(); b++) {
      for (int position : storedPositions(name, b)) {
        answers.add(proposals.get(b).logits(position).orElseThrow());
      }
    }

    return answers.toArray(float[][]::new);
  }

  private static float[][] cachedAnswer(MaskedDiffusionModel model, String name) {
    JsonNode example = example(name);
    int[] before = Golden.ints(example.get("input_ids").get(0));
    int[] after = Golden.ints(example.get("then_ids").get(0));
    int from = example.get("from").asInt();
    int to = example.path("to").asInt(after.length);
    int slot = model.openSlot(after.length);
    Pass fill = Pass.full(before, new int[] {0}, Alignment.IN_PLACE);
    Pass window =
        Pass.window(after, from, to, IntStream.range(from, to).toArray(), Alignment.IN_PLACE)
            .withLogits();
    model.propose(List.of(new RowPass(fill, slot)));
    Proposals proposals = model.propose(List.of(new RowPass(window, slot))).get(0);
    model.closeSlot(slot);

    return IntStream.range(0, to - from)
        .mapToObj(i -> proposals.logits(i).orElseThrow())
        .toArray(float[][]::new);
  }

  /** The reference's logits in the order of {@link #answer}. */
  static float[][] expected(String name) {
    GoldenTensor stored = GoldenTensor.of(name + ".logits");
    List<float[]> expected = new ArrayList<>();
    for (int b = 0; b < stored.shape()[0]; b++) {
      int padded =
          CACHED.contains(name) ? 0 : (int) stored.shape()[1] - storedPositions(name, b).length;
      for (int s = padded; s < stored.shape()[1]; s++) {
        expected.add(stored.row(b, s));
      }
    }

    return expected.toArray(float[][]::new);
  }

  /** A case's rows without their left padding. */
  static List<int[]> ids(String name) {
    List<int[]> rows = new ArrayList<>();
    for (JsonNode stored : example(name).get("input_ids")) {
      int[] row = Golden.ints(stored);
      rows.add(Arrays.copyOfRange(row, padding(name, rows.size()), row.length));
    }

    return rows;
  }

  /** Exclusive ends of the blocks of case {@code block_causal}: a prompt, then blocks of four. */
  static int[] blockEnds(int length) {
    return IntStream.iterate(
            BLOCK_CAUSAL_PROMPT,
            end -> end < length + BLOCK_CAUSAL_BLOCK,
            end -> end + BLOCK_CAUSAL_BLOCK)
        .map(end -> Math.min(end, length))
        .toArray();
  }

  /** A pass that asks for the logits of every position, unshifted. */
  static Pass wantingLogits(int[] ids) {
    return Pass.full(ids, IntStream.range(0, ids.length).toArray(), Alignment.IN_PLACE)
        .withLogits();
  }

  /** Stored positions of a row, counted from the row's first real token. */
  private static int[] storedPositions(String name, int row) {
    int padding = padding(name, row);

    return Arrays.stream(Golden.ints(example(name).get("positions_stored")))
        .map(position -> position - padding)
        .filter(position -> position >= 0)
        .toArray();
  }

  private static int padding(String name, int row) {
    int padding = 0;
    for (JsonNode real : example(name).path("attention_mask").path(row)) {
      padding += 1 - real.asInt();
    }

    return padding;
  }

  private static JsonNode example(String name) {
    for (JsonNode example : Golden.json("forward.json").get("cases")) {
      if (example.get("name").asText().equals(name)) {
        return example;
      }
    }
    throw new IllegalArgumentException(name);
  }
}
