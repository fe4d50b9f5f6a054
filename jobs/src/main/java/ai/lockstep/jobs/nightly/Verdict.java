package ai.lockstep.jobs.nightly;

import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Locale;

/** What a night came to. */
public enum Verdict {
  /** There was no good night to compare with; this is the first. */
  BASELINE,
  /** No configuration got worse. */
  GOOD,
  /** A configuration got worse. */
  REGRESSION,
  /** Nothing got worse as far as it goes, but rows failed. Not compared with later. */
  INCOMPLETE;

  /** Whether later nights may be compared with this one. */
  boolean isGood() {
    return this == BASELINE || this == GOOD;
  }

  /** As files spell it. */
  @JsonValue
  public String spelling() {
    return name().toLowerCase(Locale.ROOT);
  }
}
