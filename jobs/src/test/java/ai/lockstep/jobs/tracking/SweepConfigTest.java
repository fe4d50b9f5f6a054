package ai.lockstep.jobs.tracking;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import org.junit.jupiter.api.Test;

class SweepConfigTest {

  private static final ObjectNode FIRST =
      json("{\"decode\": {\"tau_a\": 0.5, \"mode\": \"jacobi\"}, \"limit\": 2}");
  private static final ObjectNode SECOND =
      json("{\"decode\": {\"tau_a\": 0.7, \"mode\": \"jacobi\", \"halo\": 8}, \"limit\": 2}");

  private static ObjectNode json(String text) {
    try {
      return (ObjectNode) new ObjectMapper().readTree(text);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(e);
    }
  }

  @Test
  void oneConfigurationIsItself() {
    assertThat(SweepConfig.merged(List.of(FIRST))).isEqualTo(FIRST);
    assertThat(SweepConfig.differences(List.of(FIRST))).isEmpty();
  }

  @Test
  void whereTheyDifferStandAllValues() {
    assertThat(SweepConfig.merged(List.of(FIRST, SECOND)))
        .isEqualTo(
            json(
                """
                {"decode": {"tau_a": [0.5, 0.7], "mode": "jacobi", "halo": [null, 8]},
                 "limit": 2}"""));
  }

  @Test
  void differencesHaveDottedKeys() {
    assertThat(SweepConfig.differences(List.of(FIRST, SECOND)))
        .containsOnlyKeys("decode.tau_a", "decode.halo")
        .containsEntry(
            "decode.tau_a", List.of(FIRST.at("/decode/tau_a"), SECOND.at("/decode/tau_a")));
  }
}
