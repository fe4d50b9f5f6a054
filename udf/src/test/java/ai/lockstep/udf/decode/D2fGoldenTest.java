package ai.lockstep.udf.decode;

import static org.assertj.core.api.Assertions.assertThat;

import ai.lockstep.udf.model.MaskedDiffusionModel;
import ai.lockstep.udf.model.Pass;
import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every trace of D2F's pipeline, with its exact cache and without, through the real model. */
@ExtendWith(GoldenModel.class)
class D2fGoldenTest {

  static Stream<GoldenTrace> cases() {
    return GoldenTrace.of("d2f.json");
  }

  @ParameterizedTest
  @MethodSource("cases")
  void followsTheReferenceTokenForTokenAndPassForPass(
      GoldenTrace golden, MaskedDiffusionModel model) {
    for (CacheMode cache : List.of(CacheMode.PREFIX, CacheMode.NONE)) {
      Decoding decoding = Decoding.of(decoder(golden.settings(), cache), golden.request(0), model);

      golden.assertCommits(0, decoding.completion());
      golden.assertPasses(0, decoding.completion());
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void readsFromTheFirstBlockThatIsNotRemembered(GoldenTrace golden, MaskedDiffusionModel model) {
    D2fDecoder decoder = decoder(golden.settings(), CacheMode.PREFIX);
    List<Integer> starts =
        StreamSupport.stream(golden.get("steps").spliterator(), false)
            .map(step -> step.get("input_start").asInt())
            .toList();

    assertThat(Decoding.of(decoder, golden.request(0), model).passes())
        .map(Pass::from)
        .isEqualTo(starts);
  }

  private static D2fDecoder decoder(JsonNode settings, CacheMode cache) {
    return new D2fDecoder(
        settings.get("max_new_tokens").asInt(),
        settings.get("block_size").asInt(),
        settings.get("block_add_threshold").asDouble(),
        settings.get("decoded_token_threshold").asDouble(),
        settings.get("skip_threshold").asDouble(),
        D2fDecoder.SamplingStrategy.valueOf(
            settings.get("sampling_strategy").asText().toUpperCase(Locale.ROOT)),
        List.of(settings.get("eos_token_id").asInt()),
        cache,
        ProposalSettings.GREEDY);
  }
}
