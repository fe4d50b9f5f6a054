package ai.lockstep.udf.decode;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.lockstep.failure.LockstepException;
import ai.lockstep.udf.model.Pass;
import ai.lockstep.udf.model.Sampling;
import ai.lockstep.udf.toy.ToyModel;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class LockstepDecoderTest {

  private static final ProposalSettings GREEDY =
      ProposalSettings.of(new Sampling(0, 1, Sampling.NO_TOP_K, true));

  private final ToyModel model = new ToyModel();

  private static DecodeRequest request(int... prompt) {
    return new DecodeRequest("row", prompt, 0, "row", 0);
  }

  private Decoding decode(LockstepMode mode, CacheMode cache, int steps, int... prompt) {
    return Decoding.of(Decoders.lockstep(mode, cache, steps, GREEDY), request(prompt), model);
  }

  private Decoding decode(LockstepMode mode, CacheMode cache) {
    return decode(mode, cache, LockstepSettings.AS_LONG_AS_BLOCKS, 3, 4, 5);
  }

  private static int[] positions(Pass pass) {
    return IntStream.range(0, pass.windowLength()).map(pass::windowPosition).toArray();
  }

  @Nested
  class Sweeps {

    @ParameterizedTest
    @EnumSource(LockstepMode.class)
    void laysOutPromptMarkersAndBlocks(LockstepMode mode) {
      Completion completion = decode(mode, CacheMode.NONE).completion();

      assertThat(completion.blocks()).containsExactly(new Block("R", 4, 6), new Block("A", 11, 10));
      assertThat(completion.tokenIds()[0]).isEqualTo(1);
      assertThat(completion.tokenIds()[7]).isEqualTo(2);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 5})
    void neverTakesMoreSweepsThanItsBudgetAndFillsEverything(int steps) {
      for (LockstepMode mode : LockstepMode.values()) {
        for (int first = 0; first < 10; first++) {
          Completion completion = decode(mode, CacheMode.NONE, steps, first, 7).completion();

          assertThat(completion.passes()).allMatch(pass -> pass.sweep() <= steps);
          assertThat(completion.nfe())
              .isLessThanOrEqualTo(mode == LockstepMode.JACOBI ? steps : 2 * steps);
          assertThat(completion.tokenIds()).doesNotContain(ToyModel.MASK);
        }
      }
    }

    @Test
    void gaussSeidelFillsRThenAOnTheUpdatedRow() {
      Decoding decoding = decode(LockstepMode.GAUSS_SEIDEL, CacheMode.NONE);

      assertThat(decoding.completion().passes().subList(0, 2))
          .map(PassRecord::blocks)
          .containsExactly("R", "A");
      Pass answer = decoding.passes().get(1);
      for (Commit commit : decoding.completion().commits()) {
        if (commit.nfe() == 0) {
          assertThat(answer.token(commit.position())).isEqualTo(commit.token());
        }
      }
    }

    @Test
    void jacobiFillsBothFromOnePass() {
      assertThat(decode(LockstepMode.JACOBI, CacheMode.NONE).completion().passes().get(0).blocks())
          .isEqualTo("R+A");
    }

    @ParameterizedTest
    @EnumSource(LockstepMode.class)
    void noPassCommitsMoreThanItsCap(LockstepMode mode) {
      for (int first = 0; first < 10; first++) {
        Map<String, Integer> masks = new HashMap<>(Map.of("R", 6, "A", 10));
        Completion completion =
            decode(mode, CacheMode.NONE, LockstepSettings.AS_LONG_AS_BLOCKS, first).completion();
        for (PassRecord pass : completion.passes()) {
          for (String block : pass.blocks().split("\\+")) {
            List<Commit> commits =
                completion.commits().stream()
                    .filter(c -> c.nfe() == pass.nfe() && c.block().equals(block))
                    .toList();
            long chosen = commits.stream().filter(c -> c.kind() != CommitKind.EOS_FILL).count();
            int left = masks.get(block);
            int need = (left + 10 - pass.sweep()) / (10 - pass.sweep() + 1);
            assertThat(chosen).isLessThanOrEqualTo(Math.max(need, Schedule.cap(0.4, left)));
            masks.merge(block, -commits.size(), Integer::sum);
          }
        }
      }
    }

    @Test
    void leavesOutAnEmptyBlock() {
      LockstepDecoder decoder =
          new LockstepDecoder(LockstepSettings.of(0, 5), new Markers(new int[] {1}, new int[] {2}));

      Completion completion = Decoding.of(decoder, request(3), model).completion();

      assertThat(completion.passes()).isNotEmpty().allMatch(pass -> pass.blocks().equals("A"));
    }
  }

  @Nested
  class EndTokens {

    @Test
    void everythingBehindTheFirstEndTokenOfAIsEndTokensAfterEveryPass() {
      boolean seen = false;
      for (int first = 0; first < 10; first++) {
        for (int second = 0; second < 10; second++) {
          Decoding decoding =
              decode(
                  LockstepMode.GAUSS_SEIDEL,
                  CacheMode.NONE,
                  LockstepSettings.AS_LONG_AS_BLOCKS,
                  first,
                  second);
          for (Pass pass : decoding.passes()) {
            int[] a = Arrays.copyOfRange(pass.tokens(), 10, 20);
            seen |= endsAtItsFirstEndToken(a);
          }
          seen |=
              endsAtItsFirstEndToken(
                  decoding.completion().tokenIds(decoding.completion().blocks().get(1)));
        }
      }
      assertThat(seen).as("some answer has an end token").isTrue();
    }

    private boolean endsAtItsFirstEndToken(int[] a) {
      int end = 0;
      while (end < a.length && a[end] != ToyModel.EOS) {
        end++;
      }
      assertThat(Arrays.copyOfRange(a, end, a.length)).containsOnly(endTokens(a.length - end));

      return end < a.length;
    }

    private int[] endTokens(int count) {
      int[] tokens = new int[count];
      Arrays.fill(tokens, ToyModel.EOS);
      return tokens;
    }

    @Test
    void aTokenSelectedBehindAnEndTokenIsFilledAndNotCommitted() {
      Canvas canvas = canvasOfTen();
      Block a = canvas.blocks().get(0);
      EndToken end = new EndToken(List.of(ToyModel.EOS, 9));

      List<Accepted> filled =
          end.fill(
              canvas,
              a,
              List.of(
                  new Accepted(2, 9, 1, 1, 0, CommitKind.THRESHOLD),
                  new Accepted(1, 5, 1, 1, 0, CommitKind.THRESHOLD),
                  new Accepted(3, 5, 1, 1, 0, CommitKind.THRESHOLD)));

      assertThat(filled)
          .map(token -> "%d %d %s".formatted(token.position(), token.token(), token.kind()))
          .containsExactly("2 9 THRESHOLD", "1 5 THRESHOLD", "3 10 EOS_FILL", "4 10 EOS_FILL");
    }

    private Canvas canvasOfTen() {
      Canvas canvas =
          Canvas.forPrompt(request(7), model.spec(), model.spec().alignment(), 4, "nothing");
      canvas.appendBlock("A", 4);

      return canvas;
    }
  }

  @Nested
  class Caches {

    @ParameterizedTest
    @EnumSource(LockstepMode.class)
    void aPassReadsItsBlockItsHaloAndWhatChanged(LockstepMode mode) {
      Decoding decoding = decode(mode, CacheMode.DUAL);
      Map<Integer, Integer> read = new HashMap<>();
      int full = 0;
      for (int nfe = 0; nfe < decoding.passes().size(); nfe++) {
        Pass pass = decoding.passes().get(nfe);
        int[] window = positions(pass);
        full += pass.windowIsWholeRow() ? 1 : 0;
        if (decoding.completion().passes().get(nfe).blocks().equals("R")) {
          assertThat(window).contains(IntStream.range(3, 11).toArray());
        }
        for (int position : window) {
          read.put(position, pass.token(position));
        }
        for (int position = 0; position < pass.length(); position++) {
          assertThat(read.get(position)).as("read as it is now").isEqualTo(pass.token(position));
        }
      }
      assertThat(full).as("refreshes").isBetween(1, 2);
      assertThat(decoding.passes().stream().anyMatch(pass -> pass.windowLength() < 15)).isTrue();
    }

    @ParameterizedTest
    @EnumSource(LockstepMode.class)
    void prefixReadsToTheEndOfTheRow(LockstepMode mode) {
      for (Pass pass : decode(mode, CacheMode.PREFIX).passes()) {
        assertThat(positions(pass)).contains(20);
        assertThat(pass.to()).isEqualTo(21);
      }
    }

    @Test
    void theFirstPassAndTheFirstAfterABlockIsFinishedReadTheWholeRow() {
      Decoding decoding = decode(LockstepMode.GAUSS_SEIDEL, CacheMode.DUAL);
      List<PassRecord> passes = decoding.completion().passes();

      assertThat(decoding.passes().get(0).windowIsWholeRow()).isTrue();
      int lastOfR =
          IntStream.range(0, passes.size())
              .filter(i -> passes.get(i).blocks().equals("R"))
              .max()
              .orElseThrow();
      if (lastOfR + 1 < passes.size()) {
        assertThat(decoding.passes().get(lastOfR + 1).windowIsWholeRow()).isTrue();
      }
    }

    @Test
    void everyThirtyTwoCommitsThereIsARefresh() {
      LockstepSettings of = LockstepSettings.of(0, 70);
      LockstepDecoder decoder =
          new LockstepDecoder(
              new LockstepSettings(
                  of.mode(),
                  of.tauR(),
                  1,
                  of.maxFillFrac(),
                  of.halo(),
                  of.rLength(),
                  of.aLength(),
                  CacheMode.DUAL,
                  70,
                  of.alg(),
                  List.of(99), // no end token: all 70 are decoded
                  of.proposals()),
              new Markers(new int[] {1, 1, 1, 1, 1, 1, 1, 1}, new int[] {2, 2, 2, 2}));

      Decoding decoding = Decoding.of(decoder, request(3, 4, 5), model);

      int committed = 0;
      int atRefresh = 0;
      for (int nfe = 0; nfe < decoding.passes().size(); nfe++) {
        boolean due = nfe == 0 || committed - atRefresh >= 32;
        assertThat(decoding.passes().get(nfe).windowIsWholeRow()).isEqualTo(due);
        atRefresh = due ? committed : atRefresh;
        committed += decoding.completion().passes().get(nfe).committed();
      }
      assertThat(committed).isEqualTo(70);
    }

    @ParameterizedTest
    @EnumSource(LockstepMode.class)
    void aCacheOfTheToyModelIsExactBecauseItsStatesAreItsTokens(LockstepMode mode) {
      for (CacheMode cache : CacheMode.values()) {
        assertThat(decode(mode, cache).completion().commits())
            .isEqualTo(decode(mode, CacheMode.NONE).completion().commits());
      }
    }
  }

  @Nested
  class BadRows {

    @Test
    void aRowLongerThanTheContextIsRefused() {
      LockstepDecoder decoder = Decoders.lockstep(LockstepMode.JACOBI, CacheMode.NONE, 9, GREEDY);

      assertThatThrownBy(() -> decoder.start(request(new int[79]), model.spec()))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage(
              "Cannot decode row row: its prompt of 79 tokens and 18 positions to fill exceed the model's context of 96. Shorten the prompt or lower decode.r_length or decode.a_length.");
    }

    @Test
    void idsOutsideTheVocabularyAreRefused() {
      LockstepDecoder decoder = Decoders.lockstep(LockstepMode.JACOBI, CacheMode.NONE, 9, GREEDY);

      assertThatThrownBy(() -> decoder.start(request(1, -4), model.spec()))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage(
              "Cannot decode row row: its prompt holds id -4, and the model's ids are 0 to 12.");
    }

    @Test
    void nothingToFillIsRefused() {
      assertThatThrownBy(() -> LockstepSettings.of(0, 0))
          .isInstanceOf(LockstepException.class)
          .hasMessage(
              "Cannot decode with decode.a_length=0: with decode.r_length=0 there is nothing to fill. Try decode.a_length=256.");
    }
  }
}
