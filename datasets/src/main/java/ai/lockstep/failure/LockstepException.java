package ai.lockstep.failure;

/**
 * A failure whose message is meant for the operator: one sentence that says what could not be done,
 * the value, what is allowed and what to do next. Printed without a stack trace.
 *
 * <p>Anything else that escapes a command is a bug and is reported as {@link
 * FailureCategory#INTERNAL}.
 */
public final class LockstepException extends RuntimeException {

  private final FailureCategory category;

  private LockstepException(FailureCategory category, String message) {
    super(message);
    this.category = category;
  }

  private LockstepException(FailureCategory category, String message, Throwable cause) {
    super(message, cause);
    this.category = category;
  }

  /** The user's mistake: exit code 2. */
  public static LockstepException user(String message) {
    return new LockstepException(FailureCategory.USER, message);
  }

  /** The user's mistake, found by a library. */
  public static LockstepException user(String message, Throwable cause) {
    return new LockstepException(FailureCategory.USER, message, cause);
  }

  /** The machine lacks something: exit code 3. */
  public static LockstepException environment(String message) {
    return new LockstepException(FailureCategory.ENVIRONMENT, message);
  }

  /** The machine lacks something, found by a library. */
  public static LockstepException environment(String message, Throwable cause) {
    return new LockstepException(FailureCategory.ENVIRONMENT, message, cause);
  }

  /** Some rows failed and the rest is written: exit code 4. */
  public static LockstepException partial(String message) {
    return new LockstepException(FailureCategory.PARTIAL, message);
  }

  /** Everything ran and the results are worse than earlier ones: exit code 5. */
  public static LockstepException regression(String message) {
    return new LockstepException(FailureCategory.REGRESSION, message);
  }

  /** Who has to act. */
  public FailureCategory category() {
    return category;
  }
}
