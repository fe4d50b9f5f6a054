package ai.lockstep.harness.extract;

import java.util.Locale;

/** How {@link CompletionExtractor} came by a program. */
public enum ExtractionReason {
  /** The sanitised answer, which defines the entry point. */
  SANITIZED,
  /** The sanitised prompt with the answer behind it: the answer continues the prompt. */
  SANITIZED_WITH_PROMPT,
  /** A fenced block, as it stands. */
  FENCE,
  /** The whole answer, as it stands. */
  TEXT,
  /** The prompt with the answer behind it, as they stand. */
  WITH_PROMPT,
  /** The sanitised answer, which does not define the entry point: the program will fail. */
  NO_ENTRY_POINT,
  /** The answer is blank. */
  EMPTY;

  /** The spelling in tables: lower case. */
  public String spelling() {
    return name().toLowerCase(Locale.ROOT);
  }
}
