package ai.lockstep.harness;

import java.util.Optional;
import java.util.OptionalInt;

/**
 * The judgement of one run: one program against the base or the plus tests of its task.
 *
 * @param status EvalPlus's word
 * @param outcome what happened, finer
 * @param message why it failed, one line, at most {@value #MESSAGE_CHARACTERS} characters; empty
 *     when it passed. Holds text that the program chose; never an expected value
 * @param tests tests of the task, at least 0
 * @param details one {@code '1'} (right) or {@code '0'} per test started and finished, in order;
 *     shorter than {@code tests} after a fast stop, a kill or a crash
 * @param firstFailedTest index from 0 of the first test that did not pass: failed, or not reached
 *     because the process ended; empty when the run passed or the program did not load
 * @param firstFailedInput arguments of that test as JSON, as the dataset holds them
 * @param tampering how the program tried to bend its judgement, if that was noticed
 * @param testSeconds what the calls of the tests took, by the clock of the program's own process
 * @param wallSeconds from the start of the process to the verdict
 */
public record RunVerdict(
    Status status,
    Outcome outcome,
    String message,
    int tests,
    String details,
    OptionalInt firstFailedTest,
    Optional<String> firstFailedInput,
    Optional<String> tampering,
    double testSeconds,
    double wallSeconds) {

  /** Longest message kept. */
  public static final int MESSAGE_CHARACTERS = 500;

  public RunVerdict {
    if ((status == Status.PASS) != (outcome == Outcome.PASSED)) {
      throw new IllegalArgumentException("Status " + status + " cannot have outcome " + outcome);
    }

    if (details.length() > tests) {
      throw new IllegalArgumentException(
          "%d results for %d tests".formatted(details.length(), tests));
    }
  }

  /** What a program gets whose sandbox was lost every time it ran. */
  static RunVerdict sandboxError() {
    return new RunVerdict(
        Status.FAIL,
        Outcome.SANDBOX_ERROR,
        "the sandbox was lost every time the program ran",
        0,
        "",
        OptionalInt.empty(),
        Optional.empty(),
        Optional.empty(),
        0,
        0);
  }

  /** A message that fits, on one line. */
  static String shortened(String message) {
    String line = message.replaceAll("\\s+", " ");
    return line.length() <= MESSAGE_CHARACTERS ? line : line.substring(0, MESSAGE_CHARACTERS);
  }

  /** Whether every test passed. */
  public boolean passed() {
    return status == Status.PASS;
  }

  /** How many tests finished and passed. */
  public int passedTests() {
    return (int) details.chars().filter(c -> c == '1').count();
  }
}
