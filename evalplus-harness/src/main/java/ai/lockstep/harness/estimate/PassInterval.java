package ai.lockstep.harness.estimate;

import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/**
 * A 95% confidence interval of pass@1, for tasks as a sample of the tasks one might have asked.
 *
 * <p>Tasks are the independent units, not samples: samples of one task stand or fall together, and
 * an interval that counts them one by one is too narrow (Miller 2024, arXiv 2411.00640).
 *
 * <ul>
 *   <li>One sample a task, or no task that differs from the others: Wilson's score interval over
 *       tasks (Wilson 1927; recommended over the normal one by Brown, Cai and DasGupta 2001), which
 *       keeps its width at 0 and 1, where resampling has none.
 *   <li>Otherwise: the percentile bootstrap over tasks (Efron and Tibshirani 1993, chapter 13),
 *       {@value #RESAMPLES} resamples. It depends on the rates, their order and the seed alone.
 * </ul>
 *
 * @param low 0 to {@code high}
 * @param high {@code low} to 1
 */
public record PassInterval(double low, double high) {

  /** Enough that the ends move by about a thousandth from seed to seed at 164 tasks. */
  static final int RESAMPLES = 10_000;

  /** 97.5% quantile of the standard normal distribution. */
  private static final double Z = 1.959963984540054;

  public PassInterval {
    if (!(0 <= low && low <= high && high <= 1)) {
      throw new IllegalArgumentException("%s to %s is no interval of shares".formatted(low, high));
    }
  }

  /**
   * The interval for some tasks.
   *
   * @param tasks at least one
   * @param seed of the resampling; unused for Wilson's interval
   */
  public static PassInterval of(List<TaskTally> tasks, long seed) {
    if (tasks.isEmpty()) {
      throw new IllegalArgumentException("No interval without tasks");
    }

    double[] rates = tasks.stream().mapToDouble(TaskTally::rate).toArray();
    boolean oneSampleEach = tasks.stream().allMatch(task -> task.samples() == 1);
    boolean allAlike = Arrays.stream(rates).allMatch(rate -> rate == rates[0]);
    return oneSampleEach || allAlike
        ? wilson(Arrays.stream(rates).average().orElseThrow(), rates.length)
        : bootstrap(rates, seed);
  }

  /**
   * Wilson's interval of a share of independent things.
   *
   * @param passed 0 to {@code n}
   * @param n at least 1
   */
  public static PassInterval ofShare(long passed, long n) {
    if (n < 1 || passed < 0 || passed > n) {
      throw new IllegalArgumentException("No share: %d of %d".formatted(passed, n));
    }
    return wilson((double) passed / n, n);
  }

  private static PassInterval wilson(double share, long n) {
    double spread = Z * Z / n;
    double centre = (share + spread / 2) / (1 + spread);
    double half = Z / (1 + spread) * Math.sqrt(share * (1 - share) / n + spread / n / 4);
    // The exact ends at shares 0 and 1, which rounding misses by one unit in the last place.
    double low = share == 0 ? 0 : Math.max(0, centre - half);
    double high = share == 1 ? 1 : Math.min(1, centre + half);
    return new PassInterval(low, high);
  }

  private static PassInterval bootstrap(double[] rates, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    double[] means = new double[RESAMPLES];
    for (int resample = 0; resample < RESAMPLES; resample++) {
      double sum = 0;
      for (int draw = 0; draw < rates.length; draw++) {
        sum += rates[random.nextInt(rates.length)];
      }
      means[resample] = Math.min(1, sum / rates.length);
    }

    Arrays.sort(means);
    return new PassInterval(quantile(means, 0.025), quantile(means, 0.975));
  }

  /** Linear between the two nearest, as numpy's default. */
  private static double quantile(double[] sorted, double share) {
    double position = share * (sorted.length - 1);
    int below = (int) position;
    double fraction = position - below;
    return sorted[below] + fraction * (sorted[below + 1] - sorted[below]);
  }
}
