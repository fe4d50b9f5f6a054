package ai.lockstep.jobs.report;

import java.util.List;
import java.util.Optional;

/**
 * A ratio of sums over tasks, such as committed tokens over passes, with its 95% confidence
 * interval.
 *
 * <p>Tasks are the independent units, as in {@link ai.lockstep.harness.estimate.PassInterval}. The
 * interval is the normal one of the ratio estimator (Cochran 1977, Sampling Techniques, section
 * 6.4): with r the ratio, the variance is {@code n/(n-1) * sum((a - r*b)^2) / sum(b)^2}. With all
 * denominators equal that is the usual interval of a mean.
 *
 * @param value the ratio
 * @param low {@code value} at most
 * @param high {@code value} at least
 */
record TaskRatio(double value, double low, double high) {

  /** 97.5% quantile of the standard normal distribution. */
  private static final double Z = 1.959963984540054;

  /** The sums of one task: {@code above} over {@code below}. */
  record Part(double above, double below) {}

  /** The ratio; empty with fewer than two tasks or nothing below the line. */
  static Optional<TaskRatio> of(List<Part> tasks) {
    double above = tasks.stream().mapToDouble(Part::above).sum();
    double below = tasks.stream().mapToDouble(Part::below).sum();
    int n = tasks.size();
    if (n < 2 || below == 0) {
      return Optional.empty();
    }

    double ratio = above / below;
    double squares =
        tasks.stream().mapToDouble(task -> square(task.above - ratio * task.below)).sum();
    double half = Z * Math.sqrt(squares * n / (n - 1)) / below;
    return Optional.of(new TaskRatio(ratio, ratio - half, ratio + half));
  }

  /** The same for something that lies between 0 and 1. */
  TaskRatio asShare() {
    return new TaskRatio(value, Math.max(0, low), Math.min(1, high));
  }

  private static double square(double x) {
    return x * x;
  }
}
