package ai.lockstep.jobs.config;

import ai.lockstep.failure.LockstepException;
import java.time.LocalDate;
import java.time.format.DateTimeParseException;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * {@code nightly}.
 *
 * @param date the night
 * @param catchUp newest missed nights that are looked at before the night, and measured where they
 *     would measure something else; 0 or more
 * @param referenceNights last good nights that are pooled for the comparison, 1 or more
 * @param baseline night that is compared with too; empty for the first good one
 * @param alpha chance of a false alarm in a night, in (0, 1)
 * @param minDrop least fall of pass@1 that is a regression, in [0, 1)
 * @param tokensPerPassDrop largest relative fall of tokens a pass that is none, in (0, 1]
 * @param slowdown largest relative fall of tokens a second that is not warned of, in (0, 1]
 * @param fullNights newest nights that keep every file and column, 1 or more; empty for all
 * @param keepNights nights whose tables are kept, 1 or more; empty for all
 * @param webhookVariable environment variable that may hold a URL. The URL itself is often a
 *     secret, and a configuration is written to tables
 */
public record NightlyConfig(
    LocalDate date,
    int catchUp,
    int referenceNights,
    Optional<LocalDate> baseline,
    double alpha,
    double minDrop,
    double tokensPerPassDrop,
    double slowdown,
    OptionalInt fullNights,
    OptionalInt keepNights,
    String webhookVariable) {

  public NightlyConfig {
    require("catch_up", catchUp, catchUp >= 0, "it must be 0 or more");
    require("reference_nights", referenceNights, referenceNights >= 1, "it must be 1 or more");
    require("alpha", alpha, alpha > 0 && alpha < 1, "it must lie in (0, 1)");
    require("min_drop", minDrop, minDrop >= 0 && minDrop < 1, "it must lie in [0, 1)");
    require(
        "tokens_per_pass_drop",
        tokensPerPassDrop,
        tokensPerPassDrop > 0 && tokensPerPassDrop <= 1,
        "it must lie in (0, 1]; 1 allows any");
    require(
        "slowdown",
        slowdown,
        slowdown > 0 && slowdown <= 1,
        "it must lie in (0, 1]; 1 never warns");
    requireNights("full_nights", fullNights);
    requireNights("keep_nights", keepNights);
    if (baseline.isPresent() && baseline.get().isAfter(date)) {
      throw LockstepException.user(
          "Cannot run with nightly.baseline=%s: it must not lie after nightly.date=%s."
              .formatted(baseline.get(), date));
    }
  }

  static NightlyConfig read(Keys keys) {
    NightlyConfig nightly =
        new NightlyConfig(
            date("date", keys.text("date")),
            keys.integer("catch_up"),
            keys.integer("reference_nights"),
            keys.optionalText("baseline").map(text -> date("baseline", text)),
            keys.number("alpha"),
            keys.number("min_drop"),
            keys.number("tokens_per_pass_drop"),
            keys.number("slowdown"),
            keys.optionalInteger("full_nights"),
            keys.optionalInteger("keep_nights"),
            keys.text("webhook_variable"));
    keys.rejectUnread();
    return nightly;
  }

  private static LocalDate date(String key, String text) {
    try {
      return LocalDate.parse(text);
    } catch (DateTimeParseException e) {
      throw LockstepException.user(
          "Cannot run with nightly.%s=%s: it must be a date such as 2026-01-31."
              .formatted(key, text),
          e);
    }
  }

  private static void requireNights(String key, OptionalInt nights) {
    nights.ifPresent(
        count -> require(key, count, count >= 1, "it must be 1 or more, or null for all"));
  }

  private static void require(String key, Object value, boolean holds, String rule) {
    if (!holds) {
      throw LockstepException.user(
          "Cannot run with nightly.%s=%s: %s.".formatted(key, value, rule));
    }
  }
}
