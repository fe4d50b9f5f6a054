package ai.lockstep.harness.extract;

import java.util.Locale;

/** How {@link Sanitizer} came by its program. */
public enum SanitizeReason {
  /** Imports and definitions of the longest fragment that parses. */
  DEFINITIONS,
  /** Only imports were left: with an entry point, the fragment does not define it. */
  IMPORTS_ONLY,
  /** Nothing was left; the longest fragment that parses, as it stands. */
  FRAGMENT,
  /** No two lines in a row parse; the first line, as it stands. */
  FIRST_LINE,
  /** The text was made to be slow to search; the best that was found until then. */
  SEARCH_LIMIT,
  /** The text is blank. */
  EMPTY,
  /** The text broke its parser (time, memory, a crash) and is returned unchanged. */
  FAILED;

  /** The spelling in {@code sanitize.py} and in tables: lower case. */
  public String spelling() {
    return name().toLowerCase(Locale.ROOT);
  }

  static SanitizeReason spelt(String spelling) {
    return valueOf(spelling.toUpperCase(Locale.ROOT));
  }
}
