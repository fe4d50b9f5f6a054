package ai.lockstep.jobs.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.lockstep.jobs.LocalSpark;
import ai.lockstep.jobs.tables.CompletionsTable;
import ai.lockstep.jobs.tables.MetricsTable;
import ai.lockstep.jobs.tables.RunsTable;
import ai.lockstep.jobs.tables.ScoresTable;
import ai.lockstep.jobs.tables.StepsTable;
import ai.lockstep.jobs.tables.Table;
import java.util.List;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The bundled queries on tables small enough to work out by hand. */
@ExtendWith(LocalSpark.class)
class NamedQueryTest {

  private SparkSession spark;

  @BeforeEach
  void takeSession(SparkSession session) {
    spark = session;
  }

  /** A view of literal rows, as VALUES of SQL. */
  private void view(String name, String columns, String... rows) {
    spark
        .sql("SELECT * FROM VALUES " + String.join(", ", rows) + " AS t(" + columns + ")")
        .createOrReplaceTempView(name);
  }

  private List<String> ask(NamedQuery query) {
    return spark.sql(query.sql()).collectAsList().stream().map(Row::toString).toList();
  }

  @ParameterizedTest
  @EnumSource
  void readsOnlyColumnsThatTheTablesHave(NamedQuery query) {
    for (Table table :
        List.of(
            RunsTable.TABLE,
            CompletionsTable.TABLE,
            StepsTable.TABLE,
            ScoresTable.TABLE,
            MetricsTable.TABLE)) {
      spark.createDataFrame(List.<Row>of(), table.schema()).createOrReplaceTempView(table.name());
    }

    assertThat(spark.sql(query.sql()).collectAsList()).isEmpty();
  }

  @Test
  void byBlockWeighsProbabilitiesByTokens() {
    view(
        "steps",
        "config_id, blocks, masks_before, committed, forced, mean_p",
        "('a', 'R', 8, 3, 0, 0.9)",
        "('a', 'R', 5, 1, 1, 0.5)",
        "('a', 'A', 4, 0, 0, CAST(NULL AS DOUBLE))");

    assertThat(ask(NamedQuery.BY_BLOCK))
        .containsExactly(
            "[a,A,1,0,0.0,0.0,null,null]", "[a,R,2,4,2.0,%s,0.25,0.8]".formatted(4.0 / 13));
  }

  @Test
  void emptyAnswersLeavesOutRowsThatFailed() {
    view(
        "completions",
        "config_id, task_id, sample_index, nfe, tokens_r, text_r, empty_answer, status",
        "('a', 'T/1', 0, 9, 4, 'think', true, 'ok')",
        "('a', 'T/2', 0, 9, 4, 'think', false, 'ok')",
        "('a', 'T/3', 0, 0, 0, NULL, true, 'failed')");

    assertThat(ask(NamedQuery.EMPTY_ANSWERS)).containsExactly("[a,T/1,0,9,4,think]");
  }

  @Test
  void fillRateVsPassCutsRowsIntoQuarters() {
    view(
        "completions",
        "config_id, task_id, sample_index, fill_rate",
        "('a', 'T/1', 0, 0.1)",
        "('a', 'T/2', 0, 0.2)",
        "('a', 'T/3', 0, 0.3)",
        "('a', 'T/4', 0, 0.4)",
        "('a', 'T/5', 0, 0.5)");
    view(
        "scores",
        "config_id, task_id, sample_index, passed_base, passed_plus",
        "('a', 'T/1', 0, true, true)",
        "('a', 'T/2', 0, true, false)",
        "('a', 'T/3', 0, true, true)",
        "('a', 'T/4', 0, false, false)",
        "('a', 'T/5', 0, false, false)");

    assertThat(ask(NamedQuery.FILL_RATE_VS_PASS))
        .containsExactly(
            "[a,1,2,0.1,0.2,1.0,0.5]",
            "[a,2,1,0.3,0.3,1.0,1.0]",
            "[a,3,1,0.4,0.4,0.0,0.0]",
            "[a,4,1,0.5,0.5,0.0,0.0]");
  }

  @Test
  void forcedCommitsTellsRightFromWrong() {
    view(
        "completions",
        "config_id, task_id, sample_index, committed_r, committed_a, forced_commits, forced_passes, nfe",
        "('a', 'T/1', 0, 4, 6, 1, 1, 4)",
        "('a', 'T/2', 0, 4, 6, 5, 2, 4)",
        "('a', 'T/3', 0, 4, 6, 3, 2, 4)");
    view(
        "scores",
        "config_id, task_id, sample_index, passed_plus",
        "('a', 'T/1', 0, true)",
        "('a', 'T/2', 0, false)",
        "('a', 'T/3', 0, false)");

    assertThat(ask(NamedQuery.FORCED_COMMITS))
        .containsExactly("[a,false,2,20,8,0.4,0.5]", "[a,true,1,10,1,0.1,0.25]");
  }

  @Test
  void frontierLeavesOutWhatIsBeatenInBoth() {
    view(
        "metrics",
        "config_id, tokens_per_pass, pass_at_1_base, pass_at_1_plus",
        "('slow', 1.0, 0.6, 0.5)",
        "('fast', 4.0, 0.4, 0.3)",
        "('beaten', 3.0, 0.4, 0.3)",
        "('unscored', 9.0, NULL, NULL)");

    assertThat(ask(NamedQuery.FRONTIER))
        .containsExactly(
            "[fast,4.0,0.4,0.3,true]", "[beaten,3.0,0.4,0.3,false]", "[slow,1.0,0.6,0.5,true]");
  }

