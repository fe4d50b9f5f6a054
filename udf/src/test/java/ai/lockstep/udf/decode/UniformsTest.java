package ai.lockstep.udf.decode;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.lockstep.udf.decode.Uniforms.Draw;
import org.junit.jupiter.api.Test;

class UniformsTest {

  private static Uniforms of(long seed, String task, int sample) {
    return Uniforms.of(new DecodeRequest("row", new int[] {1}, seed, task, sample));
  }

  @Test
  void areAFunctionOfWhatTheyAreFor() {
    assertThat(of(7, "task", 0).at(Draw.TOKEN, 3, 5))
        .isEqualTo(of(7, "task", 0).at(Draw.TOKEN, 3, 5));
  }

  @Test
  void differInEverythingTheyAreKeyedBy() {
    assertThat(
            new double[] {
              of(7, "task", 0).at(Draw.TOKEN, 3, 5),
              of(8, "task", 0).at(Draw.TOKEN, 3, 5),
              of(7, "tasks", 0).at(Draw.TOKEN, 3, 5),
              of(7, "task", 1).at(Draw.TOKEN, 3, 5),
              of(7, "task", 0).at(Draw.ORDER, 3, 5),
              of(7, "task", 0).at(Draw.TRANSFER, 3, 5),
              of(7, "task", 0).at(Draw.TOKEN, 4, 5),
              of(7, "task", 0).at(Draw.TOKEN, 3, 6)
            })
        .doesNotHaveDuplicates();
  }

  @Test
  void fillTheUnitIntervalEvenly() {
    Uniforms uniforms = of(0, "task", 0);
    int[] tenths = new int[10];
    double sum = 0;
    for (int position = 0; position < 10_000; position++) {
      double u = uniforms.at(Draw.TOKEN, 0, position);
      assertThat(u).isBetween(0.0, Math.nextDown(1.0));
      tenths[(int) (10 * u)]++;
      sum += u;
    }

    assertThat(sum / 10_000).isCloseTo(0.5, within(0.01));
    for (int tenth : tenths) {
      assertThat(tenth).isBetween(880, 1120); // 1000 give or take four deviations
    }
  }
}
