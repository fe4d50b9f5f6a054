package ai.lockstep.udf.decode;

import static org.assertj.core.api.Assertions.assertThat;

import ai.lockstep.udf.golden.Golden;
import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class CommitRuleTest {

  /** {@code position kind}, in the order of acceptance. */
  private static List<String> accepted(CommitRule rule, Candidates candidates) {
    return rule.accept(candidates).stream()
        .map(token -> token.position() + " " + token.kind().spelling())
        .toList();
  }

  @Nested
  class Threshold {

    @Test
    void commitsWhatMeetsItBestFirst() {
      assertThat(
              accepted(
                  CommitRule.threshold(0.9, 1, 9),
                  Proposed.withProbabilities(0.91f, 0.5f, 0.99f, 0.9f)))
          .containsExactly("2 threshold", "0 threshold", "3 threshold");
    }

    @Test
    void commitsTheMostConfidentTokenWhenNothingPasses() {
      assertThat(
              accepted(
                  CommitRule.threshold(0.9, 1, 9), Proposed.withProbabilities(0.3f, 0.5f, 0.4f)))
          .containsExactly("1 forced");
    }

    @Test
    void takesNoMoreThanTheCapAndTiesGoToTheLowerPosition() {
      assertThat(
              accepted(
                  CommitRule.threshold(0.9, 1, 2),
                  Proposed.withProbabilities(0.95f, 0.95f, 0.95f, 0.95f)))
          .containsExactly("0 threshold", "1 threshold");
    }

    @Test
    void fillsUpToTheNeedWithTheBestOfTheRest() {
      assertThat(
              accepted(
                  CommitRule.threshold(0.9, 3, 3),
                  Proposed.withProbabilities(0.2f, 0.95f, 0.3f, 0.3f)))
          .containsExactly("1 threshold", "2 forced", "3 forced");
    }

    @Test
    void testsTheProbabilityAndRanksByTheScore() {
      Candidates candidates =
          Proposed.with(new float[] {0.95f, 0.92f, 0.5f}, new float[] {0.1f, 0.2f, 0.9f});

      assertThat(accepted(CommitRule.threshold(0.9, 1, 1), candidates))
          .containsExactly("1 threshold");
      assertThat(accepted(CommitRule.threshold(0.99, 1, 1), candidates))
          .containsExactly("2 forced");
    }

    @Test
    void includesItsOwnValue() {
      assertThat(accepted(CommitRule.threshold(0.9, 1, 9), Proposed.withProbabilities(0.9f, 0.9f)))
          .containsExactly("0 threshold", "1 threshold");
    }
  }

  @Nested
  class Above {

    @Test
    void excludesItsOwnValue() {
      assertThat(accepted(CommitRule.above(0.9, 0), Proposed.withProbabilities(0.9f, 0.91f)))
          .containsExactly("1 threshold");
    }

    @Test
    void commitsNothingWithoutNeed() {
      assertThat(accepted(CommitRule.above(0.9, 0), Proposed.withProbabilities(0.8f))).isEmpty();
      assertThat(accepted(CommitRule.above(0.9, 1), Proposed.withProbabilities(0.8f)))
          .containsExactly("0 forced");
    }
  }

  @Nested
  class Factor {

    static Stream<JsonNode> counts() {
      return StreamSupport.stream(Golden.json("schedule.json").get("factor").spliterator(), false);
    }

    @ParameterizedTest
    @MethodSource("counts")
    void commitsAsManyAsTheReference(JsonNode golden) {
      CommitRule rule = CommitRule.factor(golden.get("factor").asDouble());
      Candidates candidates = Proposed.withProbabilities(Golden.floats(golden.get("conf")));

      assertThat(rule.accept(candidates)).hasSize(golden.get("count").asInt());
    }

    @Test
    void stopsAtTheFirstProbabilityBelowOneMinusFactorOverRankPlusOne() {
      // Limits from the second on: 1 - 1/3, 1 - 1/4, 1 - 1/5, 1 - 1/6.
      assertThat(
              accepted(
                  CommitRule.factor(1), Proposed.withProbabilities(0.9f, 0.7f, 0.74f, 0.1f, 0.1f)))
          .containsExactly("0 threshold", "2 threshold");
    }
  }

  @Nested
  class Best {

    @Test
    void takesTheBestAndTiesGoToTheLowerPosition() {
      assertThat(accepted(CommitRule.best(2), Proposed.withProbabilities(0.1f, 0.4f, 0.4f, 0.4f)))
          .containsExactly("1 scheduled", "2 scheduled");
    }

    @Test
    void treatsBothZerosAlike() {
      assertThat(accepted(CommitRule.best(1), Proposed.withProbabilities(-0f, 0f)))
          .containsExactly("0 scheduled");
    }

    @Test
    void takesAllWhenThereAreFewer() {
      assertThat(accepted(CommitRule.best(5), Proposed.withProbabilities(0.1f))).hasSize(1);
      assertThat(accepted(CommitRule.best(0), Proposed.withProbabilities(0.1f))).isEmpty();
    }
  }

  @Nested
  class Drawn {

    static Stream<JsonNode> draws() {
      return StreamSupport.stream(
          Golden.json("sampling.json").get("gumbel_topk").spliterator(), false);
    }

    @ParameterizedTest
    @MethodSource("draws")
    void drawsWhatTheReferenceDraws(JsonNode golden) {
      double[] uniforms = Golden.doubles(golden.get("uniforms"));
      CommitRule rule =
          CommitRule.drawn(
              golden.get("k").asInt(),
              golden.get("alg_temp").asDouble(),
              (draw, pass, position) -> uniforms[position]);
      Candidates candidates = Proposed.withProbabilities(Golden.floats(golden.get("scores")));

      assertThat(rule.accept(candidates).stream().mapToInt(Accepted::position))
          .containsExactlyInAnyOrder(
              java.util.Arrays.stream(Golden.ints(golden.get("selected")))
                  .boxed()
                  .toArray(Integer[]::new));
    }

    @Test
    void ignoresScoresAtInfiniteTemperature() {
      double[] uniforms = {0.2, 0.9, 0.5};
      CommitRule rule =
          CommitRule.drawn(
              2, Double.POSITIVE_INFINITY, (draw, pass, position) -> uniforms[position]);

      assertThat(accepted(rule, Proposed.withProbabilities(0.99f, 0.1f, 0.5f)))
          .containsExactly("1 scheduled", "2 scheduled");
    }
  }

  @Nested
  class Independent {

    @Test
    void commitsEveryPositionWhoseNumberIsBelowTheProbability() {
      double[] uniforms = {0.2, 0.5, 0.49};
      CommitRule rule = CommitRule.independent(0.5, (draw, pass, position) -> uniforms[position]);

      assertThat(accepted(rule, Proposed.withProbabilities(0.1f, 0.2f, 0.3f)))
          .containsExactly("2 scheduled", "0 scheduled");
    }
  }
}
