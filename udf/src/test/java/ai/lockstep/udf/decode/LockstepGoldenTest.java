package ai.lockstep.udf.decode;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.lockstep.udf.golden.Golden;
import ai.lockstep.udf.model.MaskedDiffusionModel;
import ai.lockstep.udf.model.Sampling;
import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every lockstep trace of the Python reference, through the real model. */
@ExtendWith(GoldenModel.class)
class LockstepGoldenTest {

  static Stream<GoldenTrace> cases() {
    return GoldenTrace.of("lockstep.json");
  }

  @ParameterizedTest
  @MethodSource("cases")
  void followsTheReferenceTokenForTokenAndSweepForSweep(
      GoldenTrace golden, MaskedDiffusionModel model) {
    GoldenHooks hooks = new GoldenHooks(golden.settings());
    LockstepDecoder decoder = decoder(golden, hooks, CacheMode.NONE, 8);
    for (int row = 0; row < golden.rows(); row++) {
      Completion completion = Decoding.of(decoder, golden.request(row), model).completion();

      golden.assertCommits(row, completion);
      assertSweeps(golden, row, completion);
      assertMetrics(golden, row, completion);
    }
    if (golden.get("hook_calls") != null) {
      assertThat(hooks.calls())
          .isEqualTo(
              StreamSupport.stream(golden.get("hook_calls").spliterator(), false)
                  .map(JsonNode::toString)
                  .toList());
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void aCacheWhoseHaloIsTheWholeRowIsExact(GoldenTrace golden, MaskedDiffusionModel model) {
    GoldenHooks hooks = new GoldenHooks(golden.settings());
    LockstepDecoder decoder = decoder(golden, hooks, CacheMode.DUAL, model.spec().contextLength());
    for (int row = 0; row < golden.rows(); row++) {
      golden.assertCommits(row, Decoding.of(decoder, golden.request(row), model).completion());
    }
  }

  private static LockstepDecoder decoder(
      GoldenTrace golden, GoldenHooks hooks, CacheMode cache, int halo) {
    JsonNode settings = golden.settings();
    int[] r = Golden.ints(golden.get("r_span"));
    int[] a = Golden.ints(golden.get("a_span"));
    LockstepSettings lockstep =
        new LockstepSettings(
            LockstepMode.named(settings.get("mode").asText()),
            settings.get("tau_r").asDouble(),
            settings.get("tau_a").asDouble(),
            settings.get("max_fill_frac").asDouble(),
            halo,
            r[1] - r[0],
            a[1] - a[0],
            cache,
            settings.get("steps").asInt(LockstepSettings.AS_LONG_AS_BLOCKS),
            Confidence.named(settings.get("alg").asText()),
            List.of(settings.get("eos_token_id").asInt()),
            new ProposalSettings(
                new Sampling(
                    settings.get("temperature").asDouble(),
                    settings.get("top_p").asDouble(1),
                    settings.get("top_k").asInt(Sampling.NO_TOP_K),
                    settings.get("suppress_special").asBoolean()),
                Optional.empty(),
                hooks.hooks()));

    return new LockstepDecoder(
        lockstep,
        new Markers(Golden.ints(golden.get("r_marker")), Golden.ints(golden.get("a_marker"))));
  }

  /** A row is left out of the reference's batch passes in whose blocks it has no mask. */
  private static void assertSweeps(GoldenTrace golden, int row, Completion completion) {
    Set<Integer> expected = new TreeSet<>();
    for (JsonNode step : golden.get("steps")) {
      for (JsonNode commit : step.get("commits")) {
        if (commit.get("row").asInt() == row && !commit.get("score").isNull()) {
          expected.add(step.get("sweep").asInt());
        }
      }
    }
    assertThat(completion.passes().stream().filter(pass -> pass.committed() > 0))
        .map(PassRecord::sweep)
        .containsAll(expected);
    assertThat(completion.passes()).map(PassRecord::sweep).isSorted();
  }

  private static void assertMetrics(GoldenTrace golden, int row, Completion completion) {
    JsonNode expected = golden.get("rows").get(row);
    RowMetrics metrics =
        RowMetrics.of(completion, List.of(golden.settings().get("eos_token_id").asInt()));
    assertThat(metrics.nfe()).isEqualTo(expected.get("nfe").asInt());
    assertThat(metrics.nfeR()).isEqualTo(expected.get("nfe_R").asInt());
    assertThat(metrics.nfeA()).isEqualTo(expected.get("nfe_A").asInt());
    assertThat(metrics.committedR()).isEqualTo(expected.get("committed_R").asInt());
    assertThat(metrics.committedA()).isEqualTo(expected.get("committed_A").asInt());
    assertThat(metrics.fillRate().orElseThrow())
        .isCloseTo(expected.get("fill_rate").asDouble(), within(1e-6));
    assertThat(metrics.tokensPerNfe().orElseThrow())
        .isCloseTo(expected.get("tokens_per_nfe").asDouble(), within(1e-6));
  }
}
