package ai.lockstep.jobs.decoding;

import ai.lockstep.jobs.cli.Progress;
import ai.lockstep.jobs.cli.TextTable;
import ai.lockstep.jobs.config.DecodeConfig;
import ai.lockstep.jobs.config.GenerationConfig;
import ai.lockstep.jobs.config.HardwareConfig;
import ai.lockstep.jobs.config.RunConfig;
import ai.lockstep.jobs.run.PackagedFile;
import ai.lockstep.jobs.run.PlannedRun;
import ai.lockstep.jobs.tables.CompletionsTable;
import ai.lockstep.jobs.tables.RunsTable;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/**
 * What decoding a plan will take, for {@code plan=true}: by what rows of the same model on the same
 * hardware have taken in the folder, else by what is assumed, and says which. Driver only.
 *
 * @param plan what is to be decoded
 * @param modelName for people
 * @param outputDir where rows may be
 * @param speeds by configuration; empty when nothing was measured
 */
public record Forecast(
    DecodePlan plan, String modelName, String outputDir, Map<String, Speed> speeds) {

  /** Positions that lockstep fills a pass, over all of its bundled configurations. */
  private static final double ASSUMED_TOKENS_A_PASS = 4;

  /** Of a full pass of Dream-7B on one H200 in batches of 8, and of dream-tiny on a desktop CPU. */
  private static final double ASSUMED_SECONDS_A_PASS = 0.02;

  private static final double SECONDS_AN_HOUR = 3600;

  /**
   * What was measured of one configuration.
   *
   * @param rows decoded rows
   * @param passes of those rows
   * @param replicaSeconds time in which a replica had one of them, and no earlier one
   */
  record Speed(long rows, long passes, double replicaSeconds) {

    static final Speed NOTHING = new Speed(0, 0, 0);

    Speed plus(Speed other) {
      return new Speed(
          rows + other.rows, passes + other.passes, replicaSeconds + other.replicaSeconds);
    }
  }

  public Forecast {
    speeds = Map.copyOf(speeds);
  }

  /**
   * Looks at what is there; writes nothing.
   *
   * @param model that decodes the plan
   */
  public static Forecast of(
      SparkSession spark, DecodePlan plan, LocatedModel model, String outputDir) {
    CompletionsTable.TABLE.read(spark, outputDir).createOrReplaceTempView("completions");
    RunsTable.TABLE.read(spark, outputDir).createOrReplaceTempView("runs");
    String hardware = plan.parts().get(0).run().config().hardware().name();
    Map<String, Speed> speeds = new HashMap<>();
    for (Row row :
        spark
            .sql(
                PackagedFile.text(Forecast.class, "speed.sql"),
                Map.of("model_digest", model.revision(), "hardware", hardware))
            .collectAsList()) {
      speeds.put(
          row.getAs("config_id"),
          new Speed(row.getAs("rows"), row.getAs("passes"), row.getAs("replica_seconds")));
    }
    return new Forecast(plan, model.name(), outputDir, speeds);
  }

  /** Lines for the terminal. */
  @Override
  public String toString() {
    Speed all = speeds.values().stream().reduce(Speed.NOTHING, Speed::plus);
    List<String> labels =
        PlannedRun.labels(plan.parts().stream().map(DecodePlan.Part::run).toList());
    TextTable table =
        new TextTable(
            List.of(
                "config", "tasks", "samples", "rows", "done", "missing", "passes a row", "passes"));
    double passes = 0;
    for (int i = 0; i < plan.parts().size(); i++) {
      DecodePlan.Part part = plan.parts().get(i);
      double perRow = passesPerRow(part.run().config(), all);
      passes += perRow * part.missingRows();
      table.row(
          List.of(
              labels.get(i),
              Integer.toString(part.prompts().size()),
              Integer.toString(part.run().config().model().generation().n()),
              Integer.toString(part.rows()),
              Integer.toString(part.rows() - part.missingRows()),
              Integer.toString(part.missingRows()),
              format("%.1f", perRow),
              format("%.0f", perRow * part.missingRows())));
    }
    HardwareConfig hardware = plan.parts().get(0).run().config().hardware();
    double secondsAPass =
        all.passes == 0 ? ASSUMED_SECONDS_A_PASS : all.replicaSeconds / all.passes;
    double seconds = passes * secondsAPass;
    int replicas = replicas(hardware);
    return table
        + "\n"
        + source(all, secondsAPass, hardware)
        + format(
            "decoding %d rows: %.2f replica hours (GPU hours where a replica has one), %s on %d %s%n",
            plan.missingRows(),
            seconds / SECONDS_AN_HOUR,
            Progress.clock(Math.round(seconds / replicas)),
            replicas,
            replicas == 1 ? "replica" : "replicas")
        + "planned only: nothing was written. Leave out plan=true to run it.\n";
  }

  private String source(Speed all, double secondsAPass, HardwareConfig hardware) {
    double millis = secondsAPass * 1000;
    return all.passes == 0
        ? format(
            "assumed: %.1f ms a row and pass, and the passes; %s holds no row of %s on %s to measure%n",
            millis, outputDir, modelName, hardware.name())
        : format(
            "measured: %.1f ms a row and pass, on %d rows of %s on %s in %s%n",
            millis, all.rows, modelName, hardware.name(), outputDir);
  }

  /** As measured of the configuration, else of all in the folder, else as assumed. */
  private double passesPerRow(RunConfig config, Speed all) {
    Speed own = speeds.getOrDefault(config.configId(), Speed.NOTHING);
    Speed measured = own.rows > 0 ? own : all;
    return measured.rows > 0 ? (double) measured.passes / measured.rows : assumedPasses(config);
  }

  private static double assumedPasses(RunConfig config) {
    GenerationConfig generation = config.model().generation();
    return config.decode() instanceof DecodeConfig.Lockstep lockstep
        ? (lockstep.rLength() + lockstep.aLength()) / ASSUMED_TOKENS_A_PASS
        : generation.steps().orElse(generation.maxNewTokens());
  }

  /** As many as executors are asked for; one on a machine of its own. */
  private static int replicas(HardwareConfig hardware) {
    return Integer.parseInt(
        hardware.sparkProperties().getOrDefault("spark.executor.instances", "1"));
  }

  private static String format(String format, Object... values) {
    return String.format(Locale.ROOT, format, values);
  }
}
