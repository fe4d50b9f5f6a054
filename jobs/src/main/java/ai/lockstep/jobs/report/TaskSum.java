package ai.lockstep.jobs.report;

import ai.lockstep.jobs.tables.Table;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.spark.sql.Row;
import org.jspecify.annotations.Nullable;

/**
 * What a task came to under one configuration, over its samples.
 *
 * @param place of the task in its benchmark
 * @param hash of the task's id, which orders tasks as good as at random
 * @param first index of its first sample
 * @param firstFailed index of its first sample that fails
 * @param decoded samples that decoding has tried
 * @param failed how many of those could not be decoded
 * @param empty decoded samples without an answer
 * @param passes of all samples
 * @param committed tokens
 * @param forced how many of those met no threshold
 * @param fillRate sum over {@code filled} samples
 * @param judged samples that have a verdict
 * @param base how many of those pass the base tests
 * @param plus and how many all tests
 * @param plusJudged samples whose plus tests were run
 * @param failure the most frequent outcome of those that fail
 */
record TaskSum(
    String configId,
    String task,
    int place,
    long hash,
    int first,
    Optional<Integer> firstFailed,
    long decoded,
    long failed,
    long empty,
    long passes,
    long committed,
    long forced,
    double fillRate,
    long filled,
    long judged,
    long base,
    long plus,
    long plusJudged,
    Optional<String> failure) {

  private record Key(String configId, String task) {

    static Key of(Row row) {
      return new Key(row.getAs(Table.PARTITION), row.getAs("task_id"));
    }
  }

  /**
   * Joins the answers of {@link ReportQuery#DECODED} and {@link ReportQuery#JUDGED}; a task may be
   * in one of them only.
   *
   * @return in the order of the benchmark, then of the configurations
   */
  static List<TaskSum> of(List<Row> decoded, List<Row> judged) {
    Map<Key, @Nullable Row[]> rows = new LinkedHashMap<>();
    decoded.forEach(row -> rows.computeIfAbsent(Key.of(row), key -> new Row[2])[0] = row);
    judged.forEach(row -> rows.computeIfAbsent(Key.of(row), key -> new Row[2])[1] = row);
    List<TaskSum> sums = new ArrayList<>();
    rows.forEach((key, both) -> sums.add(of(key, new Sums(both[0]), new Sums(both[1]))));
    sums.sort(
        Comparator.comparingInt(TaskSum::place)
            .thenComparing(TaskSum::task)
            .thenComparing(TaskSum::configId));
    return sums;
  }

  private static TaskSum of(Key key, Sums decoded, Sums judged) {
    Sums any = decoded.row == null ? judged : decoded;
    return new TaskSum(
        key.configId,
        key.task,
        any.<Integer>value("place").orElse(0),
        any.<Long>value("hash").orElse(0L),
        Math.min(
            decoded.<Integer>value("first").orElse(Integer.MAX_VALUE),
            judged.<Integer>value("first").orElse(Integer.MAX_VALUE)),
        judged.value("first_failed"),
        decoded.count("decoded"),
        decoded.count("failed"),
        decoded.count("empty"),
        decoded.count("passes"),
        decoded.count("committed"),
        decoded.count("forced"),
        decoded.<Double>value("fill_rate").orElse(0.0),
        decoded.count("filled"),
        judged.count("judged"),
        judged.count("base"),
        judged.count("plus"),
        judged.count("plus_judged"),
        judged.value("failure"));
  }

  /** A row that may be missing. */
  private record Sums(@Nullable Row row) {

    <T> Optional<T> value(String column) {
      return row == null ? Optional.empty() : Optional.ofNullable(row.<T>getAs(column));
    }

    long count(String column) {
      return this.<Long>value(column).orElse(0L);
    }
  }
}
