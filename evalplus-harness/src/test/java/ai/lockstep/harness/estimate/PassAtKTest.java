package ai.lockstep.harness.estimate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class PassAtKTest {

  /**
   * Pencil and paper: the share of the k-subsets of n samples, the first c right, with a right one.
   */
  private static double overSubsets(int n, int c, int k) {
    int subsets = 0;
    int withRightOne = 0;
    int right = (1 << c) - 1;
    for (int subset = 0; subset < 1 << n; subset++) {
      if (Integer.bitCount(subset) == k) {
        subsets++;
        withRightOne += (subset & right) != 0 ? 1 : 0;
      }
    }
    return (double) withRightOne / subsets;
  }

  @Test
  void isTheShareOfChoicesOfKSamplesThatHoldARightOne() {
    for (int n = 1; n <= 12; n++) {
      for (int c = 0; c <= n; c++) {
        for (int k = 1; k <= n; k++) {
          assertThat(PassAtK.of(new TaskTally(n, c), k))
              .as("n=%d c=%d k=%d", n, c, k)
              .isCloseTo(overSubsets(n, c, k), within(1e-14));
        }
      }
    }
  }

  @Test
  void holdsForManySamples() {
    // 1 - C(100, 10) / C(200, 10), from exact fractions.
    assertThat(PassAtK.of(new TaskTally(200, 100), 10)).isCloseTo(0.9992289739373, within(1e-12));
    assertThat(PassAtK.of(new TaskTally(1000, 0), 100)).isEqualTo(0);
    assertThat(PassAtK.of(new TaskTally(1000, 1000), 100)).isEqualTo(1);
  }

  @Test
  void meansCountEveryTaskTheSame() {
    assertThat(PassAtK.mean(List.of(new TaskTally(4, 1), new TaskTally(2, 2)), 1)).hasValue(0.625);
  }

  @Test
  void reportsEachKThatEveryTaskHasSamplesFor() {
    List<TaskTally> tenEach = Collections.nCopies(3, new TaskTally(10, 10));
    assertThat(PassAtK.report(tenEach)).isEqualTo(Map.of(1, 1.0, 10, 1.0));
    assertThat(PassAtK.report(List.of(new TaskTally(100, 0), new TaskTally(9, 9))))
        .isEqualTo(Map.of(1, 0.5));
    assertThat(PassAtK.report(List.of())).isEmpty();
  }

  @Test
  void refusesMoreDrawsThanSamples() {
    assertThatThrownBy(() -> PassAtK.of(new TaskTally(3, 1), 4))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("pass@4 needs at least as many samples, not 3");
  }

  @Test
  void refusesImpossibleCounts() {
    assertThatThrownBy(() -> new TaskTally(3, 4))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("A task cannot have 4 of 3 samples right");
  }
}
