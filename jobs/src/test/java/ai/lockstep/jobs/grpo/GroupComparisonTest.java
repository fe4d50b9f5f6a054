package ai.lockstep.jobs.grpo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.lockstep.jobs.LocalSpark;
import ai.lockstep.jobs.config.GateConfig;
import ai.lockstep.jobs.config.RewardWeights;
import ai.lockstep.jobs.config.RewardWeights.Part;
import ai.lockstep.jobs.config.RlConfig;
import ai.lockstep.jobs.config.RlConfig.Advantage;
import ai.lockstep.jobs.tables.CompletionsTable;
import ai.lockstep.jobs.tables.RowBuilder;
import ai.lockstep.jobs.tables.ScoresTable;
import ai.lockstep.jobs.tables.Table;
import java.sql.Timestamp;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructField;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(LocalSpark.class)
class GroupComparisonTest {

  private SparkSession spark;
  private final List<Row> completions = new ArrayList<>();
  private final List<Row> scores = new ArrayList<>();

  @BeforeEach
  void takeSession(SparkSession session) {
    spark = session;
  }

  /** A row in which every required column that a test does not speak of is 0, false or empty. */
  private static RowBuilder blank(Table table) {
    RowBuilder row = table.row();
    for (StructField field : table.schema().fields()) {
      if (!field.nullable()) {
        row.set(field.name(), nothing(field.dataType()));
      }
    }
    return row.set(Table.PARTITION, "c1");
  }

  private static Object nothing(DataType type) {
    if (type instanceof ArrayType) {
      return new Object[0];
    }
    return Map.<DataType, Object>of(
            DataTypes.StringType,
            "",
            DataTypes.IntegerType,
            0,
            DataTypes.LongType,
            0L,
            DataTypes.DoubleType,
            0.0,
            DataTypes.BooleanType,
            false,
            DataTypes.TimestampType,
            new Timestamp(0))
        .get(type);
  }

  private static RowBuilder decoded(String task, int sample) {
    return blank(CompletionsTable.TABLE)
        .set("status", "ok")
        .set("task_id", task)
        .set("sample_index", sample)
        .set("token_ids", new Integer[] {sample})
        .set("blocks", new Row[] {RowFactory.create("R", 5, 4), RowFactory.create("A", 9, 6)})
        .set("text_r", "double it")
        .set("text_a", "def f(x): return 2 * x");
  }

  private static RowBuilder judged(String task, int sample) {
    return blank(ScoresTable.TABLE)
        .set("task_id", task)
        .set("sample_index", sample)
        .set("extraction", "sanitized")
        .set("outcome", "wrong_answer")
        .set("base_tests", 3)
        .set("plus_tests", 5);
  }

  private static RowBuilder passing(String task, int sample) {
    return judged(task, sample)
        .set("outcome", "passed")
        .set("passed_base", true)
        .set("passed_plus", true)
        .set("base_passed", 3)
        .set("plus_passed", 5);
  }

  private void sample(RowBuilder completion, RowBuilder score) {
    completions.add(completion.build());
    scores.add(score.build());
  }

  private List<Row> compared(RlConfig rl) {
    return GroupComparison.of(
            spark,
            spark.createDataFrame(completions, CompletionsTable.TABLE.schema()),
            spark.createDataFrame(scores, ScoresTable.TABLE.schema()),
            rl)
        .orderBy("task_id", "sample_index")
        .collectAsList();
  }

  private static RlConfig rl(Map<Part, Double> weights, Advantage advantage, Double... clip) {
    return new RlConfig(
        2,
        RlConfig.Greedy.REFUSED,
        new RewardWeights(weights),
        advantage,
        Stream.of(clip).findFirst(),
        RlConfig.ZeroSpread.KEEP,
        RlConfig.LogProbs.TRACE,
        0,
        0,
        RlConfig.Group.CONFIG,
        2,
        new GateConfig(
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty()));
  }

