package ai.lockstep.jobs.nightly;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.lockstep.failure.LockstepException;
import ai.lockstep.harness.estimate.TaskTally;
import ai.lockstep.jobs.config.NightlyConfig;
import ai.lockstep.jobs.run.RunFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Nights of four configurations on 120 tasks, written and read as the job does it; only decoding
 * and judging are made up. Tasks 0 to 89 are right on the first night.
 */
class WeekOfNightsTest {

  private static final LocalDate MONDAY = LocalDate.of(2026, 3, 2);
  private static final List<String> LABELS =
      List.of(
          "decode=lockstep decode.tau_a=0.82",
          "decode=lockstep decode.tau_a=0.92",
          "decode=jacobi decode.tau_a=0.82",
          "decode=jacobi decode.tau_a=0.92");

  @TempDir Path folder;
  private Nights nights;

  /** What tonight is like: of each configuration the tasks that are right. */
  private final Map<String, Set<Integer>> right = new TreeMap<>();

  private double tokensPerPass = 2.5;
  private double tokensPerSecond = 90;
  private long unjudged;
  private String md5 = "m1";

  @BeforeEach
  void everyConfigurationSolvesThreeQuarters() throws IOException {
    nights = Nights.in(folder.toString(), new Configuration());
    LABELS.forEach(
        label -> right.put(label, new TreeSet<>(IntStream.range(0, 90).boxed().toList())));
  }

  private static NightlyConfig settings(LocalDate date, int pooled, Optional<LocalDate> baseline) {
    return new NightlyConfig(
        date,
        0,
        pooled,
        baseline,
        0.05,
        0.01,
        0.1,
        0.3,
        OptionalInt.empty(),
        OptionalInt.empty(),
        "NONE");
  }

  private static LocalDate day(int day) {
    return MONDAY.plusDays(day);
  }

  private NightResults results(LocalDate date) {
    List<NightResults.Configuration> configurations = new ArrayList<>();
    for (String label : LABELS) {
      Map<String, TaskTally> tasks = new TreeMap<>();
      for (int task = 0; task < 120; task++) {
        tasks.put("Starter/" + task, new TaskTally(1, right.get(label).contains(task) ? 1 : 0));
      }
      configurations.add(
          new NightResults.Configuration(
              label,
              "c" + LABELS.indexOf(label),
              "plus",
              tasks,
              Optional.of(tokensPerPass),
              Optional.of(tokensPerSecond)));
    }
    return new NightResults(
        date,
        "nightly-" + date,
        "starter",
        md5,
        "dream-tiny",
        "digest",
        "commit",
        0,
        unjudged,
        configurations);
  }

  private NightReview night(int day) throws IOException {
    return night(settings(day(day), 1, Optional.empty()));
  }

  private NightReview night(NightlyConfig settings) throws IOException {
    Path run = Files.createDirectories(folder.resolve(settings.date().toString()));
    Files.writeString(run.resolve(RunFolder.MANIFEST), "{}");
    NightReview review = NightReview.of(results(settings.date()), nights.finished(), settings);
    Files.write(run.resolve(Nights.NIGHT), review.night().json());
    Files.writeString(
        run.resolve(Nights.SUMMARY),
        NightSummary.of(review, Nights.missed(nights.dates(), settings.date()), settings.date()));
    nights.writeHistory(NightHistory.of(nights.finished()));
    return review;
  }

  private void loses(String label, int... tasks) {
    IntStream.of(tasks).forEach(task -> right.get(label).remove(task));
  }

  private void solves(String label, int... tasks) {
    IntStream.of(tasks).forEach(task -> right.get(label).add(task));
  }

  private static int[] tasks(int from, int to) {
    return IntStream.range(from, to).toArray();
  }

