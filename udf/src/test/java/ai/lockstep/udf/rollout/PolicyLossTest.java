package ai.lockstep.udf.rollout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PolicyLossTest {

  private final PolicyLoss loss = new PolicyLoss(0.2, 0.1);

  @Test
  void whereNothingHasMovedTheLossIsTheAdvantageAndPullsAtItsRate() {
    PolicyLoss.Token token = loss.at(-2, -2, -2, 1.5);

    assertThat(token).isEqualTo(new PolicyLoss.Token(-1.5, -1.5, 1, false, 0));
  }

  @Test
  void aRatioBeyondTheClipPullsNoFurtherWhereItIsWantedSo() {
    double up = Math.log(1.5);

    assertThat(loss.at(up, 0, up, 1).clipped()).isTrue();
    assertThat(loss.at(up, 0, up, 1).value()).isCloseTo(-1.2, within(1e-12));
    assertThat(loss.at(up, 0, up, 1).derivative()).isZero();
    assertThat(loss.at(-up, 0, -up, -1).clipped()).isTrue();
  }

  @Test
  void aRatioThatWentTheWrongWayIsPulledBackInFull() {
    double up = Math.log(1.5);

    assertThat(loss.at(up, 0, up, -1).derivative()).isCloseTo(1.5, within(1e-12));
    assertThat(loss.at(-up, 0, -up, 1).derivative()).isCloseTo(-1 / 1.5, within(1e-12));
  }

  @ParameterizedTest
  @CsvSource({
    "0.1,0,0.3,1",
    "-0.1,0,-0.4,-2",
    "0.5,0,0.1,1",
    "0.5,0,0.9,-1",
    "-3,-2.9,-2,0",
    "-9,-9,-2,1"
  })
  void theDerivativeIsThatOfTheValue(double now, double old, double reference, double advantage) {
    double h = 1e-6;
    double slope =
        (loss.at(now + h, old, reference, advantage).value()
                - loss.at(now - h, old, reference, advantage).value())
            / (2 * h);

    assertThat(loss.at(now, old, reference, advantage).derivative()).isCloseTo(slope, within(1e-6));
  }

  @Test
  void aTokenThatBecameUnlikelyIsPulledBackByNoMoreThanSome() {
    // 1 - e^3, whatever the lead of the reference.
    assertThat(loss.at(-30, -30, 0, 0).derivative()).isCloseTo(0.1 * -19.0855, within(1e-4));
    assertThat(loss.at(-5, -5, 0, 0).derivative()).isCloseTo(0.1 * -19.0855, within(1e-4));
  }

  @Test
  void aHugeDifferenceStaysFinite() {
    assertThat(loss.at(0, -1000, 1000, -1).value()).isFinite();
  }
}