  private static List<Double> column(List<Row> rows, String column) {
    return rows.stream().map(row -> row.<Double>getAs(column)).toList();
  }

  @Nested
  class Rewards {

    private Row only(Part part, double weight) {
      List<Row> rows = compared(rl(Map.of(part, weight), Advantage.RLOO));
      assertThat(rows).hasSize(1);
      return rows.get(0);
    }

    @Test
    void aRewardIsTheWeightedSumOfItsParts() {
      sample(
          decoded("t", 0).set("tokens_r", 2).set("tokens_a", 3),
          judged("t", 0).set("passed_base", true).set("base_passed", 3).set("plus_passed", 1));

      Row row =
          compared(
                  rl(
                      Map.of(
                          Part.PLUS,
                          2.0,
                          Part.BASE,
                          1.0,
                          Part.TESTS,
                          4.0,
                          Part.FORMAT,
                          0.5,
                          Part.LENGTH,
                          0.25,
                          Part.TAMPER,
                          -8.0),
                      Advantage.RLOO))
              .get(0);

      assertThat(row.<Double>getAs("reward_plus")).isZero();
      assertThat(row.<Double>getAs("reward_base")).isEqualTo(1);
      assertThat(row.<Double>getAs("reward_tests")).isEqualTo(0.5); // 4 of 8
      assertThat(row.<Double>getAs("reward_format")).isEqualTo(1);
      assertThat(row.<Double>getAs("reward_length")).isEqualTo(0.5); // 5 of 10 positions used
      assertThat(row.<Double>getAs("reward_tamper")).isZero();
      // 1 x 1 + 4 x 0.5 + 0.5 x 1 + 0.25 x 0.5
      assertThat(row.<Double>getAs("reward")).isEqualTo(3.625);
    }

    @Test
    void plusNeedsBaseAndPlus() {
      sample(decoded("t", 0), passing("t", 0));

      assertThat(only(Part.PLUS, 2).<Double>getAs("reward")).isEqualTo(2);
    }

    @Test
    void aForgedVerdictIsWorthNoTest() {
      sample(decoded("t", 0), passing("t", 0).set("tampered", true));

      Row row = only(Part.TAMPER, -1);

      assertThat(row.<Double>getAs("reward")).isEqualTo(-1);
      assertThat(row.<Double>getAs("reward_plus")).isZero();
      assertThat(row.<Double>getAs("reward_base")).isZero();
      assertThat(row.<Double>getAs("reward_tests")).isZero();
    }

    @Test
    void theFormatNeedsReasoningAnAnswerAndAProgram() {
      sample(decoded("a blank answer", 0).set("text_a", " \n"), judged("a blank answer", 0));
      sample(decoded("blank reasoning", 0).set("text_r", ""), judged("blank reasoning", 0));
      sample(decoded("prose", 0), judged("prose", 0).set("extraction", "no_entry_point"));
      sample(decoded("slip", 0), judged("slip", 0).set("outcome", "syntax_error"));
      sample(decoded("without R", 0).set("text_r", null), judged("without R", 0));

      List<Row> rows = compared(rl(Map.of(Part.FORMAT, 1.0), Advantage.RLOO));

      assertThat(rows)
          .extracting(row -> row.<String>getAs("task_id") + " " + row.<Double>getAs("reward"))
          .containsExactly(
              "a blank answer 0.0",
              "blank reasoning 0.0",
              "prose 0.0",
              "slip 0.0",
              "without R 1.0");
    }

    @Test
    void samplesWithoutACompletionOrAVerdictHaveNone() {
      sample(decoded("t", 0).set("status", "failed"), judged("t", 1));
      sample(decoded("t", 2), judged("t", 2).set("outcome", "sandbox_error"));
      sample(decoded("t", 3), judged("t", 3));

      assertThat(only(Part.PLUS, 1).<Integer>getAs("sample_index")).isEqualTo(3);
    }
  }

