package ai.lockstep.udf.model.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;
import static org.assertj.core.api.Assertions.within;

import ai.lockstep.udf.checkpoint.Checkpoint;
import ai.lockstep.udf.checkpoint.CheckpointConfig;
import ai.lockstep.udf.checkpoint.CheckpointLocator;
import ai.lockstep.udf.checkpoint.CheckpointSource;
import ai.lockstep.udf.golden.Golden;
import ai.lockstep.udf.model.Alignment;
import ai.lockstep.udf.model.Pass;
import ai.lockstep.udf.model.Proposals;
import ai.lockstep.udf.model.RowPass;
import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DreamModelTest {

  private static final float LOGITS_TOLERANCE = 1e-3f;
  private static final float LOGP_TOLERANCE = 1e-3f;

  /**
   * Two ways of adding the same float32 numbers up, to logits of about 10, whose last bit is 1e-6:
   * processors with other vector units differ by up to 2e-5.
   */
  private static final float ROUNDING = 1e-4f;

  private static final int TOKEN_COUNT = 304;
  private static final int VOCABULARY = 320;

  private static DreamModel model;

  @BeforeAll
  static void load() {
    model = load("model");
  }

  @AfterAll
  static void close() {
    model.close();
  }

  @Nested
  class AgainstTheReferencesForward {

    @ParameterizedTest
    @ValueSource(
        strings = {
          "plain",
          "masked",
          "left_padded",
          "long",
          "block_causal",
          "prefix_cache",
          "dual_cache"
        })
    void answersTheSameLogits(String name) {
      assertThatRowsMatch(
          GoldenForward.answer(model, name), GoldenForward.expected(name), LOGITS_TOLERANCE);
    }

    @Test
    void readsBfloat16WeightsFromShards() {
      try (DreamModel rounded = load("model_bf16_sharded")) {
        assertThatRowsMatch(
            GoldenForward.answer(rounded, "bf16_weights"),
            GoldenForward.expected("bf16_weights"),
            LOGITS_TOLERANCE);
      }
    }
  }

  @Nested
  class LogProbabilities {

    @Test
    void agreeWithTheGoldenEstimatesOfGivenTokens() {
      for (JsonNode example : Golden.json("logprobs.json").get("cases")) {
        int[] prompt = Golden.ints(example.get("prompt_ids"));
        int[] completion = Golden.ints(example.get("completion_ids"));
        int[] targets = IntStream.range(0, completion.length).map(i -> prompt.length + i).toArray();
        int[] tokens = Arrays.copyOf(prompt, prompt.length + completion.length);
        Arrays.fill(tokens, prompt.length, tokens.length, model.spec().maskId());
        Pass pass = Pass.full(tokens, targets, Alignment.SHIFTED).withGivenTokens(completion);

        Proposals answer = model.propose(List.of(row(pass))).get(0);

        for (int i = 0; i < completion.length; i++) {
          assertThat(answer.givenLogProbability(i))
              .isCloseTo((float) example.get("full").get(i).asDouble(), within(LOGP_TOLERANCE));
        }
      }
    }
  }

  @Nested
  class Batches {

    private final Random random = new Random(7);

    @Test
    void answerEveryRowAsIfItWereAlone() {
      List<RowPass> rows = new ArrayList<>();
      for (int length : new int[] {5, 40, 17, 40, 1, 23}) {
        rows.add(row(GoldenForward.wantingLogits(randomIds(length))));
      }

      List<float[][]> together = logits(rows);

      for (int i = 0; i < rows.size(); i++) {
        assertThatRowsMatch(together.get(i), logits(List.of(rows.get(i))).get(0), ROUNDING);
      }
    }

    @Test
    void mayMixWindowsSlotsAndRowsWithoutSlot() {
      List<Integer> slots = new ArrayList<>();
      List<int[]> ids = new ArrayList<>();
      for (int length : new int[] {30, 12, 25, 30}) {
        ids.add(randomIds(length));
        slots.add(model.openSlot(length));
      }
      // Out of order, so that rows are not one block of the cache.
      Collections.shuffle(slots, random);
      List<RowPass> fill = new ArrayList<>();
      List<RowPass> blocks = new ArrayList<>();
      for (int i = 0; i < ids.size(); i++) {
        int[] row = ids.get(i);
        fill.add(new RowPass(Pass.full(row, new int[] {0}, Alignment.IN_PLACE), slots.get(i)));
        int from = 4 + i;
        int to = Math.min(row.length, from + 8);
        int[] targets = IntStream.range(0, row.length).toArray();
        Pass window = Pass.window(row, from, to, targets, Alignment.IN_PLACE).withLogits();
        blocks.add(new RowPass(window, slots.get(i)));
      }
      int[] loner = randomIds(9);
      blocks.add(2, row(GoldenForward.wantingLogits(loner)));

      model.propose(fill);
      List<float[][]> answers = logits(blocks);

      assertThatRowsMatch(answers.remove(2), fullLogits(loner), ROUNDING);
      for (int i = 0; i < ids.size(); i++) {
        // Nothing has changed since the fill, so cached and fresh are equal everywhere.
        assertThatRowsMatch(answers.get(i), fullLogits(ids.get(i)), ROUNDING);
      }
      slots.forEach(model::closeSlot);
    }

    @Test
    void ofEqualWindowsInNeighbouringSlotsReadTheirOwnCache() {
      List<Integer> slots = List.of(model.openSlot(20), model.openSlot(20), model.openSlot(20));
      List<int[]> ids = List.of(randomIds(20), randomIds(20), randomIds(20));
      List<RowPass> fill = new ArrayList<>();
      List<RowPass> blocks = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        int[] all = IntStream.range(0, 20).toArray();
        fill.add(new RowPass(Pass.full(ids.get(i), all, Alignment.SHIFTED), slots.get(i)));
        Pass window = Pass.window(ids.get(i), 8, 16, all, Alignment.IN_PLACE).withLogits();
        blocks.add(new RowPass(window, slots.get(i)));
      }

      model.propose(fill);
      List<float[][]> answers = logits(blocks);

      for (int i = 0; i < 3; i++) {
        assertThatRowsMatch(answers.get(i), fullLogits(ids.get(i)), ROUNDING);
      }
      slots.forEach(model::closeSlot);
    }

    @Test
    void keepCachesWhenMoreSlotsOrLongerOnesAreOpened() {
      int[] ids = randomIds(16);
      int slot = model.openSlot(16);
      int[] all = IntStream.range(0, 16).toArray();
      model.propose(List.of(new RowPass(Pass.full(ids, all, Alignment.IN_PLACE), slot)));

      List<Integer> more = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        more.add(model.openSlot(30 + 10 * i));
      }
      Pass window = Pass.window(ids, 6, 10, all, Alignment.IN_PLACE).withLogits();
      Proposals answer = model.propose(List.of(new RowPass(window, slot))).get(0);

      assertThatRowsMatch(logits(answer), fullLogits(ids), ROUNDING);
      more.forEach(model::closeSlot);
      model.closeSlot(slot);
    }

    @Test
    void mixBlockCausalRowsWithOthers() {
      int[] causal = GoldenForward.ids("block_causal").get(0);
      int[] plain = randomIds(11);
      Pass first =
          GoldenForward.wantingLogits(causal)
              .withBlockCausalMask(GoldenForward.blockEnds(causal.length));

      List<float[][]> answers =
          logits(List.of(row(first), row(GoldenForward.wantingLogits(plain))));

      assertThatRowsMatch(answers.get(0), GoldenForward.expected("block_causal"), LOGITS_TOLERANCE);
      assertThatRowsMatch(answers.get(1), fullLogits(plain), ROUNDING);
    }

    private int[] randomIds(int length) {
      return random.ints(length, 0, TOKEN_COUNT).toArray();
    }
  }

  @Nested
  class Guidance {

    @Test
    void movesTheLogitsAwayFromTheUnconditionalRow() {
      int[] ids = GoldenForward.ids("masked").get(0);
      int[] unconditional = ids.clone();
      Arrays.fill(unconditional, 0, 9, model.spec().maskId());
      double scale = 0.75;

      float[][] guided =
          logits(List.of(row(GoldenForward.wantingLogits(ids).withGuidance(unconditional, scale))))
              .get(0);

      float[][] conditional = fullLogits(ids);
      float[][] free = fullLogits(unconditional);
      for (int i = 0; i < ids.length; i++) {
        float[] expected = new float[VOCABULARY];
        for (int v = 0; v < VOCABULARY; v++) {
          expected[v] = (float) (free[i][v] + (scale + 1) * (conditional[i][v] - free[i][v]));
        }
        assertThat(guided[i]).containsExactly(expected, offset(1e-4f));
      }
    }

    @Test
    void isRefusedOnACachedRow() {
      int[] ids = GoldenForward.ids("masked").get(0);
      Pass guided = GoldenForward.wantingLogits(ids).withGuidance(ids, 1);
      int slot = model.openSlot(ids.length);

      assertThatThrownBy(() -> model.propose(List.of(new RowPass(guided, slot))))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("A guided pass cannot use a cache slot");

      model.closeSlot(slot);
    }
  }

  @Test
  void answersAPassWithoutTargetsWithNothing() {
    Pass pass = Pass.full(new int[] {1, 2, 3}, new int[0], Alignment.SHIFTED);

    assertThat(model.propose(List.of(row(pass))).get(0).size()).isZero();
  }

  @Test
  void predictsAPositionFromTheOneBeforeItWhenShifted() {
    int[] ids = GoldenForward.ids("plain").get(0);
    int[] all = IntStream.range(0, ids.length).toArray();
    float[][] unshifted = fullLogits(ids);

    float[][] shifted =
        logits(List.of(row(Pass.full(ids, all, Alignment.SHIFTED).withLogits()))).get(0);

    assertThat(shifted[0]).isEqualTo(unshifted[0]);
    for (int i = 1; i < ids.length; i++) {
      assertThat(shifted[i]).isEqualTo(unshifted[i - 1]);
    }
  }

  @Test
  void answersMoreTargetsThanOneSliceOfTheHeadTakes() {
    int[] ids = new Random(3).ints(700, 0, TOKEN_COUNT).toArray();
    int[] all = IntStream.range(0, ids.length).toArray();
    RowPass row = row(Pass.full(ids, all, Alignment.SHIFTED).withSpread());
    Proposals alone = model.propose(List.of(row)).get(0);

    List<Proposals> answers = model.propose(List.of(row, row, row));

    for (Proposals answer : answers) {
      for (int i = 0; i < ids.length; i++) {
        assertThat(answer.p(i)).isCloseTo(alone.p(i), within(ROUNDING));
        assertThat(answer.margin(i)).isCloseTo(alone.margin(i), within(ROUNDING));
      }
    }
  }

  @Test
  void readsItsVocabularyAndSpecialIdsFromTheCheckpoint() {
    assertThat(model.spec().vocabSize()).isEqualTo(VOCABULARY);
    assertThat(model.spec().tokenCount()).isEqualTo(TOKEN_COUNT);
    assertThat(model.spec().maskId()).isEqualTo(303);
    assertThat(model.spec().padId()).isEqualTo(280);
    assertThat(model.spec().eosIds()).containsExactly(280);
    assertThat(model.spec().contextLength()).isEqualTo(2048);
    assertThat(model.spec().alignment()).isEqualTo(Alignment.SHIFTED);
  }

  @Test
  void refusesToCloseASlotThatIsNotOpen() {
    assertThatThrownBy(() -> model.closeSlot(99))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Cache slot 99 is not open");
  }

  @Test
  void runsWithRandomWeightsOfAnySize() {
    CheckpointConfig config = CheckpointConfig.read(Golden.file("model"));
    try (DreamModel random = DreamModel.random(config, TOKEN_COUNT, TorchDevice.cpu())) {
      int[] ids = GoldenForward.ids("plain").get(0);

      Proposals answer =
          random.propose(List.of(row(Pass.full(ids, new int[] {3}, Alignment.SHIFTED)))).get(0);

      assertThat(answer.p(0)).isBetween(1f / VOCABULARY, 1f);
    }
  }

  private static DreamModel load(String name) {
    Checkpoint checkpoint =
        CheckpointLocator.fromEnvironment().locate(new CheckpointSource.Folder(Golden.file(name)));

    return DreamModel.load(checkpoint, TOKEN_COUNT, TorchDevice.cpu());
  }

  private static RowPass row(Pass pass) {
    return new RowPass(pass, RowPass.NO_SLOT);
  }

  private static float[][] fullLogits(int[] ids) {
    return logits(List.of(row(GoldenForward.wantingLogits(ids)))).get(0);
  }

  private static List<float[][]> logits(List<RowPass> rows) {
    List<float[][]> logits = new ArrayList<>();
    model.propose(rows).forEach(answer -> logits.add(logits(answer)));

    return logits;
  }

  private static float[][] logits(Proposals answer) {
    return IntStream.range(0, answer.size())
        .mapToObj(i -> answer.logits(i).orElseThrow())
        .toArray(float[][]::new);
  }

  private static void assertThatRowsMatch(float[][] logits, float[][] expected, float tolerance) {
    assertThat(logits.length).isEqualTo(expected.length);
    for (int i = 0; i < logits.length; i++) {
      assertThat(logits[i])
          .describedAs("row %d", i)
          .containsExactly(expected[i], offset(tolerance));
    }
  }
}
