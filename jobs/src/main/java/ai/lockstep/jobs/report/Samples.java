package ai.lockstep.jobs.report;

import ai.lockstep.jobs.config.RunConfig;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.spark.sql.Row;

/**
 * The samples of a run that are shown one by one; samples.sql states the rule.
 *
 * @param tasks how many tasks of a configuration at most
 * @param rows of samples.sql
 * @param texts of the tokens in them
 */
record Samples(int tasks, List<Row> rows, TokenTexts texts) {

  /**
   * Collects them; the session's views show the run.
   *
   * @param config names the model whose tokenizer is asked, and how many samples are shown
   */
  static Samples of(RunTables run, RunConfig config) {
    run.show();
    int tasks = Math.max(1, config.viz().details() / Math.max(1, run.metrics().size()));
    List<Row> rows = ReportQuery.SAMPLES.ask(run.spark(), Map.of("tasks", tasks));
    Set<Integer> ids = new LinkedHashSet<>();
    for (Row row : rows) {
      if (row.getAs("token_ids") != null) {
        ids.addAll(row.<Integer>getList(row.fieldIndex("token_ids")));
      }
    }
    return new Samples(tasks, rows, TokenTexts.of(config, ids));
  }
}
