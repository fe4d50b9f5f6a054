package ai.lockstep.harness.estimate;

import java.util.Collection;
import java.util.List;
import java.util.OptionalDouble;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The chance that at least one of k samples of a task is right, averaged over tasks.
 *
 * <p>The unbiased estimator of Chen et al. 2021 (arXiv 2107.03374, section 2.1) in its product
 * form, as EvalPlus computes it (evalplus/eval/__init__.py, {@code estimate_pass_at_k}).
 */
public final class PassAtK {

  /** The k that are reported, each when every task has that many samples. */
  public static final List<Integer> REPORTED = List.of(1, 10, 100);

  private PassAtK() {}

  /**
   * {@code 1 - C(n-c, k) / C(n, k)} of one task with n samples of which c are right: the share of
   * all choices of k samples that hold a right one.
   *
   * @param k 1 to n
   * @return 0 to 1
   */
  public static double of(TaskTally task, int k) {
    if (k < 1 || k > task.samples()) {
      throw new IllegalArgumentException(
          "pass@%d needs at least as many samples, not %d".formatted(k, task.samples()));
    }

    int wrong = task.samples() - task.correct();
    if (wrong < k) {
      return 1;
    }

    double allWrong = 1;
    for (int i = wrong + 1; i <= task.samples(); i++) {
      allWrong *= 1 - (double) k / i;
    }
    return 1 - allWrong;
  }

  /** Mean over tasks, each counting the same; empty without tasks or when one has less than k. */
  public static OptionalDouble mean(Collection<TaskTally> tasks, int k) {
    if (tasks.stream().anyMatch(task -> task.samples() < k)) {
      return OptionalDouble.empty();
    }
    return tasks.stream().mapToDouble(task -> of(task, k)).average();
  }

  /** The means for {@link #REPORTED}, k ascending; only those that can be estimated. */
  public static SortedMap<Integer, Double> report(Collection<TaskTally> tasks) {
    SortedMap<Integer, Double> report = new TreeMap<>();
    for (int k : REPORTED) {
      mean(tasks, k).ifPresent(mean -> report.put(k, mean));
    }
    return report;
  }
}
