package ai.lockstep.harness.extract;

import java.util.Optional;

/**
 * EvalPlus's {@code sanitize}: cuts the program out of a text that may hold anything.
 *
 * <p>The text depends on the Python version, as programs do. Safe for use from any thread.
 */
@FunctionalInterface
public interface Sanitizer {

  /**
   * Cleans one text. Never fails for the text's sake: what cannot be cleaned comes back with the
   * reason.
   *
   * @param text may hold anything, also NUL characters and lone surrogates
   * @param entryPoint the function that will be called; when given, only definitions reachable from
   *     it stay
   * @throws ai.lockstep.failure.LockstepException (environment) when the parser cannot be run
   */
  Sanitized sanitize(String text, Optional<String> entryPoint);
}
