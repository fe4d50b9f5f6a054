package ai.lockstep.udf.decode;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.lockstep.udf.model.MaskedDiffusionModel;
import ai.lockstep.udf.model.Sampling;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@ExtendWith(GoldenModel.class)
class ReplayTest {

  private static final int MASK = 99;

  /** What is stored of a row: its tokens and the pass of each, nothing else. */
  private static Replay replay(Completion completion) {
    int length = completion.tokenIds().length;
    int[] nfe = new int[length];
    boolean[] chosen = new boolean[length];
    Arrays.fill(nfe, -1);
    for (Commit commit : completion.commits()) {
      int index = commit.position() - completion.promptIds().length;
      nfe[index] = commit.nfe();
      chosen[index] = commit.kind().isChosenByTheModel();
    }

    return new Replay(
        completion.tokenIds(), nfe, chosen, completion.overwritten(), Optional.empty());
  }

  private static void agrees(
      Completion decoded, DecodeRequest request, MaskedDiffusionModel model) {
    Map<Integer, Commit> last = new HashMap<>();
    decoded.commits().forEach(commit -> last.put(commit.position(), commit));
    last.values().removeIf(commit -> !commit.kind().isChosenByTheModel());

    List<Commit> replayed = Decoding.of(replay(decoded), request, model).completion().commits();

    assertThat(replayed).hasSize(last.size()).isNotEmpty();
    for (Commit commit : replayed) {
      Commit stored = last.get(commit.position());
      assertThat(commit.nfe()).isEqualTo(stored.nfe());
      assertThat(commit.token()).isEqualTo(stored.token());
      assertThat(commit.logProbability())
          .as("position %d, pass %d", commit.position(), commit.nfe())
          .isCloseTo(stored.logProbability(), within(1e-4f));
    }
  }

  /** Decoders whose model sees whole rows: no cache, no guidance, no growing row. */
  static Stream<Named<Decoder>> wholeRowDecoders() {
    return Decoders.all()
        .filter(decoder -> decoder.getName().endsWith("0.8"))
        .filter(decoder -> !decoder.getName().matches("d2f.*|.*(prefix|dual|cfg 1.5) .*"));
  }

  @ParameterizedTest
  @MethodSource("wholeRowDecoders")
  void rebuiltStatesGiveTheStoredLogProbabilities(Decoder decoder, MaskedDiffusionModel model) {
    DecodeRequest request = new DecodeRequest("row", new int[] {7, 3, 200, 41}, 5, "task", 1);

    agrees(Decoding.of(decoder, request, model).completion(), request, model);
  }

  @Test
  void tokensThatAnEndTokenOverwroteAreInTheStates(MaskedDiffusionModel model) {
    // Every fourth id ends a block, so that ends come early and fill over what was committed.
    List<Integer> ends = IntStream.range(0, 76).mapToObj(i -> 4 * i).toList();
    Decoder decoder =
        new LockstepDecoder(
            new LockstepSettings(
                LockstepMode.JACOBI,
                0.7,
                0.8,
                0.4,
                1,
                6,
                10,
                CacheMode.NONE,
                LockstepSettings.AS_LONG_AS_BLOCKS,
                Confidence.MASKGIT_PLUS,
                ends,
                ProposalSettings.of(new Sampling(0.8, 0.95, Sampling.NO_TOP_K, true))),
            new Markers(new int[] {1}, new int[] {2}));
    int overwritten = 0;
    for (int sample = 0; sample < 8; sample++) {
      DecodeRequest request = new DecodeRequest("row", new int[] {7, 3, 41}, 5, "task", sample);
      Completion completion = Decoding.of(decoder, request, model).completion();
      overwritten += completion.overwritten().size();
      agrees(completion, request, model);
    }
    assertThat(overwritten).isPositive();
  }

  @Test
  void aStateHoldsWhatEarlierPassesCommitted() {
    // Marker 1; pass 0 wrote 5, pass 1 wrote 6 at index 3, pass 2 ended the row: 6 became 9.
    Replay replay =
        new Replay(
            new int[] {1, 5, 9, 9},
            new int[] {-1, 0, 2, 2},
            new boolean[] {false, true, true, false},
            List.of(new Overwritten(3, 6, 1)),
            Optional.empty());

    assertThat(replay.stateBefore(0, MASK)).containsExactly(1, MASK, MASK, MASK);
    assertThat(replay.stateBefore(1, MASK)).containsExactly(1, 5, MASK, MASK);
    assertThat(replay.stateBefore(2, MASK)).containsExactly(1, 5, MASK, 6);
    assertThat(replay.stateBefore(3, MASK)).containsExactly(1, 5, 9, 9);
  }
}
