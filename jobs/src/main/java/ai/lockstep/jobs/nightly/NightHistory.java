package ai.lockstep.jobs.nightly;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/** All nights on one page, {@code history.md}: how each configuration went, and every verdict. */
public final class NightHistory {

  /** Nights in a trend: a line that fits a page. */
  private static final int TREND = 30;

  private static final String BARS = "▁▂▃▄▅▆▇█";
  private static final String NO_NIGHT = "·";

  private NightHistory() {}

  /**
   * Writes the page.
   *
   * @param nights by date, one at least
   */
  public static String of(List<Night> nights) {
    StringBuilder text = new StringBuilder("# Nights\n\n");
    List<Night> shown = nights.subList(Math.max(0, nights.size() - TREND), nights.size());
    text.append(
        String.format(
            Locale.ROOT,
            "Trends from %s to %s; a point is a night without the configuration.%n%n",
            shown.get(0).date(),
            shown.get(shown.size() - 1).date()));
    text.append(
        "| configuration | what | trend | least | most | last |\n|---|---|---|---|---|---|\n");
    for (String label : labels(shown)) {
      trend(text, shown, label, "pass@1", "%.3f", one -> Optional.of(one.passAt1()));
      trend(text, shown, label, "tokens/pass", "%.2f", NightResults.Configuration::tokensPerPass);
      trend(text, shown, label, "tokens/s", "%.1f", NightResults.Configuration::tokensPerSecond);
    }
    text.append("\n| night | verdict | code | what |\n|---|---|---|---|\n");
    for (int i = nights.size() - 1; i >= 0; i--) {
      Night night = nights.get(i);
      text.append(
          String.format(
              Locale.ROOT,
              "| [%s](%s/%s) | %s | %s | %s |%n",
              night.date(),
              night.date(),
              Nights.SUMMARY,
              night.verdict().spelling(),
              night.results().code(),
              night.headline()));
    }
    return text.toString();
  }

  /** Every configuration, in the order of the newest night that has it. */
  private static Set<String> labels(List<Night> nights) {
    Set<String> labels = new LinkedHashSet<>();
    for (int i = nights.size() - 1; i >= 0; i--) {
      nights.get(i).results().configurations().forEach(one -> labels.add(one.label()));
    }
    return labels;
  }

  private static void trend(
      StringBuilder text,
      List<Night> nights,
      String label,
      String what,
      String format,
      Function<NightResults.Configuration, Optional<Double>> value) {
    List<Optional<Double>> values =
        nights.stream().map(night -> night.results().labelled(label).flatMap(value)).toList();
    List<Double> known = values.stream().flatMap(Optional::stream).toList();
    if (known.isEmpty()) {
      return;
    }
    double least = known.stream().min(Double::compare).orElseThrow();
    double most = known.stream().max(Double::compare).orElseThrow();
    StringBuilder line = new StringBuilder();
    values.forEach(
        one -> line.append(one.map(number -> bar(number, least, most)).orElse(NO_NIGHT)));
    text.append(
        String.format(
            Locale.ROOT,
            "| %s | %s | %s | " + format + " | " + format + " | " + format + " |%n",
            label,
            what,
            line,
            least,
            most,
            known.get(known.size() - 1)));
  }

  /** The least value is the lowest bar, the most the highest; where all are equal, in between. */
  private static String bar(double value, double least, double most) {
    int highest = BARS.length() - 1;
    int height =
        most == least ? highest / 2 : (int) Math.round((value - least) / (most - least) * highest);
    return BARS.substring(height, height + 1);
  }
}
