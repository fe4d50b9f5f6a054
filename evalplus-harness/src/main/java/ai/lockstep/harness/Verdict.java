package ai.lockstep.harness;

import java.util.Optional;

/**
 * The judgement of one program.
 *
 * @param taskId the task it was judged against
 * @param base the base tests
 * @param plus the added tests; empty with {@code harness.base_only=true}
 */
public record Verdict(String taskId, RunVerdict base, Optional<RunVerdict> plus) {

  /** Right on every test that was asked for: EvalPlus's "plus" counts base and plus together. */
  public boolean passed() {
    return base.passed() && plus.map(RunVerdict::passed).orElse(true);
  }

  /** Whether either run noticed an attempt to bend the judgement. */
  public boolean tampered() {
    return tampering().isPresent();
  }

  /** The first attempt noticed. */
  public Optional<String> tampering() {
    return base.tampering().or(() -> plus.flatMap(RunVerdict::tampering));
  }
}
