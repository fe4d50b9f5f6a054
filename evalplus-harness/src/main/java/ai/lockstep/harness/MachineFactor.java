package ai.lockstep.harness;

import ai.lockstep.datasets.Suite;
import ai.lockstep.datasets.Task;
import ai.lockstep.failure.LockstepException;

/**
 * How much longer this machine takes for a fixed piece of Python than the one whose times
 * EvalPlus's limits suit: time limits make verdicts depend on the machine, and on a slow one right
 * programs time out (EvalPlus issue 5).
 */
public final class MachineFactor {

  /**
   * What one call of {@link #WORK} takes, least of many, on one core of an Intel Xeon virtual
   * machine of 2026 with CPython 3.11.2 and nothing else to do.
   */
  static final double BASELINE_SECONDS = 0.0096;

  /** Few enough to be quick, and the least of them sees the machine undisturbed. */
  private static final int CALLS = 7;

  /** Loops, integers, texts, lists and dictionaries, as in the benchmarks' tests. */
  private static final String WORK =
      """
      def work(x):
          total = 0
          counts = {}
          for i in range(150_000):
              total += i * i % 7
              if i % 10 == 0:
                  word = str(i)[::-1]
                  counts[word] = counts.get(word, 0) + len(word)
          return total + sum(sorted(counts.values()))
      """;

  private static final Task TASK =
      new Task(Suite.STARTER, "Starter/0", "", WORK, "work", calls(), "[]", 0);

  private MachineFactor() {}

  private static String calls() {
    return "[" + "[0],".repeat(CALLS - 1) + "[0]]";
  }

  /**
   * Measures it, in well under ten seconds: a factor for {@link Limits#machineFactor}.
   *
   * @return 1 for a machine as fast as the baseline, 2 for one that takes twice as long
   * @throws LockstepException (environment) when the sandbox runs nothing
   */
  public static double measured(Harness harness) {
    double least = Double.POSITIVE_INFINITY;
    for (int i = 0; i < CALLS; i++) {
      RunVerdict run = harness.judge(TASK, "machine-factor", WORK).base();
      if (!run.passed()) {
        throw LockstepException.environment(
            "Cannot measure harness.machine_factor: the measuring program ended with %s (%s). Give a number."
                .formatted(run.outcome(), run.message()));
      }
      least = Math.min(least, run.testSeconds() / run.tests());
    }
    return least / BASELINE_SECONDS;
  }
}
