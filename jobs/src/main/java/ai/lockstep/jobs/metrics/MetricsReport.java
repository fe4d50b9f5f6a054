package ai.lockstep.jobs.metrics;

import ai.lockstep.jobs.cli.TextTable;
import ai.lockstep.jobs.tables.Table;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.apache.spark.sql.Row;

/** The table that a person reads when a run is done: one line a configuration. */
public final class MetricsReport {

  private static final String ABSENT = "-";

  private MetricsReport() {}

  /**
   * Formats rows of {@code metrics}.
   *
   * @param labels what distinguishes each row for the reader: its overrides, or its config id
   */
  public static String of(List<Row> metrics, List<String> labels) {
    TextTable table =
        new TextTable(
            List.of(
                "config",
                "tasks",
                "samples",
                "pass@1 base",
                "pass@1 plus",
                "95% interval",
                "empty",
                "fill rate",
                "tokens/pass",
                "tokens/s",
                "decode s"));
    for (int i = 0; i < metrics.size(); i++) {
      Row row = metrics.get(i);
      List<String> cells = new ArrayList<>();
      cells.add(labels.get(i).isEmpty() ? row.getAs(Table.PARTITION) : labels.get(i));
      cells.add(row.getAs("tasks").toString());
      cells.add(row.getAs("samples").toString());
      cells.add(number(row, "pass_at_1_base", "%.3f"));
      cells.add(number(row, "pass_at_1_plus", "%.3f"));
      cells.add(interval(row));
      cells.add(number(row, "empty_answer_rate", "%.3f"));
      cells.add(number(row, "fill_rate", "%.4f"));
      cells.add(number(row, "tokens_per_pass", "%.2f"));
      cells.add(number(row, "tokens_per_second", "%.1f"));
      cells.add(number(row, "decode_seconds", "%.1f"));
      table.row(cells);
    }
    return table.toString();
  }

  /** Of plus, the number people compare. */
  private static String interval(Row row) {
    String low = number(row, "pass_at_1_plus_low", "%.3f");
    return low.equals(ABSENT) ? ABSENT : low + ".." + number(row, "pass_at_1_plus_high", "%.3f");
  }

  private static String number(Row row, String column, String format) {
    Double value = row.getAs(column);
    return value == null ? ABSENT : String.format(Locale.ROOT, format, value);
  }
}
