package ai.lockstep.harness.evalplus;

import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * One sample's entry in a result file.
 *
 * @param taskId the sample's task
 * @param solution the program that ran
 * @param baseStatus {@code pass}, {@code fail} or {@code timeout}
 * @param plusStatus the same for the added tests; empty when they were not run
 * @param baseFailTests inputs of failed base tests, each a JSON array of arguments (see {@link
 *     FailTests})
 * @param plusFailTests the same for the added tests
 */
public record SampleResult(
    String taskId,
    String solution,
    String baseStatus,
    Optional<String> plusStatus,
    List<String> baseFailTests,
    List<String> plusFailTests) {

  /** The status of a run whose tests all passed. */
  public static final String PASS = "pass";

  private static final Set<String> STATUSES = Set.of(PASS, "fail", "timeout");

  public SampleResult {
    requireStatus(baseStatus);
    plusStatus.ifPresent(SampleResult::requireStatus);
    baseFailTests = List.copyOf(baseFailTests);
    plusFailTests = List.copyOf(plusFailTests);
  }

  /** Right on the base tests. */
  public boolean basePassed() {
    return baseStatus.equals(PASS);
  }

  /** Right on the base and the added tests, which is what EvalPlus's "plus" counts. */
  public boolean plusPassed() {
    return basePassed() && plusStatus.filter(PASS::equals).isPresent();
  }

  private static void requireStatus(String status) {
    if (!STATUSES.contains(status)) {
      throw new IllegalArgumentException(
          "A status must be pass, fail or timeout, not %s".formatted(status));
    }
  }
}
