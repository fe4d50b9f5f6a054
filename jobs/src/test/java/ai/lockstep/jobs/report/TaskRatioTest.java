package ai.lockstep.jobs.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.lockstep.jobs.report.TaskRatio.Part;
import java.util.List;
import org.junit.jupiter.api.Test;

class TaskRatioTest {

  @Test
  void withEqualDenominatorsItIsTheUsualIntervalOfAMean() {
    TaskRatio ratio =
        TaskRatio.of(List.of(new Part(1, 1), new Part(2, 1), new Part(3, 1))).orElseThrow();

    assertThat(ratio.value()).isEqualTo(2);
    // Standard deviation 1, so half the width is 1.96 / sqrt(3).
    assertThat(ratio.high() - ratio.value()).isCloseTo(1.959964 / Math.sqrt(3), within(1e-6));
    assertThat(ratio.value() - ratio.low()).isCloseTo(ratio.high() - ratio.value(), within(1e-12));
  }

  @Test
  void tasksWithMorePassesWeighMore() {
    TaskRatio ratio = TaskRatio.of(List.of(new Part(30, 10), new Part(2, 2))).orElseThrow();

    assertThat(ratio.value()).isCloseTo(32.0 / 12, within(1e-12));
  }

  @Test
  void tasksThatAgreeLeaveNoWidth() {
    assertThat(TaskRatio.of(List.of(new Part(4, 2), new Part(6, 3))))
        .contains(new TaskRatio(2, 2, 2));
  }

  @Test
  void oneTaskOrNothingBelowTheLineGivesNone() {
    assertThat(TaskRatio.of(List.of(new Part(4, 2)))).isEmpty();
    assertThat(TaskRatio.of(List.of(new Part(0, 0), new Part(0, 0)))).isEmpty();
  }

  @Test
  void aShareStaysBetweenNothingAndAll() {
    assertThat(new TaskRatio(0.9, 0.7, 1.1).asShare()).isEqualTo(new TaskRatio(0.9, 0.7, 1));
  }
}
