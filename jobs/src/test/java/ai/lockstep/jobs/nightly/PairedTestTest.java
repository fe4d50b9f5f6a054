package ai.lockstep.jobs.nightly;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.lockstep.harness.estimate.TaskTally;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.apache.commons.math3.distribution.BinomialDistribution;
import org.junit.jupiter.api.Test;

class PairedTestTest {

  private static final TaskTally RIGHT = new TaskTally(1, 1);
  private static final TaskTally WRONG = new TaskTally(1, 0);

  private static List<PairedTest.Pair> pairs(int worse, int better, int same) {
    List<PairedTest.Pair> pairs = new ArrayList<>();
    pairs.addAll(Collections.nCopies(worse, new PairedTest.Pair(RIGHT, WRONG)));
    pairs.addAll(Collections.nCopies(better, new PairedTest.Pair(WRONG, RIGHT)));
    pairs.addAll(Collections.nCopies(same, new PairedTest.Pair(RIGHT, RIGHT)));
    pairs.addAll(Collections.nCopies(same, new PairedTest.Pair(WRONG, WRONG)));
    return pairs;
  }

  @Test
  void isMcNemarsExactTestWithOneSampleOnEitherSide() {
    for (int worse = 0; worse <= 12; worse++) {
      for (int better = 0; better <= 12; better++) {
        double tail =
            new BinomialDistribution(null, worse + better, 0.5)
                .cumulativeProbability(Math.min(worse, better));
        PairedTest test = PairedTest.of(pairs(worse, better, 7));
        assertThat(test.pValue()).isEqualTo(Math.min(1, 2 * tail), within(1e-12));
        assertThat(test.worse()).isEqualTo(worse);
        assertThat(test.better()).isEqualTo(better);
      }
    }
  }

  /** 10 tasks worse and 2 better: 2 (1 + 12 + 66) / 4096. */
  @Test
  void aKnownValue() {
    assertThat(PairedTest.of(pairs(10, 2, 100)).pValue()).isEqualTo(2 * 79 / 4096.0, within(1e-12));
  }

  /**
   * 3 of 4 before and 0 of 2 now: of the 15 places for 3 right ones among 6, 4 of 20 have none now.
   */
  @Test
  void isFishersExactTestWithOneTask() {
    PairedTest test =
        PairedTest.of(List.of(new PairedTest.Pair(new TaskTally(4, 3), new TaskTally(2, 0))));

    assertThat(test.pValue()).isEqualTo(2 * 4 / 20.0, within(1e-12));
    assertThat(test.worse()).isEqualTo(1);
  }

  @Test
  void tasksThatNeverOrAlwaysPassSayNothing() {
    assertThat(PairedTest.of(pairs(3, 0, 0)).pValue())
        .isEqualTo(PairedTest.of(pairs(3, 0, 50)).pValue(), within(1e-12))
        .isEqualTo(0.25, within(1e-12));
    assertThat(PairedTest.of(List.of()).pValue()).isEqualTo(1);
  }

  @Test
  void sharesAreComparedExactly() {
    assertThat(new PairedTest.Pair(new TaskTally(3, 1), new TaskTally(6, 2)).change()).isZero();
    assertThat(new PairedTest.Pair(new TaskTally(3, 1), new TaskTally(7, 2)).change()).isNegative();
  }

  /** Holm 1979: 0.01, 0.02, 0.03, 0.04 times 4, 3, 2, 1, and never below the one before. */
  @Test
  void holmsCorrectionStepsDown() {
    List<Double> adjusted = PairedTest.holm(List.of(0.04, 0.01, 0.03, 0.02));

    assertThat(adjusted.get(1)).isEqualTo(0.04, within(1e-12));
    assertThat(adjusted.get(3)).isEqualTo(0.06, within(1e-12));
    assertThat(adjusted.get(2)).isEqualTo(0.06, within(1e-12));
    assertThat(adjusted.get(0)).isEqualTo(0.06, within(1e-12));
    assertThat(PairedTest.holm(List.of(0.7, 0.8))).containsExactly(1.0, 1.0);
    assertThat(PairedTest.holm(List.of())).isEmpty();
  }
}
