package ai.lockstep.udf.decode;

import static org.assertj.core.api.Assertions.assertThat;

import ai.lockstep.udf.golden.Golden;
import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.IntFunction;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ScheduleTest {

  static Stream<JsonNode> dream() {
    return cases("dream");
  }

  static Stream<JsonNode> llada() {
    return cases("llada");
  }

  static Stream<JsonNode> caps() {
    return cases("caps");
  }

  private static Stream<JsonNode> cases(String name) {
    return StreamSupport.stream(Golden.json("schedule.json").get(name).spliterator(), false);
  }

  /** What a schedule commits pass by pass when every pass commits what it may. */
  private static List<Integer> counts(
      Function<IntFunction<CommitRule>, Schedule> schedule, int masks) {
    List<Integer> asked = new ArrayList<>();
    Schedule recording =
        schedule.apply(
            count -> {
              asked.add(count);
              return CommitRule.best(count);
            });
    int left = masks;
    for (int step = 0; recording.rule(step, left).isPresent(); step++) {
      left -= asked.get(step);
    }

    return asked;
  }

  private static Integer[] expected(JsonNode golden) {
    return StreamSupport.stream(golden.get("counts").spliterator(), false)
        .map(JsonNode::asInt)
        .toArray(Integer[]::new);
  }

  @ParameterizedTest
  @MethodSource("dream")
  void linearCountsAreDreams(JsonNode golden) {
    List<Integer> counts =
        counts(
            rule ->
                Schedule.linear(golden.get("steps").asInt(), golden.get("eps").asDouble(), rule),
            golden.get("tokens").asInt());

    assertThat(counts).containsExactly(expected(golden));
  }

  @ParameterizedTest
  @MethodSource("llada")
  void evenCountsAreLladas(JsonNode golden) {
    List<Integer> counts =
        counts(
            rule -> Schedule.even(golden.get("steps").asInt(), rule), golden.get("masks").asInt());

    assertThat(counts).containsExactly(expected(golden));
  }

  @ParameterizedTest
  @MethodSource("caps")
  void capsAreLocksteps(JsonNode golden) {
    assertThat(Schedule.cap(golden.get("frac").asDouble(), golden.get("masked").asInt()))
        .isEqualTo(golden.get("cap").asInt());
  }

  @Test
  void aStepATokenCommitsNothingFirstAndTwoTokensLast() {
    assertThat(counts(rule -> Schedule.linear(4, 0.001, rule), 4)).containsExactly(0, 1, 1, 2);
  }

  @Test
  void evenPutsTheLargerNumbersFirst() {
    assertThat(counts(rule -> Schedule.even(3, rule), 8)).containsExactly(3, 3, 2);
    assertThat(counts(rule -> Schedule.even(4, rule), 2)).containsExactly(1, 1, 0, 0);
  }

  @Test
  void aQuotaGrowsByWhatThresholdsHeldBack() {
    List<Integer> asked = new ArrayList<>();
    Schedule quota =
        Schedule.quota(
            8,
            4,
            cap -> {
              asked.add(cap);
              return CommitRule.best(cap);
            });
    quota.rule(0, 8); // two are due
    quota.rule(1, 7); // one was committed: two and the one held back
    quota.rule(2, 4); // all that was due is committed: two
    quota.rule(3, 3); // one held back
    quota.rule(4, 2); // the steps are used up: all that is left

    assertThat(asked).containsExactly(2, 3, 2, 3, 2);
  }

  @Test
  void noScheduleOutlivesItsPasses() {
    assertThat(Schedule.linear(3, 0.001, CommitRule::best).rule(3, 1)).isEmpty();
    assertThat(Schedule.even(3, CommitRule::best).rule(3, 1)).isEmpty();
    assertThat(Schedule.linearProbability(3, 0.001, p -> CommitRule.best(1)).rule(3, 1)).isEmpty();
    assertThat(Schedule.quota(6, 3, CommitRule::best).rule(6, 1)).isEmpty();
    assertThat(Schedule.sweeps(3, 0.9, 0.4).rule(3, 1)).isEmpty();
    assertThat(Schedule.untilFilled(3, CommitRule.best(1)).rule(3, 1)).isEmpty();
  }

  @Test
  void originCommitsSurelyInTheLastPass() {
    List<Double> asked = new ArrayList<>();
    Schedule origin =
        Schedule.linearProbability(
            2,
            0.5,
            probability -> {
              asked.add(probability);
              return CommitRule.best(0);
            });
    origin.rule(0, 8);
    origin.rule(1, 8);

    assertThat(asked).containsExactly(0.25, 1.0);
  }

  @Test
  void sweepsNeedAShareOfTheMasksThatGrowsAsTheBudgetEnds() {
    // Nothing meets the threshold: what is committed is what is needed.
    Candidates unsure = Proposed.withProbabilities(0.1f, 0.1f, 0.1f, 0.1f, 0.1f, 0.1f);

    assertThat(accepted(Schedule.sweeps(6, 0.9, 0.4).rule(0, 6), unsure)).isEqualTo(1);
    assertThat(accepted(Schedule.sweeps(6, 0.9, 0.4).rule(4, 6), unsure)).isEqualTo(3);
    assertThat(accepted(Schedule.sweeps(6, 0.9, 0.4).rule(5, 6), unsure)).isEqualTo(6);
  }

  @Test
  void sweepsCommitAtMostTheShareThatOnePassMayFill() {
    Candidates sure = Proposed.withProbabilities(0.99f, 0.99f, 0.99f, 0.99f, 0.99f, 0.99f);

    assertThat(accepted(Schedule.sweeps(9, 0.9, 0.4).rule(0, 6), sure)).isEqualTo(3);
    assertThat(accepted(Schedule.sweeps(1, 0.9, 0.4).rule(0, 6), sure)).isEqualTo(6);
  }

  private static int accepted(Optional<CommitRule> rule, Candidates candidates) {
    return rule.orElseThrow().accept(candidates).size();
  }
}
