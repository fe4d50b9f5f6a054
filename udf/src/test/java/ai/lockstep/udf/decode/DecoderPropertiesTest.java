package ai.lockstep.udf.decode;

import static org.assertj.core.api.Assertions.assertThat;

import ai.lockstep.udf.model.MaskedDiffusionModel;
import ai.lockstep.udf.replica.Replica;
import ai.lockstep.udf.toy.ToyModel;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What holds of every decoder, whatever the paper. */
@ExtendWith(GoldenModel.class)
class DecoderPropertiesTest {

  private static final int ROWS = 6;

  static Stream<Named<Decoder>> decoders() {
    return Decoders.all();
  }

  /** Rows of different prompts and lengths, by name. */
  private static List<DecodeRequest> requests() {
    Random random = new Random(7);

    return IntStream.range(0, ROWS)
        .mapToObj(
            row ->
                new DecodeRequest(
                    "row " + row,
                    random.ints(3 + 2 * row, 0, 10).toArray(),
                    5,
                    "task " + row / 2,
                    row % 2))
        .toList();
  }

  /** It costs a pass over the vocabulary for every target. */
  @Test
  void onlyDecodersThatRankByItAskHowSpreadADistributionIs() {
    List<String> asking =
        Decoders.all()
            .filter(
                decoder ->
                    decoder
                        .getPayload()
                        .start(requests().get(0), new ToyModel().spec())
                        .nextPass()
                        .orElseThrow()
                        .spreadWanted())
            .map(Named::getName)
            .toList();

    assertThat(asking)
        .hasSizeGreaterThan(0)
        .isEqualTo(
            Decoders.all()
                .map(Named::getName)
                .filter(
                    name ->
                        name.matches("dream (topk_margin|entropy|drawn).*|fast_dllm .*SCHEDULE.*"))
                .toList());
  }

  @ParameterizedTest
  @MethodSource("decoders")
  void aRowIsTheSameInAnyBatchAndAnyOrder(Decoder decoder) throws Exception {
    Map<String, List<Commit>> alone = new TreeMap<>();
    for (DecodeRequest request : requests()) {
      alone.put(request.id(), Decoding.of(decoder, request, new ToyModel()).completion().commits());
    }

    assertThat(replicated(decoder, requests(), new ToyModel(), 4)).isEqualTo(alone);
    List<DecodeRequest> backwards = new ArrayList<>(requests());
    Collections.reverse(backwards);
    assertThat(replicated(decoder, backwards, new ToyModel(), 3)).isEqualTo(alone);
  }

  @ParameterizedTest
  @MethodSource("ai.lockstep.udf.decode.Decoders#few")
  void aRowOfTheRealModelHasTheSameTokensInAnyBatch(Decoder decoder, MaskedDiffusionModel model)
      throws Exception {
    Map<String, List<String>> alone = new TreeMap<>();
    for (DecodeRequest request : requests()) {
      alone.put(request.id(), tokens(Decoding.of(decoder, request, model).completion().commits()));
    }

    Map<String, List<Commit>> batched = replicated(decoder, requests(), borrowed(model), 4);
    assertThat(batched.keySet()).isEqualTo(alone.keySet());
    batched.forEach((row, commits) -> assertThat(tokens(commits)).isEqualTo(alone.get(row)));
  }

  private static List<String> tokens(List<Commit> commits) {
    return commits.stream()
        .map(c -> "%d at %d by %d".formatted(c.token(), c.position(), c.nfe()))
        .toList();
  }

  private static Map<String, List<Commit>> replicated(
      Decoder decoder, List<DecodeRequest> requests, MaskedDiffusionModel model, int maxRows)
      throws Exception {
    Map<String, List<Commit>> commits = new TreeMap<>();
    try (Replica replica = new Replica("test", model, maxRows)) {
      List<CompletableFuture<Completion>> results = new ArrayList<>();
      for (DecodeRequest request : requests) {
        results.add(replica.submit(request, decoder));
      }
      for (CompletableFuture<Completion> result : results) {
        commits.put(result.get().id(), result.get().commits());
      }
    }

    return commits;
  }

  /** The same model, which a replica cannot close. */
  private static MaskedDiffusionModel borrowed(MaskedDiffusionModel model) {
    return new ForwardingModel(model) {
      @Override
      public void close() {}
    };
  }

  @ParameterizedTest
  @MethodSource("decoders")
  void everyMaskIsCommittedExactlyOnce(Decoder decoder) {
    for (DecodeRequest request : requests()) {
      Completion completion = Decoding.of(decoder, request, new ToyModel()).completion();

      Set<Integer> open = new HashSet<>();
      for (Block block : completion.blocks()) {
        IntStream.range(block.start(), block.end()).forEach(open::add);
        assertThat(completion.tokenIds(block)).doesNotContain(ToyModel.MASK);
      }
      assertThat(open).hasSize(Decoders.LENGTH);
      Set<Integer> filled = new HashSet<>();
      for (Commit commit : completion.commits()) {
        if (commit.kind() == CommitKind.EOS_FILL) {
          assertThat(filled.add(commit.position())).isTrue();
          open.remove(commit.position());
        } else {
          assertThat(open.remove(commit.position())).as("%s is the first there", commit).isTrue();
        }
      }
      assertThat(open).isEmpty();
    }
  }

  @ParameterizedTest
  @MethodSource("decoders")
  void everyPassHasTargetsAndCountsItsCommits(Decoder decoder) {
    for (DecodeRequest request : requests()) {
      Decoding decoding = Decoding.of(decoder, request, new ToyModel());
      Completion completion = decoding.completion();

      Map<Integer, Long> committed =
          completion.commits().stream()
              .filter(commit -> commit.kind() != CommitKind.EOS_FILL)
              .collect(Collectors.groupingBy(Commit::nfe, Collectors.counting()));
      assertThat(completion.nfe()).isEqualTo(decoding.passes().size());
      for (PassRecord pass : completion.passes()) {
        assertThat(pass.masksBefore()).isPositive();
        assertThat(pass.committed())
            .isEqualTo(committed.getOrDefault(pass.nfe(), 0L).intValue())
            .isLessThanOrEqualTo(pass.masksBefore());
      }
      // Every decoder here commits a token a pass, or has fewer passes than tokens.
      assertThat(completion.nfe()).isLessThanOrEqualTo(2 * Decoders.LENGTH);
    }
  }

  @ParameterizedTest
  @MethodSource("decoders")
  void cacheSlotsAreGivenBack(Decoder decoder) {
    ToyModel model = new ToyModel();
    Decoding.of(decoder, requests().get(0), model);

    assertThat(model.openSlots()).isZero();
    assertThat(model.mostOpenSlots()).isEqualTo(decoder.usesCache() ? 1 : 0);
  }
}
