package ai.lockstep.jobs.nightly;

import ai.lockstep.harness.estimate.TaskTally;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.commons.math3.distribution.HypergeometricDistribution;

/**
 * Whether two sets of samples of the same tasks differ by more than chance.
 *
 * <p>The exact conditional test of Cochran, Mantel and Haenszel with one stratum a task: were there
 * no difference, a task's right samples would be spread over before and now at random, so each
 * task's count now is hypergeometric, and their sum is the statistic. With one sample a task on
 * either side this is McNemar's exact test. Two-sided: twice the smaller tail, 1 at most.
 *
 * <p>The test takes a task's samples for exchangeable and tasks for independent. Pooled nights of
 * greedy decoding repeat each other and make it see too much.
 *
 * @param worse tasks with a smaller share of right samples now
 * @param better tasks with a larger share
 * @param pValue in (0, 1]
 */
record PairedTest(int worse, int better, double pValue) {

  /** The samples of one task. */
  record Pair(TaskTally before, TaskTally now) {

    /** Below 0 when the task got worse; exact. */
    int change() {
      return Long.compare(
          (long) now.correct() * before.samples(), (long) before.correct() * now.samples());
    }
  }

  /** Compares tasks that both sides have. */
  static PairedTest of(List<Pair> tasks) {
    int observed = 0;
    double[] sum = {1};
    for (Pair task : tasks) {
      Stratum stratum = Stratum.of(task);
      observed += task.now.correct() - stratum.least;
      sum = convolved(sum, stratum.probabilities);
    }
    double lower = IntStream.rangeClosed(0, observed).mapToDouble(at(sum)).sum();
    double upper = IntStream.range(observed, sum.length).mapToDouble(at(sum)).sum();
    return new PairedTest(
        (int) tasks.stream().filter(task -> task.change() < 0).count(),
        (int) tasks.stream().filter(task -> task.change() > 0).count(),
        Math.min(1, 2 * Math.min(lower, upper)));
  }

  private static java.util.function.IntToDoubleFunction at(double[] values) {
    return i -> values[i];
  }

  /**
   * How many of a task's right samples lie in the present, given how many there are.
   *
   * @param probabilities of {@code least}, least + 1, ...
   */
  private record Stratum(int least, double[] probabilities) {

    static Stratum of(Pair task) {
      int correct = task.before.correct() + task.now.correct();
      HypergeometricDistribution now =
          new HypergeometricDistribution(
              null, task.before.samples() + task.now.samples(), correct, task.now.samples());
      int least = now.getSupportLowerBound();
      return new Stratum(
          least,
          IntStream.rangeClosed(least, now.getSupportUpperBound())
              .mapToDouble(now::probability)
              .toArray());
    }
  }

  private static double[] convolved(double[] left, double[] right) {
    if (right.length == 1) {
      return left;
    }
    double[] sum = new double[left.length + right.length - 1];
    for (int i = 0; i < left.length; i++) {
      for (int j = 0; j < right.length; j++) {
        sum[i + j] += left[i] * right[j];
      }
    }
    return sum;
  }

  /**
   * Holm's step-down correction: with it, the chance that any of the comparisons is taken for a
   * difference where there is none stays below the level (Scand. J. Statist. 6, 1979, 65-70).
   *
   * @return adjusted p-values, in the order given
   */
  static List<Double> holm(List<Double> pValues) {
    List<Integer> ascending =
        IntStream.range(0, pValues.size())
            .boxed()
            .sorted((a, b) -> Double.compare(pValues.get(a), pValues.get(b)))
            .toList();
    List<Double> adjusted = new ArrayList<>(pValues);
    double largest = 0;
    for (int rank = 0; rank < ascending.size(); rank++) {
      int place = ascending.get(rank);
      largest = Math.max(largest, Math.min(1, (pValues.size() - rank) * pValues.get(place)));
      adjusted.set(place, largest);
    }
    return adjusted;
  }
}