  @Test
  void aWeekWithAFlukeAndARegression() throws IOException {
    List<String> headlines = new ArrayList<>();
    headlines.add(night(0).headline());

    solves(LABELS.get(3), 90, 91);
    headlines.add(night(1).headline());

    // A fluke: five tasks fewer and one more, as it happens when nothing has changed.
    loses(LABELS.get(1), 3, 17, 40, 41, 77);
    solves(LABELS.get(1), 100);
    NightReview fluke = night(2);
    headlines.add(fluke.headline());

    // It is over the next night.
    solves(LABELS.get(1), 3, 17, 40, 41, 77);
    headlines.add(night(3).headline());

    // A regression of one configuration out of four.
    loses(LABELS.get(2), tasks(20, 35));
    solves(LABELS.get(2), 110, 111);
    NightReview regression = night(4);
    headlines.add(regression.headline());

    // It stays one while it is not mended: the bad night is not what is compared with.
    headlines.add(night(5).headline());

    solves(LABELS.get(2), tasks(20, 35));
    headlines.add(night(6).headline());

    assertThat(headlines)
        .containsExactly(
            "nightly 2026-03-02: baseline, nothing to compare with yet; best pass@1 plus 0.750 (decode=lockstep decode.tau_a=0.82)",
            "nightly 2026-03-03: good, no configuration got worse since 2026-03-02; best pass@1 plus 0.767 (decode=jacobi decode.tau_a=0.92)",
            "nightly 2026-03-04: good, no configuration got worse since 2026-03-02, 2026-03-03; best pass@1 plus 0.767 (decode=jacobi decode.tau_a=0.92)",
            "nightly 2026-03-05: good, no configuration got worse since 2026-03-02, 2026-03-04; best pass@1 plus 0.767 (decode=jacobi decode.tau_a=0.92)",
            "nightly 2026-03-06: regression in 1 of 4 configurations since 2026-03-02, 2026-03-05: decode=jacobi decode.tau_a=0.82 pass@1 plus 0.750 -> 0.642 (15 tasks worse, 2 better, p=0.019)",
            "nightly 2026-03-07: regression in 1 of 4 configurations since 2026-03-02, 2026-03-05: decode=jacobi decode.tau_a=0.82 pass@1 plus 0.750 -> 0.642 (15 tasks worse, 2 better, p=0.019)",
            "nightly 2026-03-08: good, no configuration got worse since 2026-03-02, 2026-03-05; best pass@1 plus 0.767 (decode=jacobi decode.tau_a=0.82)");
    assertThat(fluke.configurations().get(1).comparisons().get(0).pValue()).isEqualTo(14 / 64.0);
    assertThat(regression.regressions())
        .containsExactly(
            "decode=jacobi decode.tau_a=0.82 pass@1 plus 0.750 -> 0.642 (15 tasks worse, 2 better, p=0.019)",
            "decode=jacobi decode.tau_a=0.82 pass@1 plus 0.750 -> 0.642 (15 tasks worse, 2 better, p=0.019) since the baseline");
    assertThat(folder.resolve("2026-03-06/summary.md"))
        .content()
        .contains(
            "| decode=jacobi decode.tau_a=0.82 | plus | 2026-03-05 | 0.750 | 0.642 | 15 | 2 | 0.0023 | 0.019 | 2.50 | 90.0 |",
            "- tasks with fewer right samples: Starter/20, Starter/21,",
            "To accept what changed, run the job again with nightly.baseline=2026-03-06.");
    assertThat(folder.resolve("history.md"))
        .content()
        .contains(
            "| decode=jacobi decode.tau_a=0.82 | pass@1 | ▇▇▇▇▁▁█ | 0.642 | 0.767 | 0.767 |",
            "| [2026-03-06](2026-03-06/summary.md) | regression | commit |");
  }

  @Test
  void aSlowDriftIsFoundAgainstTheBaseline() throws IOException {
    List<Verdict> verdicts = new ArrayList<>();
    NightReview last = night(0);
    for (int day = 1; day <= 5; day++) {
      loses(LABELS.get(0), tasks(3 * day, 3 * day + 3));
      last = night(day);
      verdicts.add(last.verdict());
    }

    // Three tasks a night are never enough by themselves; nine since the first night are.
    assertThat(verdicts)
        .containsExactly(
            Verdict.GOOD, Verdict.GOOD, Verdict.REGRESSION, Verdict.REGRESSION, Verdict.REGRESSION);
    assertThat(last.regressions())
        .containsExactly(
            "decode=lockstep decode.tau_a=0.82 pass@1 plus 0.700 -> 0.625 (9 tasks worse, 0 better, p=0.027)",
            "decode=lockstep decode.tau_a=0.82 pass@1 plus 0.750 -> 0.625 (15 tasks worse, 0 better, p=0.00049) since the baseline");
  }

  @Test
  void aBaselineThatIsNamedIsAcceptedAndWhatWasBeforeIsHistory() throws IOException {
    night(0);
    loses(LABELS.get(0), tasks(0, 20));
    assertThat(night(1).verdict()).isEqualTo(Verdict.REGRESSION);

    // Named on the night itself, it starts anew.
    assertThat(night(settings(day(1), 1, Optional.of(day(1)))).verdict())
        .isEqualTo(Verdict.BASELINE);

    NightReview accepted = night(settings(day(2), 1, Optional.of(day(1))));

    assertThat(accepted.headline())
        .startsWith("nightly 2026-03-04: good, no configuration got worse since 2026-03-03;");
    assertThatThrownBy(() -> night(settings(day(3), 1, Optional.of(day(-5)))))
        .isInstanceOf(LockstepException.class)
        .hasMessage(
            "Cannot compare with nightly.baseline=2026-02-25: no night of that date was finished. Name one of 2026-03-02, 2026-03-03, 2026-03-04, tonight, or null.");
  }

