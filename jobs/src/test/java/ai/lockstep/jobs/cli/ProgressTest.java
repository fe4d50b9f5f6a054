package ai.lockstep.jobs.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class ProgressTest {

  @Test
  void aLineTellsCountRateAndTimeLeft() {
    assertThat(Progress.line("decoding", "rows", 30, 120, Duration.ofSeconds(60)))
        .isEqualTo("decoding done=30 of=120 rows share=25% rate=0.50/s left=0:03:00");
  }

  @Test
  void theTimeLeftIsUnknownWhileNothingIsDone() {
    assertThat(Progress.line("scoring", "rows", 0, 120, Duration.ofSeconds(5)))
        .isEqualTo("scoring done=0 of=120 rows share=0% rate=0.00/s left=unknown");
  }

  @Test
  void aTextTableAlignsTheFirstColumnLeftAndTheOthersRight() {
    TextTable table =
        new TextTable(List.of("config", "pass@1"))
            .row(List.of("a", "0.5"))
            .row(List.of("bcdefgh", "1"));

    assertThat(table.toString()).isEqualTo("config   pass@1\na           0.5\nbcdefgh       1\n");
  }
}
