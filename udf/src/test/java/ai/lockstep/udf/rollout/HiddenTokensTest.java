package ai.lockstep.udf.rollout;

import static org.assertj.core.api.Assertions.assertThat;

import ai.lockstep.udf.decode.DecodeRequest;
import ai.lockstep.udf.decode.Uniforms;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class HiddenTokensTest {

  private static final int[] COMPLETION = IntStream.range(5, 305).toArray();

  private static Uniforms of(int sample) {
    return Uniforms.of(new DecodeRequest("t#" + sample, new int[] {1}, 7, "t", sample));
  }

  @Test
  void aRatioLiesBetweenTwoAndEightTenthsAndHidesThatShare() {
    for (int sample = 0; sample < 50; sample++) {
      HiddenTokens hidden = HiddenTokens.ofCompletion(of(sample), COMPLETION);
      long count = IntStream.range(0, 300).filter(i -> hidden.flags()[i]).count();

      assertThat(hidden.ratio()).isBetween(0.2, 0.8).isEqualTo((float) hidden.ratio());
      // Five standard deviations of a share of 300.
      assertThat(Math.abs(count / 300.0 - hidden.ratio())).isLessThan(0.145);
    }
  }

  @Test
  void aSampleAlwaysHidesTheSameAndAnotherOneOthers() {
    boolean[] flags = HiddenTokens.ofCompletion(of(3), COMPLETION).flags();

    assertThat(HiddenTokens.ofCompletion(of(3), COMPLETION).flags()).isEqualTo(flags);
    assertThat(HiddenTokens.ofCompletion(of(4), COMPLETION).flags()).isNotEqualTo(flags);
  }

  @Test
  void aRatioOfNothingHidesNothingOfThePrompt() {
    assertThat(HiddenTokens.ofPrompt(of(0), 3, 0).flags()).containsExactly(false, false, false);
  }
}