  @Test
  void nightsArePooledWhenAskedFor() throws IOException {
    night(0);
    night(1);
    loses(LABELS.get(0), 0, 1, 2, 3, 4);

    NightReview review = night(settings(day(2), 2, Optional.empty()));

    NightReview.Comparison pooled = review.configurations().get(0).comparisons().get(0);
    assertThat(pooled.nights()).containsExactly(day(0), day(1));
    // Each of the five tasks is wrong tonight, of three nights, with probability 1/3.
    assertThat(pooled.pValue()).isEqualTo(2 * Math.pow(1 / 3.0, 5), within(1e-12));
  }

  @Test
  void aSmallFallIsNoneHoweverCertain() throws IOException {
    night(0);
    loses(LABELS.get(0), tasks(0, 11));

    NightReview review =
        night(
            new NightlyConfig(
                day(1),
                0,
                1,
                Optional.empty(),
                0.05,
                0.1,
                0.1,
                0.3,
                OptionalInt.empty(),
                OptionalInt.empty(),
                "NONE"));

    assertThat(review.verdict()).isEqualTo(Verdict.GOOD);
    assertThat(review.configurations().get(0).remarks())
        .containsExactly("pass@1 plus 0.750 -> 0.658 (11 tasks worse, 0 better, p=0.0039)");
  }

  @Test
  void fewerTokensAPassAreARegressionAndASlowMachineARemark() throws IOException {
    night(0);
    tokensPerSecond = 60;
    NightReview slow = night(1);
    tokensPerPass = 2.2;
    NightReview worse = night(2);

    assertThat(slow.verdict()).isEqualTo(Verdict.GOOD);
    assertThat(slow.configurations().get(0).remarks())
        .containsExactly("slower: tokens a second 90.00 -> 60.00 (-33%)");
    assertThat(worse.verdict()).isEqualTo(Verdict.REGRESSION);
    assertThat(worse.configurations().get(0).regressions())
        .containsExactly("tokens a pass 2.50 -> 2.20 (-12%)");
  }

  @Test
  void aNightWithLostSamplesIsNotComparedWith() throws IOException {
    night(0);
    unjudged = 3;
    NightReview incomplete = night(1);
    unjudged = 0;
    NightReview next = night(2);

    assertThat(incomplete.headline())
        .isEqualTo("nightly 2026-03-03: incomplete; 0 rows failed, 3 could not be judged");
    assertThat(next.comparedWith()).containsExactly(day(0));
  }

  @Test
  void anotherBenchmarkFileStartsAnew() throws IOException {
    night(0);
    md5 = "m2";

    assertThat(night(1).verdict()).isEqualTo(Verdict.BASELINE);
  }

  @Test
  void missedNightsAreNamed() throws IOException {
    night(0);
    night(4);

    assertThat(folder.resolve("2026-03-06/summary.md"))
        .content()
        .contains("This night stands in for 3 missed: 2026-03-03 to 2026-03-05.");
  }

  @Test
  void whatIsToCatchUpOnAreTheNewestNightsThatAreNotOver() throws IOException {
    assertThat(nights.unmeasured(day(0), 7)).isEmpty();
    night(0);
    night(1);
    night(4);
    // Begun and killed.
    Files.createDirectories(folder.resolve("2026-03-08"));
    Files.writeString(folder.resolve("2026-03-08").resolve(RunFolder.MANIFEST), "{}");

    assertThat(nights.unmeasured(day(7), 7)).containsExactly(day(2), day(3), day(5), day(6));
    assertThat(nights.unmeasured(day(7), 2)).containsExactly(day(5), day(6));
    assertThat(nights.unmeasured(day(7), 0)).isEmpty();
    assertThat(nights.unmeasured(day(4), 7)).containsExactly(day(2), day(3));
    assertThat(nights.unmeasured(day(0), 7)).isEmpty();
  }

  @Test
  void aNightThatIsMeasuredLaterSaysSo() throws IOException {
    NightReview review = night(0);

    assertThat(NightSummary.of(review, List.of(), day(3)))
        .contains("\nMeasured late, on 2026-03-05.\n");
    assertThat(NightSummary.of(review, List.of(), day(0))).doesNotContain("Measured late");
  }

  @Test
  void oldNightsLoseTheirTablesButNotWhatIsComparedWith() throws IOException {
    for (int day = 0; day < 5; day++) {
      night(day);
      Files.createDirectories(folder.resolve(day(day) + "/completions/config_id=c0"));
    }

    assertThat(nights.prune(2, Set.of(day(0))).nights()).containsExactly(day(1), day(2));

    assertThat(folder.resolve("2026-03-02/completions")).exists();
    assertThat(folder.resolve("2026-03-03"))
        .isDirectoryContaining("glob:**/night.json")
        .isDirectoryNotContaining("glob:**/completions");
    assertThat(folder.resolve("2026-03-05/completions")).exists();
    assertThat(nights.finished())
        .extracting(Night::date)
        .containsExactly(day(0), day(1), day(2), day(3), day(4));
    assertThat(nights.prune(2, Set.of(day(0))).isNothing()).isTrue();
  }
}
