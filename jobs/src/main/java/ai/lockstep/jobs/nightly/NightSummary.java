package ai.lockstep.jobs.nightly;

import ai.lockstep.jobs.nightly.NightReview.Comparison;
import ai.lockstep.jobs.nightly.NightReview.ConfigurationReview;
import java.time.LocalDate;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** A night for people: {@code summary.md}. */
public final class NightSummary {

  /** Task ids named; the tables have them all. */
  private static final int NAMED_TASKS = 20;

  private NightSummary() {}

  /**
   * Writes the page.
   *
   * @param missed nights without a run that this one stands in for
   * @param measured when it was decoded
   */
  public static String of(NightReview review, List<LocalDate> missed, LocalDate measured) {
    NightResults night = review.results();
    StringBuilder text = new StringBuilder();
    line(text, "# %s", review.headline());
    line(
        text,
        "%nModel %s (%s), dataset %s, lockstep %s.",
        night.model(),
        night.modelDigest().substring(0, Math.min(12, night.modelDigest().length())),
        night.dataset(),
        night.code());
    if (measured.isAfter(night.date())) {
      line(text, "%nMeasured late, on %s.", measured);
    }
    if (!missed.isEmpty()) {
      line(
          text,
          "%nThis night stands in for %d missed: %s.",
          missed.size(),
          missed.size() == 1
              ? missed.get(0)
              : missed.get(0) + " to " + missed.get(missed.size() - 1));
    }
    line(text, "");
    line(
        text,
        "| configuration | pass@1 | compared with | then | now | worse | better | p | p (Holm) | tokens/pass | tokens/s |");
    line(text, "|---|---|---|---|---|---|---|---|---|---|---|");
    review.configurations().forEach(configuration -> rows(text, configuration));
    for (ConfigurationReview configuration : review.configurations()) {
      details(text, configuration);
    }
    if (review.verdict() == Verdict.REGRESSION) {
      line(
          text,
          "%nTo accept what changed, run the job again with nightly.baseline=%s.",
          night.date());
    }
    return text.toString();
  }

  private static void rows(StringBuilder text, ConfigurationReview review) {
    String label = review.now().label();
    String speed =
        "%s | %s"
            .formatted(
                number(review.now().tokensPerPass(), "%.2f"),
                number(review.now().tokensPerSecond(), "%.1f"));
    if (review.comparisons().isEmpty()) {
      line(
          text,
          "| %s | %s | - | - | %.3f | - | - | - | - | %s |",
          label,
          review.now().tests(),
          review.now().passAt1(),
          speed);
    }
    for (Comparison comparison : review.comparisons()) {
      line(
          text,
          "| %s | %s | %s | %.3f | %.3f | %d | %d | %.2g | %.2g | %s |",
          label,
          review.now().tests(),
          String.join(", ", comparison.nights().stream().map(LocalDate::toString).toList())
              + (comparison.isBaseline() ? " (baseline)" : ""),
          comparison.before(),
          comparison.now(),
          comparison.worse().size(),
          comparison.better().size(),
          comparison.pValue(),
          comparison.adjusted(),
          speed);
    }
  }

  private static void details(StringBuilder text, ConfigurationReview review) {
    Optional<Comparison> last = review.comparisons().stream().findFirst();
    boolean changed = last.isPresent() && !last.get().worse().isEmpty();
    if (review.regressions().isEmpty() && review.remarks().isEmpty() && !changed) {
      return;
    }
    line(text, "%n## %s%n", review.now().label());
    review.regressions().forEach(why -> line(text, "- **worse**: %s", why));
    review.remarks().forEach(remark -> line(text, "- %s", remark));
    if (changed) {
      List<String> worse = last.get().worse();
      int named = Math.min(NAMED_TASKS, worse.size());
      line(
          text,
          "- tasks with fewer right samples: %s%s",
          String.join(", ", worse.subList(0, named)),
          worse.size() > named ? " and %d more".formatted(worse.size() - named) : "");
    }
  }

  private static String number(Optional<Double> value, String format) {
    return value.map(number -> String.format(Locale.ROOT, format, number)).orElse("-");
  }

  private static void line(StringBuilder text, String format, Object... values) {
    text.append(String.format(Locale.ROOT, format, values)).append('\n');
  }
}
