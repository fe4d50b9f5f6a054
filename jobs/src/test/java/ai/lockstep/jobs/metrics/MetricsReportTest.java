package ai.lockstep.jobs.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.lockstep.failure.FailureCategory;
import ai.lockstep.failure.LockstepException;
import ai.lockstep.jobs.tables.MetricsTable;
import ai.lockstep.jobs.tables.RowBuilder;
import java.util.List;
import org.junit.jupiter.api.Test;

class MetricsReportTest {

  private static RowBuilder row() {
    return MetricsTable.TABLE
        .row()
        .set("run_id", "night")
        .set("dataset", "starter")
        .set("tasks", 20)
        .set("samples", 40L)
        .set("failed_rows", 0L)
        .set("tampered", 0L)
        .set("unjudged", 0L)
        .set("config_id", "c1");
  }

  private static RowBuilder judged() {
    return row()
        .set("pass_at_1_base", 0.5)
        .set("pass_at_1_base_low", 0.25)
        .set("pass_at_1_base_high", 0.75);
  }

  @Test
  void showsPassAt1WithItsInterval() {
    assertThat(MetricsReport.of(List.of(judged().build()), List.of("c1")))
        .isEqualTo(
            """
            config  tasks  samples          pass@1 base
            c1         20       40  0.500 (0.250-0.750)
            """);
  }

  @Test
  void marksWhatOnlySomeHave() {
    assertThat(
            MetricsReport.of(
                List.of(row().build(), row().set("tokens_per_pass", 3.456).build()),
                List.of("decode.tau_a=0.5", "decode.tau_a=0.9")))
        .isEqualTo(
            """
            config            tasks  samples  tokens/pass
            decode.tau_a=0.5     20       40            -
            decode.tau_a=0.9     20       40         3.46
            """);
  }

  @Test
  void rowsThatCouldNotBeDecodedMakeItPartial() {
    assertThatThrownBy(
            () ->
                MetricsReport.requireWhole(
                    List.of(row().set("failed_rows", 2L).build(), row().build()), "out"))
        .isInstanceOf(LockstepException.class)
        .hasMessage(
            "2 rows could not be decoded; the column error of out/completions says why. The rest is written.")
        .extracting(e -> ((LockstepException) e).category())
        .isEqualTo(FailureCategory.PARTIAL);
  }

  @Test
  void programsThatCouldNotBeJudgedMakeItPartial() {
    assertThatThrownBy(
            () -> MetricsReport.requireWhole(List.of(row().set("unjudged", 1L).build()), "out"))
        .hasMessage(
            "1 programs could not be judged and count as failed; out/scores has them with outcome sandbox_error. The rest is written.");
  }
}