  @Nested
  class Advantages {

    /** Rewards 1, 0, 0, 0 in task t and 1, 1 in task u. */
    private List<Row> oneOfFour(RlConfig rl) {
      sample(decoded("t", 0), passing("t", 0));
      for (int sample = 1; sample < 4; sample++) {
        sample(decoded("t", sample), judged("t", sample));
      }
      sample(decoded("u", 0), passing("u", 0));
      sample(decoded("u", 1), passing("u", 1));
      return compared(rl);
    }

    @Test
    void ofAGroupAreItsRewardsComparedThreeWays() {
      List<Row> rows = oneOfFour(rl(Map.of(Part.PLUS, 1.0), Advantage.DR_GRPO));

      List<Row> t = rows.subList(0, 4);
      assertThat(column(t, "group_mean")).containsOnly(0.25);
      // sqrt((0.75^2 + 3 x 0.25^2) / 3) = sqrt(0.25)
      assertThat(column(t, "group_std")).containsOnly(0.5);
      assertThat(column(t, "advantage_dr_grpo")).containsExactly(0.75, -0.25, -0.25, -0.25);
      assertThat(column(t, "advantage_grpo"))
          .usingComparatorForType((a, b) -> Math.abs(a - b) < 1e-5 ? 0 : 1, Double.class)
          .containsExactly(1.5, -0.5, -0.5, -0.5);
      // The best against three zeros; each zero against a third.
      assertThat(t.get(0).<Double>getAs("advantage_rloo")).isEqualTo(1);
      assertThat(t.get(1).<Double>getAs("advantage_rloo")).isEqualTo(-1 / 3.0, within(1e-12));
      assertThat(column(t, "advantage")).isEqualTo(column(t, "advantage_dr_grpo"));
      assertThat(t).allMatch(row -> !row.<Boolean>getAs("zero_spread"));
    }

    @Test
    void ofEqualRewardsAreZero() {
      List<Row> u = oneOfFour(rl(Map.of(Part.PLUS, 1.0), Advantage.GRPO)).subList(4, 6);

      assertThat(u).allMatch(row -> row.<Boolean>getAs("zero_spread"));
      assertThat(u).allMatch(row -> row.<Long>getAs("group_samples") == 2);
      for (String column : List.of("advantage_grpo", "advantage_dr_grpo", "advantage_rloo")) {
        assertThat(column(u, column)).containsOnly(0.0);
      }
    }

    @Test
    void ofASampleAloneIsZero() {
      sample(decoded("t", 0), passing("t", 0));

      Row row = compared(rl(Map.of(Part.PLUS, 1.0), Advantage.RLOO)).get(0);

      assertThat(row.<Double>getAs("advantage")).isZero();
      assertThat(row.<Double>getAs("group_std")).isZero();
      assertThat(row.<Boolean>getAs("zero_spread")).isTrue();
    }

    @Test
    void areCutOnBothSides() {
      List<Row> t = oneOfFour(rl(Map.of(Part.PLUS, 1.0), Advantage.RLOO, 0.3)).subList(0, 4);

      assertThat(column(t, "advantage")).containsExactly(0.3, -0.3, -0.3, -0.3);
    }
  }

  @Test
  void aSampleWithTheTokensOfAnEarlierOneSaysWhich() {
    sample(decoded("t", 0), judged("t", 0));
    sample(decoded("t", 1), judged("t", 1));
    sample(decoded("t", 2).set("token_ids", new Integer[] {1}), judged("t", 2));
    sample(decoded("u", 0).set("token_ids", new Integer[] {1}), judged("u", 0));

    List<Row> rows = compared(rl(Map.of(Part.PLUS, 1.0), Advantage.RLOO));

    assertThat(rows)
        .extracting(row -> Optional.ofNullable(row.<Integer>getAs("duplicate_of")))
        .containsExactly(Optional.empty(), Optional.empty(), Optional.of(1), Optional.empty());
  }
}
