package ai.lockstep.udf.decode;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A prompt of two, R of three positions at 2 to 4, A of three at 5 to 7; the end token is 9. */
class RowMetricsTest {

  private static final Block R = new Block("R", 2, 3);
  private static final Block A = new Block("A", 5, 3);

  private final List<Commit> commits = new ArrayList<>();
  private final List<PassRecord> passes = new ArrayList<>();
  private final int[] tokens = new int[6];

  private void commit(int nfe, int position, int token, CommitKind kind) {
    Block block = position < A.start() ? R : A;
    commits.add(new Commit(nfe, 1, position, token, 1, 1, 0, block.name(), kind));
    tokens[position - 2] = token;
  }

  private void pass(String blocks, int masks, int committed, int forced) {
    passes.add(new PassRecord(passes.size(), 1, blocks, masks, committed, forced, 1, 500));
  }

  private RowMetrics metrics() {
    Completion completion =
        new Completion("row", new int[2], tokens, List.of(R, A), commits, passes, true);

    return RowMetrics.of(completion, List.of(9));
  }

  @Test
  void countsPassesCommitsAndTokensBeforeTheFirstEndToken() {
    pass("R", 3, 2, 0);
    commit(0, 2, 5, CommitKind.THRESHOLD);
    commit(0, 4, 6, CommitKind.THRESHOLD);
    pass("A", 3, 2, 2);
    commit(1, 5, 7, CommitKind.FORCED);
    commit(1, 6, 9, CommitKind.FORCED);
    commit(1, 7, 9, CommitKind.EOS_FILL);
    pass("R", 1, 1, 1);
    commit(2, 3, 5, CommitKind.FORCED);

    RowMetrics metrics = metrics();

    assertThat(metrics.nfe()).isEqualTo(3);
    assertThat(metrics.nfeR()).isEqualTo(2);
    assertThat(metrics.nfeA()).isEqualTo(1);
    assertThat(metrics.committedR()).isEqualTo(3);
    assertThat(metrics.committedA()).isEqualTo(2);
    assertThat(metrics.eosFilled()).isEqualTo(1);
    assertThat(metrics.tokensR()).isEqualTo(3);
    assertThat(metrics.tokensA()).isEqualTo(1);
    assertThat(metrics.forcedCommits()).isEqualTo(3);
    assertThat(metrics.forcedPasses()).isEqualTo(2);
    assertThat(metrics.emptyAnswer()).isFalse();
    assertThat(metrics.wallMicros()).isEqualTo(1500);
    assertThat(metrics.fillRateR()).hasValue(3.0 / (2 * 3));
    assertThat(metrics.fillRateA()).hasValue(2.0 / (1 * 3));
    assertThat(metrics.fillRate()).hasValue(5.0 / (3 * 6));
    assertThat(metrics.tokensPerNfe()).hasValue(5.0 / 3);
  }

  @Test
  void aPassOverBothBlocksCountsForBoth() {
    pass("R+A", 6, 6, 0);
    for (int position = 2; position < 8; position++) {
      commit(0, position, 5, CommitKind.THRESHOLD);
    }

    assertThat(metrics().nfe()).isEqualTo(1);
    assertThat(metrics().nfeR()).isEqualTo(1);
    assertThat(metrics().nfeA()).isEqualTo(1);
    assertThat(metrics().fillRate()).hasValue(1);
  }

  @Test
  void anAnswerThatStartsWithAnEndTokenIsEmpty() {
    pass("A", 3, 1, 0);
    commit(0, 5, 9, CommitKind.THRESHOLD);

    assertThat(metrics().emptyAnswer()).isTrue();
    assertThat(metrics().fillRateR()).isEmpty();
  }

  @Test
  void leftToRightOrderIsFullyAutoregressive() {
    pass("R+A", 6, 6, 0);
    for (int position = 2; position < 8; position++) {
      commit(0, position, 5, CommitKind.THRESHOLD);
    }

    // The first commit follows none, the first two do not follow two, ...
    assertThat(metrics().arNess().local()).containsExactly(5 / 6.0, 4 / 6.0, 2 / 6.0, 0.0);
    assertThat(metrics().arNess().global()).containsExactly(1.0, 1.0, 1.0, 1.0);
  }

  @Test
  void rightToLeftOrderIsNot() {
    pass("R+A", 6, 6, 0);
    for (int position = 7; position >= 2; position--) {
      commit(0, position, 5, CommitKind.THRESHOLD);
    }

    assertThat(metrics().arNess().local()).containsExactly(0.0, 0.0, 0.0, 0.0);
    // Only the last k commits are at one of the k leftmost masks.
    assertThat(metrics().arNess().global()).containsExactly(1 / 6.0, 2 / 6.0, 4 / 6.0, 1.0);
  }

  @Test
  void fillsAndHooksCloseTheirPositionsButAreNoChoices() {
    pass("R", 3, 1, 0);
    commit(0, 2, 5, CommitKind.HOOK);
    commit(0, 3, 5, CommitKind.THRESHOLD);

    assertThat(metrics().committedR()).isEqualTo(1);
    assertThat(metrics().arNess().localAtOne()).hasValue(0);
    assertThat(metrics().arNess().globalAtOne()).hasValue(1);
  }

  @Test
  void nothingCommittedHasNoRates() {
    assertThat(metrics().fillRate()).isEmpty();
    assertThat(metrics().tokensPerNfe()).isEmpty();
    assertThat(metrics().arNess().localAtOne()).isEmpty();
    assertThat(metrics().arNess().globalAtOne()).isEmpty();
  }
}
