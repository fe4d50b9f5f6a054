package ai.lockstep.jobs.config;

import ai.lockstep.failure.LockstepException;

/** Failures that point at the place in a text that was not understood. */
final class Caret {

  private static final String INDENT = "    ";

  private Caret() {}

  /**
   * A mistake of the user in a text.
   *
   * @param message one sentence
   * @param text the whole text, shown on a line of its own
   * @param column where the mistake is, from 0; the end of the text is allowed
   */
  static LockstepException at(String message, String text, int column) {
    return LockstepException.user(
        message + "\n" + INDENT + text + "\n" + INDENT + " ".repeat(column) + "^");
  }
}
