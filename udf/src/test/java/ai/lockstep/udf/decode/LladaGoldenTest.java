package ai.lockstep.udf.decode;

import ai.lockstep.udf.model.Alignment;
import ai.lockstep.udf.model.MaskedDiffusionModel;
import ai.lockstep.udf.model.Sampling;
import com.fasterxml.jackson.databind.JsonNode;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every trace of LLaDA's generate.py, through the real model. */
@ExtendWith(GoldenModel.class)
class LladaGoldenTest {

  static Stream<GoldenTrace> cases() {
    return GoldenTrace.of("llada.json");
  }

  @ParameterizedTest
  @MethodSource("cases")
  void followsTheReferenceTokenForTokenAndPassForPass(
      GoldenTrace golden, MaskedDiffusionModel model) {
    JsonNode settings = golden.settings();
    LladaDecoder decoder =
        new LladaDecoder(
            settings.get("gen_length").asInt(),
            settings.get("steps").asInt(),
            settings.get("block_length").asInt(),
            settings.get("cfg_scale").asDouble(),
            LladaDecoder.Remasking.valueOf(
                settings.get("remasking").asText().toUpperCase(Locale.ROOT)),
            new ProposalSettings(
                new Sampling(settings.get("temperature").asDouble(), 1, Sampling.NO_TOP_K, false),
                Optional.of(alignment(settings)),
                Hooks.NONE));
    for (int row = 0; row < golden.rows(); row++) {
      Completion completion = Decoding.of(decoder, golden.request(row), model).completion();

      golden.assertCommits(row, completion);
      golden.assertPasses(row, completion);
    }
  }

  static Alignment alignment(JsonNode settings) {
    return settings.path("logit_shift").asBoolean(true) ? Alignment.SHIFTED : Alignment.IN_PLACE;
  }
}
