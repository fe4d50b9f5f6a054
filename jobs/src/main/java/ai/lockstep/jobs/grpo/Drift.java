package ai.lockstep.jobs.grpo;

import ai.lockstep.failure.LockstepException;
import ai.lockstep.jobs.config.RlConfig;
import ai.lockstep.jobs.run.RunFolder;
import ai.lockstep.jobs.tables.GrpoTable;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.commons.math3.stat.inference.TTest;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/**
 * How far the rewards of a rollout moved from those of an earlier one.
 *
 * @param against the earlier one's folder
 * @param distance largest gap between the distribution functions of the rewards
 *     (Kolmogorov-Smirnov), 0..1
 * @param shift mean over tasks of the difference of a task's mean reward, now minus before
 * @param p two-sided, of a paired t-test over common tasks, or of Welch's where fewer than two are
 *     common: samples of one task are not independent, tasks are; 1 where it cannot be had
 * @param commonTasks tasks that both have
 */
public record Drift(
    @JsonProperty("against") String against,
    @JsonProperty("distance") double distance,
    @JsonProperty("shift") double shift,
    @JsonProperty("p") double p,
    @JsonProperty("common_tasks") int commonTasks) {

  /** A fall is believed below this. */
  static final double SIGNIFICANT = 0.05;

  /**
   * Compares the view {@code grpo} of a folder that was just written.
   *
   * @throws LockstepException when there are no earlier rollouts
   */
  static Drift of(SparkSession spark, String against, RlConfig rl) {
    GrpoTable.TABLE.read(spark, against).createOrReplaceTempView("earlier");
    Map<String, Object> weights = GroupComparison.weights(rl.rewards());
    List<Row> tasks = GroupQuery.DRIFT.run(spark, weights).collectAsList();
    List<Double> before = means(tasks, "before");
    List<Double> now = means(tasks, "now");
    List<Row> rewards = GroupQuery.DRIFT_DISTRIBUTION.run(spark, weights).collectAsList();
    return of(
        against,
        before,
        now,
        rewards.stream().mapToLong(row -> row.<Long>getAs("before")).toArray(),
        rewards.stream().mapToLong(row -> row.<Long>getAs("now")).toArray());
  }

  /**
   * Fails when nothing can be compared with.
   *
   * @throws LockstepException naming the folder
   */
  public static void check(SparkSession spark, RlConfig rl) {
    rl.gates()
        .against()
        .ifPresent(
            against -> {
              if (!RunFolder.isThere(against, spark.sessionState().newHadoopConf())
                  || GrpoTable.TABLE.read(spark, against).isEmpty()) {
                throw LockstepException.user(
                    "Cannot compare with rl.gates.against=%s: no rollouts are there. Name the output.dir of an earlier rollout, or null."
                        .formatted(against));
              }
            });
  }

  private static List<Double> means(List<Row> tasks, String column) {
    List<Double> means = new ArrayList<>();
    for (Row task : tasks) {
      Double mean = task.getAs(column);
      means.add(mean == null ? Double.NaN : mean);
    }
    return means;
  }

  /**
   * The comparison itself.
   *
   * @param before mean reward of each task, NaN where it is missing
   * @param now the same tasks now
   * @param samplesBefore samples at each reward, lowest reward first
   * @param samplesNow the same rewards now
   */
  static Drift of(
      String against,
      List<Double> before,
      List<Double> now,
      long[] samplesBefore,
      long[] samplesNow) {
    List<Double> pairedBefore = new ArrayList<>();
    List<Double> pairedNow = new ArrayList<>();
    for (int task = 0; task < before.size(); task++) {
      if (!Double.isNaN(before.get(task)) && !Double.isNaN(now.get(task))) {
        pairedBefore.add(before.get(task));
        pairedNow.add(now.get(task));
      }
    }
    boolean paired = pairedNow.size() >= 2;
    double[] first = paired ? array(pairedBefore) : known(before);
    double[] second = paired ? array(pairedNow) : known(now);
    return new Drift(
        against,
        distance(samplesBefore, samplesNow),
        mean(second) - mean(first),
        p(first, second, paired),
        pairedNow.size());
  }

  private static double p(double[] before, double[] now, boolean paired) {
    if (before.length < 2 || now.length < 2) {
      return 1;
    }
    TTest test = new TTest();
    double p = paired ? test.pairedTTest(now, before) : test.tTest(now, before);
    if (!Double.isNaN(p)) {
      return p;
    }
    // No variance at all: the same difference everywhere.
    return mean(before) == mean(now) ? 1 : 0;
  }

  private static double distance(long[] before, long[] now) {
    double allBefore = 0;
    double allNow = 0;
    for (int i = 0; i < before.length; i++) {
      allBefore += before[i];
      allNow += now[i];
    }
    double largest = 0;
    double belowBefore = 0;
    double belowNow = 0;
    for (int i = 0; i < before.length; i++) {
      belowBefore += before[i] / allBefore;
      belowNow += now[i] / allNow;
      largest = Math.max(largest, Math.abs(belowBefore - belowNow));
    }
    return largest;
  }

  private static double[] known(List<Double> values) {
    return values.stream().filter(value -> !Double.isNaN(value)).mapToDouble(v -> v).toArray();
  }

  private static double[] array(List<Double> values) {
    return values.stream().mapToDouble(value -> value).toArray();
  }

  private static double mean(double[] values) {
    double sum = 0;
    for (double value : values) {
      sum += value;
    }
    return sum / values.length;
  }

  /** One line for the terminal and the data card. */
  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "distance %.3f, mean %+.3f (p %.3g, %d tasks in common), against %s",
        distance,
        shift,
        p,
        commonTasks,
        against);
  }
}
