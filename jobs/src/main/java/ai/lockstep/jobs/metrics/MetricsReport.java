package ai.lockstep.jobs.metrics;

import ai.lockstep.failure.LockstepException;
import ai.lockstep.jobs.cli.TextTable;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.stream.Stream;
import org.apache.spark.sql.Row;

/**
 * The table that a person reads when a run is done: one line a configuration, pass@1 with its 95%
 * interval.
 */
public final class MetricsReport {

  private static final String ABSENT = "-";

  private MetricsReport() {}

  /** A heading and how a row's cell under it reads. */
  private record Cell(String heading, Function<Row, String> of) {}

  private static final List<Cell> CELLS =
      List.of(
          new Cell("tasks", row -> row.getAs("tasks").toString()),
          new Cell("samples", row -> row.getAs("samples").toString()),
          new Cell("pass@1 base", row -> passAt1(row, "base")),
          new Cell("pass@1 plus", row -> passAt1(row, "plus")),
          new Cell("empty", row -> number(row, "empty_answer_rate", "%.3f")),
          new Cell("fill rate", row -> number(row, "fill_rate", "%.4f")),
          new Cell("tokens/pass", row -> number(row, "tokens_per_pass", "%.2f")),
          new Cell("tokens/s", row -> number(row, "tokens_per_second", "%.1f")),
          new Cell("decode s", row -> number(row, "decode_seconds", "%.1f")));

  /**
   * Formats rows of {@code metrics}; what none of them has is left out.
   *
   * @param labels how a reader tells the rows apart: overrides, or config ids
   */
  public static String of(List<Row> metrics, List<String> labels) {
    List<Cell> cells =
        CELLS.stream()
            .filter(cell -> !metrics.stream().map(cell.of).allMatch(ABSENT::equals))
            .toList();
    TextTable table = new TextTable(line("config", cells, Cell::heading));
    for (int i = 0; i < metrics.size(); i++) {
      Row row = metrics.get(i);
      table.row(line(labels.get(i), cells, cell -> cell.of.apply(row)));
    }
    return table.toString();
  }

  private static List<String> line(String first, List<Cell> cells, Function<Cell, String> text) {
    return Stream.concat(Stream.of(first), cells.stream().map(text)).toList();
  }

  /** Whether all rows were decoded and judged. */
  public static boolean isWhole(List<Row> metrics) {
    return sum(metrics, "failed_rows") == 0 && sum(metrics, "unjudged") == 0;
  }

  /**
   * Fails when rows were not decoded or not judged; all the others are written and reported by now.
   *
   * @throws LockstepException (partial) saying how many and where to look
   */
  public static void requireWhole(List<Row> metrics, String outputDir) {
    long failed = sum(metrics, "failed_rows");
    if (failed > 0) {
      throw LockstepException.partial(
          "%d rows could not be decoded; the column error of %s/completions says why. The rest is written."
              .formatted(failed, outputDir));
    }
    long unjudged = sum(metrics, "unjudged");
    if (unjudged > 0) {
      throw LockstepException.partial(
          "%d programs could not be judged and count as failed; %s/scores has them with outcome sandbox_error. The rest is written."
              .formatted(unjudged, outputDir));
    }
  }

  private static long sum(List<Row> metrics, String column) {
    return metrics.stream().mapToLong(row -> row.<Long>getAs(column)).sum();
  }

  /** With its 95% interval: {@code 0.250 (0.112-0.469)}. */
  private static String passAt1(Row row, String tests) {
    String column = "pass_at_1_" + tests;
    String mean = number(row, column, "%.3f");
    return mean.equals(ABSENT)
        ? ABSENT
        : "%s (%s-%s)"
            .formatted(
                mean, number(row, column + "_low", "%.3f"), number(row, column + "_high", "%.3f"));
  }

  private static String number(Row row, String column, String format) {
    Double value = row.getAs(column);
    return value == null ? ABSENT : String.format(Locale.ROOT, format, value);
  }
}
