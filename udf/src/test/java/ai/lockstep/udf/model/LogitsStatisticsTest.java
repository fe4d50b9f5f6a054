package ai.lockstep.udf.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;
import static org.assertj.core.api.Assertions.within;

import ai.lockstep.udf.golden.Golden;
import com.fasterxml.jackson.databind.JsonNode;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class LogitsStatisticsTest {

  /** Ids 0..5 have a token, 4 is the mask, 6 and 7 pad the head. */
  private static final ModelSpec TINY =
      new ModelSpec("tiny", 8, 6, 4, 5, List.of(5), 64, Alignment.SHIFTED);

  private static final float LN2 = (float) Math.log(2);

  private final LogitsStatistics statistics = LogitsStatistics.of(TINY);

  @Nested
  class AgainstDreamsSampler {

    private final JsonNode golden = Golden.json("sampling.json");

    @Test
    void givesTheSameFilteredDistribution() {
      for (JsonNode example : golden.get("cases")) {
        Sampling sampling = sampling(example);
        for (int row = 0; row < example.get("logits").size(); row++) {
          float[] logits = Golden.floats(example.get("logits").get(row));

          float[] p = vocabularyOf(logits.length).distribution(logits, sampling);

          assertThat(p).describedAs("%s row %d", sampling, row).hasSameSizeAs(logits);
          assertThat(p)
              .containsExactly(Golden.floats(example.get("probs").get(row)), offset(1e-5f));
        }
      }
    }

    @Test
    void givesTheSameGreedyTokenAndScores() {
      for (JsonNode example : golden.get("cases")) {
        if (!example.has("entropy")) {
          continue;
        }
        int rows = example.get("logits").size();
        float[][] logits = new float[rows][];
        for (int row = 0; row < rows; row++) {
          logits[row] = Golden.floats(example.get("logits").get(row));
        }
        Pass pass =
            Pass.full(new int[rows], positions(rows), Alignment.IN_PLACE)
                .withSampling(sampling(example), new double[0])
                .withSpread();

        Proposals proposals = vocabularyOf(logits[0].length).propose(pass, logits);

        for (int row = 0; row < rows; row++) {
          assertThat(proposals.token(row))
              .isEqualTo(example.get("maskgit_plus").get("token").get(row).asInt());
          assertThat(proposals.p(row))
              .isCloseTo(score(example, "maskgit_plus", row), within(1e-5f));
          assertThat(proposals.margin(row))
              .isCloseTo(score(example, "topk_margin", row), within(1e-5f));
          assertThat(proposals.negativeEntropy(row))
              .isCloseTo(score(example, "entropy", row), within(1e-5f));
        }
      }
    }

    @Test
    void drawsTheSameTokensFromTheSameUniforms() {
      for (JsonNode example : golden.get("inverse_cdf")) {
        float[] p = Golden.floats(example.get("probs"));
        int[] drawn =
            Arrays.stream(Golden.doubles(example.get("uniforms")))
                .mapToInt(uniform -> LogitsStatistics.draw(p, uniform))
                .toArray();

        assertThat(drawn).containsExactly(Golden.ints(example.get("tokens")));
      }
    }

    private float score(JsonNode example, String algorithm, int row) {
      return (float) example.get(algorithm).get("score").get(row).asDouble();
    }
  }

  @Nested
  class Suppression {

    private final float[] logits = {0, 1, 2, 0, 9, 0, 9, 9};

    @Test
    void removesTheMaskAndIdsWithoutAToken() {
      float[] p = statistics.distribution(logits, new Sampling(0, 1, 0, true));

      assertThat(p[4]).isZero();
      assertThat(p[6]).isZero();
      assertThat(p[7]).isZero();
      assertThat(p[0] + p[1] + p[2] + p[3] + p[5]).isCloseTo(1, within(1e-6f));
    }

    @Test
    void leavesTheRawLogProbabilityAlone() {
      Pass pass =
          Pass.full(new int[1], new int[] {0}, Alignment.IN_PLACE)
              .withSampling(new Sampling(0, 1, 0, true), new double[0]);

      Proposals proposals = statistics.propose(pass, new float[][] {logits});

      assertThat(proposals.token(0)).isEqualTo(2);
      assertThat(proposals.logProbability(0))
          .isEqualTo(statistics.logProbability(logits, 2))
          .isLessThan(-7);
    }
  }

  @Test
  void breaksTiesTowardsTheLowerId() {
    float[] logits = {0, 3, 3, 0, 0, 0, 0, 0};
    Pass pass = Pass.full(new int[1], new int[] {0}, Alignment.IN_PLACE).withSpread();

    Proposals proposals = statistics.propose(pass, new float[][] {logits});

    assertThat(proposals.token(0)).isEqualTo(1);
    assertThat(proposals.margin(0)).isZero();
  }

  @Test
  void keepsTheTokenThatCrossesTopP() {
    // 1/2, 1/4, 1/8, ...: the first two do not exceed 0.75, so the third stays as well.
    float[] logits = {0, -LN2, -2 * LN2, -3 * LN2, -4 * LN2, -5 * LN2, -6 * LN2, -6 * LN2};

    float[] p = statistics.distribution(logits, new Sampling(0, 0.76, 0, false));

    assertThat(p[2]).isCloseTo(1 / 7f, within(1e-6f));
    assertThat(p[3]).isZero();
  }

  @Test
  void keepsEveryTieWithTheKthToken() {
    float[] logits = {1, 2, 1, 1, 0, 0, 0, 0};

    float[] p = statistics.distribution(logits, new Sampling(0, 1, 2, false));

    assertThat(p[0]).isPositive().isEqualTo(p[2]).isEqualTo(p[3]);
    assertThat(p[4]).isZero();
  }

  @Test
  void survivesATemperatureNearZero() {
    float[] logits = {10, 20, 30, 5, 0, 0, 0, 0};

    float[] p = statistics.distribution(logits, new Sampling(1e-30, 1, 0, false));

    assertThat(p).containsExactly(0, 0, 1, 0, 0, 0, 0, 0);
  }

  @Test
  void drawsTheLastPossibleTokenWhenRoundingLeavesTheSumBelowOne() {
    assertThat(LogitsStatistics.draw(new float[] {0.25f, 0.5f, 0}, 0.999)).isEqualTo(1);
  }

  @Test
  void answersLogProbabilitiesOfGivenTokens() {
    float[] logits = {0, 0, 0, 0, 0, 0, 0, 0};
    Pass pass =
        Pass.full(new int[1], new int[] {0}, Alignment.IN_PLACE).withGivenTokens(new int[] {7});

    Proposals proposals = statistics.propose(pass, new float[][] {logits});

    assertThat(proposals.givenLogProbability(0)).isCloseTo(-3 * LN2, within(1e-6f));
  }

  @Test
  void refusesLogitsThatAreNotNumbers() {
    float[] logits = {0, 0, Float.NaN, 0, 0, 0, 0, 0};

    assertThatThrownBy(() -> statistics.distribution(logits, Sampling.GREEDY))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Cannot choose a token from logits whose largest value is NaN");
  }

  private static LogitsStatistics vocabularyOf(int size) {
    return LogitsStatistics.of(
        new ModelSpec("flat", size, size, 0, 0, List.of(0), 64, Alignment.IN_PLACE));
  }

  private static int[] positions(int count) {
    int[] positions = new int[count];
    Arrays.setAll(positions, i -> i);

    return positions;
  }

  static Sampling sampling(JsonNode example) {
    return new Sampling(
        example.get("temperature").asDouble(),
        example.get("top_p").asDouble(1),
        example.get("top_k").asInt(Sampling.NO_TOP_K),
        false);
  }
}
