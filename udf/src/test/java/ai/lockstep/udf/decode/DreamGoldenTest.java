package ai.lockstep.udf.decode;

import static org.assertj.core.api.Assertions.assertThat;

import ai.lockstep.udf.golden.Golden;
import ai.lockstep.udf.model.MaskedDiffusionModel;
import ai.lockstep.udf.model.Sampling;
import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every trace of Dream's own diffusion_generate, through the real model. */
@ExtendWith(GoldenModel.class)
class DreamGoldenTest {

  private static final int MASK = 303;

  static Stream<GoldenTrace> cases() {
    return GoldenTrace.of("dream.json");
  }

  @ParameterizedTest
  @MethodSource("cases")
  void followsTheReferenceTokenForTokenAndPassForPass(
      GoldenTrace golden, MaskedDiffusionModel model) {
    JsonNode settings = golden.settings();
    GoldenHooks hooks = new GoldenHooks(settings);
    DreamDecoder decoder =
        new DreamDecoder(
            settings.get("max_new_tokens").asInt(),
            settings.get("steps").asInt(),
            settings.get("eps").asDouble(),
            Optional.of(settings.get("alg").asText())
                .filter(alg -> !alg.equals("origin"))
                .map(Confidence::named),
            settings.get("alg_temp").asDouble(),
            new ProposalSettings(
                new Sampling(
                    settings.get("temperature").asDouble(),
                    settings.get("top_p").asDouble(1),
                    settings.get("top_k").asInt(Sampling.NO_TOP_K),
                    false),
                Optional.empty(),
                hooks.hooks()));
    for (int row = 0; row < golden.rows(); row++) {
      RowDecoder decoding = decoder.start(golden.request(row), model.spec(), uniforms(golden, row));
      Completion completion = Decoding.of(decoder, decoding, model).completion();

      golden.assertCommits(row, completion);
      golden.assertPasses(row, completion);
    }
    if (golden.get("hook_calls") != null) {
      List<String> calls =
          StreamSupport.stream(golden.get("hook_calls").spliterator(), false)
              .map(JsonNode::toString)
              .toList();
      assertThat(hooks.calls()).isEqualTo(calls);
    }
  }

  /** The case of {@code origin} tells which numbers were drawn for its masked positions. */
  private static Uniforms uniforms(GoldenTrace golden, int row) {
    if (golden.get("uniforms") == null) {
      return Uniforms.of(golden.request(row));
    }
    return (draw, pass, position) -> {
      int[] before =
          Golden.ints(
              (pass == 0 ? golden.get("initial") : golden.get("steps").get(pass - 1).get("x"))
                  .get(row));
      int masks = 0;
      for (int i = 0; i < position; i++) {
        masks += before[i] == MASK ? 1 : 0;
      }
      return golden.get("uniforms").get(pass).get(masks).asDouble();
    };
  }
}
