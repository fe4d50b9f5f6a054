package ai.lockstep.jobs.grpo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.lockstep.jobs.config.GateConfig;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class DriftTest {

  private static Drift drift(List<Double> before, List<Double> now) {
    return Drift.of("old", before, now, new long[] {1}, new long[] {1});
  }

  @Test
  void theDistanceIsTheLargestGapBetweenTheDistributionFunctions() {
    // 1/4, 3/4, 1 against 1/2, 1/2, 1.
    Drift drift = Drift.of("old", List.of(), List.of(), new long[] {1, 2, 1}, new long[] {4, 0, 4});

    assertThat(drift.distance()).isCloseTo(0.25, within(1e-12));
  }

  @Test
  void commonTasksArePaired() {
    Drift drift = drift(List.of(1.0, 2.0, 3.0), List.of(1.5, 2.4, 3.6));

    // Differences 0.5, 0.4, 0.6: t = 0.5 / (0.1 / sqrt 3) with 2 degrees of freedom.
    assertThat(drift.shift()).isCloseTo(0.5, within(1e-12));
    assertThat(drift.p()).isCloseTo(0.01310, within(1e-4));
    assertThat(drift.commonTasks()).isEqualTo(3);
  }

  @Test
  void aTaskThatOneOfThemLacksIsLeftOut() {
    Drift drift = drift(List.of(1.0, Double.NaN, 2.0), List.of(1.0, 9.0, 2.0));

    assertThat(drift.shift()).isZero();
    assertThat(drift.p()).isEqualTo(1);
    assertThat(drift.commonTasks()).isEqualTo(2);
  }

  @Nested
  class AGate {

    private final Drift fall = drift(List.of(1.0, 2.0, 3.0), List.of(0.5, 1.6, 2.4));
    private final Drift noise = drift(List.of(1.0, 2.0, 3.0), List.of(0.0, 2.5, 2.4));

    private List<String> failed(Optional<Double> drop, Optional<Double> tamper, Drift drift) {
      return Gates.failed(
          new GateConfig(Optional.of("old"), Optional.empty(), drop, tamper, Optional.empty()),
          0.02,
          1,
          Optional.of(drift));
    }

    @Test
    void failsAboveItsLimitOnly() {
      assertThat(failed(Optional.empty(), Optional.of(0.02), fall)).isEmpty();
      assertThat(failed(Optional.empty(), Optional.of(0.01), fall))
          .containsExactly("tamper rate 0.020 is above rl.gates.max_tamper_rate=0.01");
    }

    @Test
    void onTheMeanFailsForAFallThatIsNotChance() {
      assertThat(failed(Optional.of(0.4), Optional.empty(), fall))
          .containsExactly("fall of the mean 0.500 is above rl.gates.max_drop=0.4");
      assertThat(failed(Optional.of(0.6), Optional.empty(), fall)).isEmpty();
      assertThat(failed(Optional.of(0.1), Optional.empty(), noise)).isEmpty();
    }
  }
}
