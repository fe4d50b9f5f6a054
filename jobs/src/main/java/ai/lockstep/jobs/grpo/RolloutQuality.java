package ai.lockstep.jobs.grpo;

import ai.lockstep.jobs.cli.TextTable;
import ai.lockstep.jobs.config.RlConfig;
import ai.lockstep.jobs.run.RunFolder;
import ai.lockstep.jobs.tables.GrpoTable;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/**
 * What a person must know before training on rollouts: rewards and their spread, tampering,
 * duplicates. Sums come from the table {@code grpo}; what cannot be had from it lies beside it, see
 * {@link RolloutChecks}.
 *
 * @param sums the row of {@code quality.sql}; empty when no sample was judged
 * @param rewards the rows of {@code reward_distribution.sql}
 * @param checks what else was found; empty of rollouts whose command did not come that far
 */
public record RolloutQuality(
    Optional<Row> sums, List<Row> rewards, Optional<RolloutChecks> checks) {

  /** Rewards that are printed one by one. */
  private static final int PRINTED_REWARDS = 12;

  private static final int BAR_WIDTH = 40;

  public RolloutQuality {
    rewards = List.copyOf(rewards);
  }

  /** Measures a folder's {@code grpo}. */
  public static RolloutQuality of(
      SparkSession spark,
      String outputDir,
      RlConfig rl,
      Optional<String> estimates,
      String replay) {
    RolloutQuality sums = measured(spark, outputDir, Optional.empty());
    Optional<Drift> drift = rl.gates().against().map(against -> Drift.of(spark, against, rl));
    List<String> failed =
        sums.sums()
            .map(
                row ->
                    Gates.failed(
                        rl.gates(),
                        number(row, "tamper_rate"),
                        number(row, "zero_spread_share"),
                        drift))
            .orElse(List.of());
    return new RolloutQuality(
        sums.sums(),
        sums.rewards(),
        Optional.of(new RolloutChecks(estimates.orElse(null), drift.orElse(null), replay, failed)));
  }

  /** What was measured of a folder, as far as it is there. */
  public static RolloutQuality stored(SparkSession spark, String outputDir) {
    return measured(
        spark, outputDir, RolloutChecks.read(outputDir, spark.sessionState().newHadoopConf()));
  }

  private static RolloutQuality measured(
      SparkSession spark, String outputDir, Optional<RolloutChecks> checks) {
    GrpoTable.TABLE.read(spark, outputDir).createOrReplaceTempView("grpo");
    return new RolloutQuality(
        GroupQuery.QUALITY.run(spark, Map.of()).collectAsList().stream().findFirst(),
        GroupQuery.REWARD_DISTRIBUTION.run(spark, Map.of()).collectAsList(),
        checks);
  }

  /** Leaves what the table does not hold beside it, for {@link #stored}. */
  public void write(RunFolder folder) throws IOException {
    if (checks.isPresent()) {
      checks.get().write(folder);
    }
  }

  /**
   * Ends the command when the rollouts fail a gate of {@code rl.gates}.
   *
   * @throws ai.lockstep.failure.LockstepException (partial) naming every gate that failed
   */
  public void require(String outputDir) {
    checks.ifPresent(found -> Gates.require(found.failedGates(), outputDir));
  }

  /** The numbers of {@code quality.sql} for trackers, as {@code rollout/reward_mean}. */
  public Map<String, Double> measures() {
    Map<String, Double> measures = new LinkedHashMap<>();
    sums.ifPresent(
        row -> {
          for (String column : row.schema().fieldNames()) {
            if (row.getAs(column) instanceof Number number) {
              measures.put("rollout/" + column, number.doubleValue());
            }
          }
        });
    return measures;
  }

  /** Lines for the terminal and the data card. */
  @Override
  public String toString() {
    return sums.map(this::text).orElse("no sample was decoded and judged\n");
  }

  private String text(Row row) {
    StringBuilder text = new StringBuilder();
    long samples = row.getAs("samples");
    text.append(line("%d groups, %d samples", row.<Long>getAs("groups"), samples));
    text.append(
        line(
            "reward       mean %.3f  std %.3f  min %.3f  max %.3f",
            number(row, "reward_mean"),
            number(row, "reward_std"),
            number(row, "reward_min"),
            number(row, "reward_max")));
    text.append(
        line(
            "parts        plus %.3f  base %.3f  tests %.3f  format %.3f  length %.3f  tamper %.3f",
            number(row, "plus"),
            number(row, "base"),
            number(row, "tests"),
            number(row, "format"),
            number(row, "length"),
            number(row, "tamper_rate")));
    text.append(
        line(
            "zero spread  %.3f of the groups: all rewards equal, nothing to learn",
            number(row, "zero_spread_share")));
    text.append(
        line(
            "duplicates   %d samples with the tokens of an earlier one of their group",
            row.<Long>getAs("duplicates")));
    long lost = row.getAs("not_replayable");
    checks.ifPresent(
        found -> {
          if (found.estimates() != null) {
            text.append(line("logprobs     %s", found.estimates()));
          }
          if (found.drift() != null) {
            text.append(line("drift        %s", found.drift()));
          }
          text.append(
              line(
                  "replay       %s%s",
                  found.replay(), lost == 0 ? "" : "; %d not replayable".formatted(lost)));
        });
    text.append('\n').append(distribution(samples));
    return text.toString();
  }

  private TextTable distribution(long samples) {
    TextTable table = new TextTable(List.of("reward", "samples", "share"));
    List<Row> shown = rewards.subList(0, Math.min(PRINTED_REWARDS, rewards.size()));
    for (Row row : shown) {
      long count = row.getAs("samples");
      table.row(
          List.of(
              String.format(Locale.ROOT, "%.3f", row.<Double>getAs("reward")),
              Long.toString(count),
              bar(count, samples)));
    }
    if (rewards.size() > shown.size()) {
      table.row(List.of("%d more".formatted(rewards.size() - shown.size()), "", ""));
    }
    return table;
  }

  private static String bar(long count, long samples) {
    int length = (int) Math.max(1, Math.round((double) BAR_WIDTH * count / samples));
    return "#".repeat(length);
  }

  private static double number(Row row, String column) {
    return row.<Double>getAs(column);
  }

  private static String line(String format, Object... values) {
    return String.format(Locale.ROOT, format, values) + "\n";
  }
}
