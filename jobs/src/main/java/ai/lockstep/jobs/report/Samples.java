package ai.lockstep.jobs.report;

import static org.apache.spark.sql.functions.col;

import ai.lockstep.jobs.config.RunConfig;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/**
 * The samples of a run that are shown one by one: of every task the first and the first that fails,
 * for as many tasks of a configuration as there is room for, taken by the hash of their ids.
 *
 * @param tasks how many tasks of a configuration at most
 * @param samples in the order of the configurations' ids, then of the benchmark
 * @param texts of the tokens in them
 */
record Samples(int tasks, List<Sample> samples, TokenTexts texts) {

  /**
   * A sample, decoded or judged or both.
   *
   * @param decoded row of {@code completions.sql}
   * @param judged row of {@code scores.sql}
   */
  record Sample(
      String configId, String task, int index, Optional<Row> decoded, Optional<Row> judged) {

    /** Whether it passes; empty before it is judged. */
    Optional<Boolean> passed() {
      return judged.map(row -> row.<Boolean>getAs("passed"));
    }

    /** How it was filled; empty where that is not known. */
    Optional<FillOrder> fillOrder(TokenTexts texts) {
      return decoded
          .filter(row -> row.getAs("passes") != null)
          .filter(row -> !row.getList(row.fieldIndex("passes")).isEmpty())
          .map(row -> FillOrder.of(row, texts));
    }
  }

  Samples {
    samples = List.copyOf(samples);
  }

  /**
   * Collects them; the session's views show the run.
   *
   * @param config names the model whose tokenizer is asked, and how many samples are shown
   */
  static Samples of(RunSums sums, RunConfig config) {
    SparkSession spark = sums.run().spark();
    int tasks = Math.max(1, config.viz().details() / Math.max(1, sums.run().metrics().size()));
    Map<String, Sample> chosen = choose(sums.tasks(), tasks);
    Object[] keys = chosen.keySet().toArray();
    CompletableFuture<List<Row>> judged =
        ReportQuery.SCORES.ask(spark, rows -> rows.where(col("sample").isin(keys)));
    List<Row> decoded =
        ReportQuery.COMPLETIONS.ask(spark, rows -> rows.where(col("sample").isin(keys))).join();
    Map<String, Row> verdicts = bySample(judged.join());
    Map<String, Row> completions = bySample(decoded);
    List<Sample> samples = new ArrayList<>();
    chosen.forEach(
        (key, sample) ->
            samples.add(
                new Sample(
                    sample.configId,
                    sample.task,
                    sample.index,
                    row(completions, key),
                    row(verdicts, key))));
    return new Samples(tasks, samples, TokenTexts.of(config, ids(decoded)));
  }

  /** By the key of a row of {@code completions.sql}, without rows. */
  private static Map<String, Sample> choose(List<TaskSum> sums, int most) {
    Map<String, List<TaskSum>> byConfig =
        sums.stream().collect(Collectors.groupingBy(TaskSum::configId));
    Set<TaskSum> shown = new LinkedHashSet<>();
    byConfig
        .values()
        .forEach(
            tasks ->
                tasks.stream()
                    .sorted(Comparator.comparingLong(TaskSum::hash))
                    .limit(most)
                    .forEach(shown::add));
    Map<String, Sample> chosen = new LinkedHashMap<>();
    sums.stream()
        .filter(shown::contains)
        .sorted(Comparator.comparing(TaskSum::configId))
        .forEach(
            task -> {
              choose(chosen, task, task.first());
              task.firstFailed().ifPresent(index -> choose(chosen, task, index));
            });
    return chosen;
  }

  private static void choose(Map<String, Sample> chosen, TaskSum task, int index) {
    chosen.putIfAbsent(
        "%s %d %s".formatted(task.configId(), index, task.task()),
        new Sample(task.configId(), task.task(), index, Optional.empty(), Optional.empty()));
  }

  private static Map<String, Row> bySample(List<Row> rows) {
    Map<String, Row> bySample = new HashMap<>();
    rows.forEach(row -> bySample.put(row.getAs("sample"), row));
    return bySample;
  }

  private static Optional<Row> row(Map<String, Row> rows, String key) {
    return Optional.ofNullable(rows.get(key));
  }

  private static Set<Integer> ids(List<Row> decoded) {
    Set<Integer> ids = new LinkedHashSet<>();
    for (Row row : decoded) {
      if (row.getAs("token_ids") != null) {
        ids.addAll(row.<Integer>getList(row.fieldIndex("token_ids")));
      }
    }
    return ids;
  }
}
