package ai.lockstep.jobs.decoding;

import static org.assertj.core.api.Assertions.assertThatCode;

import ai.lockstep.jobs.config.Composer;
import ai.lockstep.jobs.config.ConfigSource;
import ai.lockstep.jobs.config.RunConfig;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ConfiguredDecoderTest {

  private static final ConfigSource CONF = ConfigSource.folder(Path.of("../conf"));

  static Stream<List<String>> bundled() {
    return Stream.of("lockstep", "jacobi", "dream", "llada", "fast_dllm", "d2f")
        .flatMap(
            decode ->
                Stream.of("dream-tiny", "dream")
                    .map(model -> List.of("decode=" + decode, "model=" + model)));
  }

  @ParameterizedTest
  @MethodSource("bundled")
  void everyBundledDecoderRunsWithEveryBundledModelsDefaults(List<String> choices) {
    RunConfig config = RunConfig.of(new Composer(CONF).compose("config", choices));

    assertThatCode(() -> ConfiguredDecoder.check(config)).doesNotThrowAnyException();
  }
}
