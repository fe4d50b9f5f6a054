package ai.lockstep.harness.estimate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

class PassIntervalTest {

  private static final long SEED = 7;

  private static List<TaskTally> tasks(int right, int wrong, int samples) {
    List<TaskTally> tasks =
        new ArrayList<>(Collections.nCopies(right, new TaskTally(samples, samples)));
    tasks.addAll(Collections.nCopies(wrong, new TaskTally(samples, 0)));
    return tasks;
  }

  @Test
  void isWilsonsWithOneSampleATask() {
    // 3 of 10: (0.3 + z²/20 ± z·sqrt(0.021 + z²/400)) / (1 + z²/10), z = 1.959964.
    PassInterval interval = PassInterval.of(tasks(3, 7, 1), SEED);
    assertThat(interval.low()).isCloseTo(0.107791, within(1e-6));
    assertThat(interval.high()).isCloseTo(0.603222, within(1e-6));
  }

  @Test
  void keepsItsWidthWhenEveryTaskIsAlike() {
    assertThat(PassInterval.of(tasks(0, 20, 1), SEED).low()).isEqualTo(0);
    assertThat(PassInterval.of(tasks(0, 20, 1), SEED).high()).isCloseTo(0.161125, within(1e-6));
    assertThat(PassInterval.of(tasks(20, 0, 5), SEED).low()).isCloseTo(0.838875, within(1e-6));
    assertThat(PassInterval.of(tasks(20, 0, 5), SEED).high()).isEqualTo(1);
  }

  @Test
  void countsTasksAndNotSamples() {
    // Ten times the samples and the same tasks: as uncertain as before, about 1.96 ·
    // sqrt(0.25/100).
    PassInterval interval = PassInterval.of(tasks(50, 50, 10), SEED);
    assertThat(interval.low()).isCloseTo(0.402, within(0.015));
    assertThat(interval.high()).isCloseTo(0.598, within(0.015));
  }

  @Test
  void narrowsAsTasksAgree() {
    List<TaskTally> agreeing = new ArrayList<>(Collections.nCopies(50, new TaskTally(10, 6)));
    agreeing.addAll(Collections.nCopies(50, new TaskTally(10, 4)));
    PassInterval interval = PassInterval.of(agreeing, SEED);
    assertThat(interval.low()).isCloseTo(0.48, within(0.005));
    assertThat(interval.high()).isCloseTo(0.52, within(0.005));
  }

  @Test
  void dependsOnTheSeedAlone() {
    List<TaskTally> tasks = tasks(30, 70, 4);
    assertThat(PassInterval.of(tasks, SEED)).isEqualTo(PassInterval.of(tasks, SEED));
    assertThat(PassInterval.of(tasks, SEED).low())
        .isCloseTo(PassInterval.of(tasks, SEED + 1).low(), within(0.011));
  }

  @Test
  void needsATask() {
    assertThatThrownBy(() -> PassInterval.of(List.of(), SEED))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("No interval without tasks");
  }
}
