package ai.lockstep.udf.decode;

import ai.lockstep.udf.model.MaskedDiffusionModel;
import com.fasterxml.jackson.databind.JsonNode;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every trace of Fast-dLLM, with and without caches, through the real model. */
@ExtendWith(GoldenModel.class)
class FastDllmGoldenTest {

  static Stream<GoldenTrace> cases() {
    return GoldenTrace.of("fast_dllm.json");
  }

  @ParameterizedTest
  @MethodSource("cases")
  void followsTheReferenceTokenForTokenAndPassForPass(
      GoldenTrace golden, MaskedDiffusionModel model) {
    FastDllmDecoder decoder = decoder(golden.settings());
    for (int row = 0; row < golden.rows(); row++) {
      Completion completion = Decoding.of(decoder, golden.request(row), model).completion();

      golden.assertCommits(row, completion);
      golden.assertPasses(row, completion);
    }
  }

  private static FastDllmDecoder decoder(JsonNode settings) {
    String method = settings.get("method").asText();
    int length = settings.path("max_new_tokens").asInt(settings.path("gen_length").asInt());
    FastDllmDecoder.Rule rule =
        switch (method) {
          case "global_threshold", "block_threshold", "llada_threshold" ->
              FastDllmDecoder.Rule.THRESHOLD;
          case "llada_factor" -> FastDllmDecoder.Rule.FACTOR;
          case "block_schedule" -> FastDllmDecoder.Rule.SCHEDULE;
          default -> throw new IllegalArgumentException(method);
        };

    return new FastDllmDecoder(
        length,
        settings.path("steps").asInt(length),
        settings.path("eps").asDouble(0.001),
        method.startsWith("global") ? FastDllmDecoder.Scope.GLOBAL : FastDllmDecoder.Scope.BLOCK,
        rule,
        settings.path("block_length").asInt(length),
        settings.path("threshold").asDouble(0.9),
        settings.path("factor").asDouble(1),
        FastDllmDecoder.BlockStartRule.FORCED,
        CacheMode.named(settings.get("cache").asText()),
        new ProposalSettings(
            ProposalSettings.GREEDY.sampling(),
            Optional.of(LladaGoldenTest.alignment(settings)),
            Hooks.NONE));
  }
}