  /** A quarter worse than the best weighs nothing here: it is over 5 points off and left out. */
  @Test
  void aupIsTheAreaUnderWeightedAccuracyOverSpeed() {
    view(
        "runs",
        "config_id, config",
        "('a', '{\"decode\":{\"name\":\"lockstep\",\"mode\":\"jacobi\"}}')",
        "('b', '{\"decode\":{\"name\":\"lockstep\",\"mode\":\"jacobi\"}}')",
        "('c', '{\"decode\":{\"name\":\"lockstep\",\"mode\":\"jacobi\"}}')",
        "('d', '{\"decode\":{\"name\":\"dream\"}}')");
    view(
        "metrics",
        "config_id, tokens_per_pass, pass_at_1_plus",
        "('b', 3.0D, 0.75D)",
        "('a', 2.0D, 0.75D)",
        "('c', 4.0D, 0.5D)",
        "('d', 1.0D, 0.5D)");

    assertThat(ask(NamedQuery.AUP))
        .containsExactly("[lockstep jacobi,3,2,3.0,225.0]", "[dream,1,1,1.0,50.0]");

    view(
        "metrics",
        "config_id, tokens_per_pass, pass_at_1_plus",
        "('a', 2.0D, 0.80D)",
        "('b', 3.0D, 0.76D)");
    double weighted = 76 * Math.exp(-3 * (1 - 76.0 / 80));
    assertThat(spark.sql(NamedQuery.AUP.sql()).first().<Double>getAs("aup"))
        .isCloseTo(2 * 80 + (80 + weighted) / 2, within(1e-9));
  }

  @Test
  void seedVariancePutsConfigurationsTogetherThatDifferInTheSeed() {
    view(
        "runs",
        "config_id, config",
        "('a', '{\"tau\":0.9,\"seed\":1}')",
        "('b', '{\"tau\":0.9,\"seed\":22}')",
        "('c', '{\"tau\":0.5,\"seed\":1}')");
    view(
        "scores",
        "config_id, task_id, sample_index, passed_base, passed_plus",
        "('a', 'T/1', 0, true, true)",
        "('a', 'T/2', 0, true, false)",
        "('b', 'T/1', 0, true, false)",
        "('b', 'T/2', 0, true, false)",
        "('c', 'T/1', 0, true, true)",
        "('c', 'T/1', 1, false, false)");

    assertThat(ask(NamedQuery.SEED_VARIANCE))
        .containsExactly(
            "[a,2,1.0,0.0,0.25,%s,0.0,0.5]".formatted(Math.sqrt(0.125)),
            "[c,2,0.5,%1$s,0.5,%1$s,0.0,1.0]".formatted(Math.sqrt(0.5)));
  }

  @Test
  void worstTasksNamesTheUsualFailure() {
    view(
        "scores",
        "task_id, passed_base, passed_plus, outcome",
        "('T/1', true, true, 'passed')",
        "('T/2', true, false, 'wrong_answer')",
        "('T/2', false, false, 'timeout')",
        "('T/2', false, false, 'timeout')",
        "('T/3', false, false, 'syntax_error')");

    assertThat(ask(NamedQuery.WORST_TASKS))
        .containsExactly("[T/3,1,0,0,syntax_error]", "[T/2,3,1,0,timeout]", "[T/1,1,1,1,null]");
  }

  @Test
  void verdictsCountsSamplesAndPassesOfATask() {
    view(
        "scores",
        "config_id, task_id, passed_base, passed_plus, plus_status, tampered, outcome",
        "('a', 'T/1', true, true, 'pass', false, 'passed')",
        "('a', 'T/1', true, false, 'fail', true, 'tampered')",
        "('a', 'T/2', false, false, NULL, false, 'sandbox_error')");

    assertThat(ask(NamedQuery.VERDICTS))
        .containsExactly("[a,T/1,2,2,1,2,1,0]", "[a,T/2,1,0,0,0,0,1]");
  }

  @Test
  void decodingCountsTimeOnceWhereRowsOverlap() {
    view(
        "completions",
        "config_id, status, started_at, finished_at, empty_answer, fill_rate, fill_rate_r, fill_rate_a, ar_ness_local, ar_ness_global, nfe, committed_r, committed_a, forced_commits, tokens_r, tokens_a",
        "('a', 'ok', TIMESTAMP'2026-01-01 00:00:00', TIMESTAMP'2026-01-01 00:00:10', false, 0.2, 0.1, 0.3, 0.5D, 0.75D, 4, 4, 6, 2, 3, 5)",
        "('a', 'ok', TIMESTAMP'2026-01-01 00:00:05', TIMESTAMP'2026-01-01 00:00:15', true, 0.4, 0.1, 0.3, 0.5D, 0.75D, 6, 4, 6, 3, 12, 0)",
        "('a', 'ok', TIMESTAMP'2026-01-01 01:00:00', TIMESTAMP'2026-01-01 01:00:05', false, 0.6, 0.1, 0.3, 0.5D, 0.75D, 10, 4, 6, 1, 0, 20)",
        "('a', 'failed', TIMESTAMP'2026-01-01 00:00:00', TIMESTAMP'2026-01-01 09:00:00', false, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, 0, 0, 0)");

    Row row = spark.sql(NamedQuery.DECODING.sql()).first();
    assertThat(row.<Long>getAs("failed_rows")).isEqualTo(1);
    assertThat(row.<Double>getAs("empty_answer_rate")).isEqualTo(1.0 / 3);
    assertThat(row.<Double>getAs("tokens_per_pass")).isEqualTo(1.5);
    assertThat(row.<Double>getAs("forced_commit_rate")).isEqualTo(0.2);
    assertThat(row.<Double>getAs("ar_ness_global")).isEqualTo(0.75);
    assertThat(row.<Double>getAs("decode_seconds")).isEqualTo(20.0);
    assertThat(row.<Double>getAs("tokens_per_second")).isEqualTo(2.0);
  }
}
