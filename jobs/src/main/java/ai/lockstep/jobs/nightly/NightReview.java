package ai.lockstep.jobs.nightly;

import ai.lockstep.failure.LockstepException;
import ai.lockstep.harness.estimate.TaskTally;
import ai.lockstep.jobs.config.NightlyConfig;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * A night held against earlier ones.
 *
 * <p>Each configuration is compared task by task with the last good nights that had it, and with
 * the baseline, so that a slow drift in which every step is small is found too. It got worse when
 * the paired test says so after Holm's correction over all comparisons of the night, and pass@1
 * fell by {@code nightly.min_drop} or more; or when its tokens a pass fell by more than {@code
 * nightly.tokens_per_pass_drop}. Tokens a second depend on the machine's other work: they are
 * warned of.
 *
 * <p>Comparable is a night of the same model, by name, on the same benchmark file; configurations
 * are matched by label, so that a changed default is found. Good is a night in which nothing got
 * worse and no row failed, or the one that {@code nightly.baseline} names; nights before that are
 * history.
 *
 * @param results the night
 * @param configurations in the order of the sweep
 * @param verdict of all of them
 */
public record NightReview(
    NightResults results, List<ConfigurationReview> configurations, Verdict verdict) {

  public NightReview {
    configurations = List.copyOf(configurations);
  }

  /**
   * A configuration tonight and on other nights.
   *
   * @param nights which nights, ascending
   * @param isBaseline whether the nights are the baseline, not the last good ones
   * @param tasks how many tasks both sides have
   * @param before pass@1 over these tasks then
   * @param now the same tonight
   * @param worse ids of the tasks with a smaller share of right samples
   * @param better ids of those with a larger one
   * @param pValue of the paired test
   * @param adjusted the same after Holm's correction
   */
  record Comparison(
      List<LocalDate> nights,
      boolean isBaseline,
      int tasks,
      double before,
      double now,
      List<String> worse,
      List<String> better,
      double pValue,
      double adjusted) {

    private Comparison adjustedTo(double value) {
      return new Comparison(nights, isBaseline, tasks, before, now, worse, better, pValue, value);
    }
  }

  /**
   * What there is to say of a configuration.
   *
   * @param now tonight's results
   * @param comparisons none when it is new
   * @param regressions why it got worse, one sentence each
   * @param remarks what else to know
   */
  record ConfigurationReview(
      NightResults.Configuration now,
      List<Comparison> comparisons,
      List<String> regressions,
      List<String> remarks) {}

  /**
   * Reviews a night.
   *
   * @param history finished nights, in any order; those of the same or a later date do not count
   * @throws LockstepException (user) when {@code nightly.baseline} is not among them
   */
  public static NightReview of(NightResults tonight, List<Night> history, NightlyConfig settings) {
    List<Night> candidates = candidates(tonight, history, settings);
    List<List<Comparison>> compared = new ArrayList<>();
    for (NightResults.Configuration now : tonight.configurations()) {
      compared.add(comparisons(now, candidates, settings));
    }
    compared = corrected(compared);
    List<ConfigurationReview> reviews = new ArrayList<>();
    for (int i = 0; i < compared.size(); i++) {
      reviews.add(
          review(tonight.configurations().get(i), compared.get(i), candidates, settings, tonight));
    }
    return new NightReview(tonight, reviews, verdict(tonight, reviews));
  }

  /**
   * Checks the named baseline before a night is spent.
   *
   * @throws LockstepException (user) when no night of that date was finished
   */
  public static void requireBaseline(List<Night> history, NightlyConfig settings) {
    Optional<LocalDate> baseline = settings.baseline();
    if (baseline.isEmpty()
        || baseline.get().equals(settings.date())
        || history.stream().anyMatch(night -> night.date().equals(baseline.get()))) {
      return;
    }
    throw LockstepException.user(
        "Cannot compare with nightly.baseline=%s: no night of that date was finished. Name one of %s, tonight, or null."
            .formatted(
                baseline.get(),
                history.isEmpty()
                    ? "none so far"
                    : String.join(
                        ", ", history.stream().map(night -> night.date().toString()).toList())));
  }

  /** Good nights to compare with, ascending. */
  private static List<Night> candidates(
      NightResults tonight, List<Night> history, NightlyConfig settings) {
    requireBaseline(history, settings);
    Optional<LocalDate> baseline = settings.baseline();
    return history.stream()
        .filter(night -> night.date().isBefore(tonight.date()))
        .filter(night -> baseline.map(date -> !night.date().isBefore(date)).orElse(true))
        .filter(night -> night.results().isComparable(tonight))
        .filter(
            night -> night.verdict().isGood() || baseline.map(night.date()::equals).orElse(false))
        .sorted((a, b) -> a.date().compareTo(b.date()))
        .toList();
  }

  private static List<Comparison> comparisons(
      NightResults.Configuration now, List<Night> candidates, NightlyConfig settings) {
    List<Night> having =
        candidates.stream().filter(night -> counterpart(night, now).isPresent()).toList();
    if (having.isEmpty()) {
      return List.of();
    }
    List<Night> last =
        having.subList(Math.max(0, having.size() - settings.referenceNights()), having.size());
    List<Comparison> comparisons = new ArrayList<>();
    compare(now, last, false).ifPresent(comparisons::add);
    if (!last.contains(having.get(0))) {
      compare(now, having.subList(0, 1), true).ifPresent(comparisons::add);
    }
    return comparisons;
  }

  private static Optional<NightResults.Configuration> counterpart(
      Night night, NightResults.Configuration now) {
    return night.results().labelled(now.label()).filter(one -> one.tests().equals(now.tests()));
  }

  /** Empty when no task is on both sides. */
  private static Optional<Comparison> compare(
      NightResults.Configuration now, List<Night> nights, boolean isBaseline) {
    Map<String, TaskTally> pooled = new TreeMap<>();
    for (Night night : nights) {
      counterpart(night, now)
          .orElseThrow()
          .tasks()
          .forEach((task, tally) -> pooled.merge(task, tally, NightReview::sum));
    }
    pooled.keySet().retainAll(now.tasks().keySet());
    if (pooled.isEmpty()) {
      return Optional.empty();
    }
    List<PairedTest.Pair> pairs = new ArrayList<>();
    List<String> worse = new ArrayList<>();
    List<String> better = new ArrayList<>();
    double before = 0;
    double after = 0;
    for (Map.Entry<String, TaskTally> task : pooled.entrySet()) {
      PairedTest.Pair pair = new PairedTest.Pair(task.getValue(), now.tasks().get(task.getKey()));
      pairs.add(pair);
      before += pair.before().rate();
      after += pair.now().rate();
      if (pair.change() != 0) {
        (pair.change() < 0 ? worse : better).add(task.getKey());
      }
    }
    double pValue = PairedTest.of(pairs).pValue();
    return Optional.of(
        new Comparison(
            nights.stream().map(Night::date).toList(),
            isBaseline,
            pairs.size(),
            before / pairs.size(),
            after / pairs.size(),
            worse,
            better,
            pValue,
            pValue));
  }

  private static TaskTally sum(TaskTally one, TaskTally other) {
    return new TaskTally(one.samples() + other.samples(), one.correct() + other.correct());
  }

  /** Holm's correction over every comparison of the night. */
  private static List<List<Comparison>> corrected(List<List<Comparison>> compared) {
    List<Double> adjusted =
        PairedTest.holm(compared.stream().flatMap(List::stream).map(Comparison::pValue).toList());
    List<List<Comparison>> corrected = new ArrayList<>();
    int next = 0;
    for (List<Comparison> comparisons : compared) {
      List<Comparison> here = new ArrayList<>();
      for (Comparison comparison : comparisons) {
        here.add(comparison.adjustedTo(adjusted.get(next++)));
      }
      corrected.add(here);
    }
    return corrected;
  }

  private static ConfigurationReview review(
      NightResults.Configuration now,
      List<Comparison> comparisons,
      List<Night> candidates,
      NightlyConfig settings,
      NightResults tonight) {
    List<String> regressions = new ArrayList<>();
    List<String> remarks = new ArrayList<>();
    for (Comparison comparison : comparisons) {
      boolean certain = comparison.adjusted < settings.alpha();
      double fall = comparison.before - comparison.now;
      if (certain && fall > 0 && fall >= settings.minDrop()) {
        regressions.add(told(now, comparison));
      } else if (certain) {
        remarks.add(told(now, comparison));
      }
    }
    if (comparisons.isEmpty()) {
      remarks.add("new: nothing to compare with");
      return new ConfigurationReview(now, comparisons, regressions, remarks);
    }
    Night last =
        candidates.stream()
            .filter(night -> counterpart(night, now).isPresent())
            .reduce((first, second) -> second)
            .orElseThrow();
    NightResults.Configuration before = counterpart(last, now).orElseThrow();
    fallen(before.tokensPerPass(), now.tokensPerPass(), settings.tokensPerPassDrop())
        .ifPresent(change -> regressions.add("tokens a pass " + change));
    fallen(before.tokensPerSecond(), now.tokensPerSecond(), settings.slowdown())
        .ifPresent(change -> remarks.add("slower: tokens a second " + change));
    if (!before.configId().equals(now.configId())) {
      remarks.add(
          "the configuration changed: %s was %s".formatted(now.configId(), before.configId()));
    }
    if (!last.results().modelDigest().equals(tonight.modelDigest())) {
      remarks.add("the checkpoint changed");
    }
    return new ConfigurationReview(now, comparisons, regressions, remarks);
  }

  private static Optional<String> fallen(
      Optional<Double> before, Optional<Double> now, double allowed) {
    if (before.isEmpty() || now.isEmpty() || now.get() >= before.get() * (1 - allowed)) {
      return Optional.empty();
    }
    return Optional.of(
        String.format(
            Locale.ROOT,
            "%.2f -> %.2f (%+.0f%%)",
            before.get(),
            now.get(),
            100 * (now.get() / before.get() - 1)));
  }

  private static String told(NightResults.Configuration now, Comparison comparison) {
    return String.format(
        Locale.ROOT,
        "pass@1 %s %.3f -> %.3f (%d tasks worse, %d better, p=%.2g)%s",
        now.tests(),
        comparison.before,
        comparison.now,
        comparison.worse.size(),
        comparison.better.size(),
        comparison.adjusted,
        comparison.isBaseline ? " since the baseline" : "");
  }

  private static Verdict verdict(NightResults tonight, List<ConfigurationReview> reviews) {
    if (reviews.stream().anyMatch(review -> !review.regressions.isEmpty())) {
      return Verdict.REGRESSION;
    }
    if (!tonight.isWhole()) {
      return Verdict.INCOMPLETE;
    }
    return reviews.stream().allMatch(review -> review.comparisons.isEmpty())
        ? Verdict.BASELINE
        : Verdict.GOOD;
  }

  /** Which nights it was compared with, ascending. */
  public Set<LocalDate> comparedWith() {
    return new LinkedHashSet<>(
        configurations.stream()
            .flatMap(review -> review.comparisons.stream())
            .flatMap(comparison -> comparison.nights.stream())
            .distinct()
            .sorted()
            .toList());
  }

  /** The night in one line: the verdict, and what it rests on. */
  public String headline() {
    List<ConfigurationReview> worse =
        configurations.stream().filter(review -> !review.regressions.isEmpty()).toList();
    String start = "nightly %s: %s".formatted(results.date(), verdict.spelling());
    String whole =
        results.isWhole()
            ? ""
            : "; %d rows failed, %d could not be judged"
                .formatted(results.failedRows(), results.unjudged());
    return start
        + switch (verdict) {
          case BASELINE -> ", nothing to compare with yet; " + best();
          case GOOD -> ", no configuration got worse since %s; %s".formatted(dates(), best());
          case INCOMPLETE -> "";
          case REGRESSION ->
              " in %d of %d configurations since %s: %s"
                  .formatted(
                      worse.size(),
                      configurations.size(),
                      dates(),
                      worse.get(0).now.label() + " " + worse.get(0).regressions.get(0));
        }
        + whole;
  }

  private String dates() {
    return String.join(", ", comparedWith().stream().map(LocalDate::toString).toList());
  }

  private String best() {
    return configurations.stream()
        .map(ConfigurationReview::now)
        .reduce((a, b) -> b.passAt1() > a.passAt1() ? b : a)
        .map(
            one ->
                String.format(
                    Locale.ROOT,
                    "best pass@1 %s %.3f (%s)",
                    one.tests(),
                    one.passAt1(),
                    one.label()))
        .orElse("no configuration");
  }

  /** All regressions, each with its configuration in front. */
  Stream<String> regressions() {
    return configurations.stream()
        .flatMap(review -> review.regressions.stream().map(why -> review.now.label() + " " + why));
  }

  /** The night to keep. */
  public Night night() {
    return new Night(results, verdict, headline());
  }
}
