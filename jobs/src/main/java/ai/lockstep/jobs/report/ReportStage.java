package ai.lockstep.jobs.report;

import ai.lockstep.jobs.config.RunConfig;
import ai.lockstep.jobs.config.VizConfig;
import ai.lockstep.jobs.metrics.MetricsReport;
import ai.lockstep.jobs.run.RunFolder;
import ai.lockstep.jobs.run.WholeFile;
import ai.lockstep.jobs.tables.Table;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes a run's {@code report.html}, and the pictures that {@code viz.gif} asks for. Driver only.
 */
public final class ReportStage {

  /** The report's name in the run's folder. */
  public static final String FILE = "report.html";

  /** The folder of the pictures, beside it. */
  public static final String PICTURES = "viz";

  private static final Logger LOG = LoggerFactory.getLogger(ReportStage.class);

  private ReportStage() {}

  /**
   * At the end of a run, unless {@code viz.enabled=false}: writes the report and prints where it
   * is.
   *
   * @param config any of the run's configurations
   * @param metrics the run's rows of {@code metrics}
   */
  public static void atTheEnd(
      SparkSession spark, RunConfig config, List<Row> metrics, String location) throws IOException {
    if (config.viz().enabled()) {
      RunTables run =
          RunTables.of(
              spark,
              location,
              RunFolder.manifest(location, spark.sessionState().newHadoopConf()),
              metrics);
      write(run, config, Optional.empty());
    }
  }

  /**
   * Writes the report of a folder as it is now.
   *
   * @param location the folder of a run, which may be half done
   * @param rest a resolved configuration: how to draw, and what the manifest does not keep
   * @param compare the folder of another run
   * @throws ai.lockstep.failure.LockstepException when there is no run, or the report cannot be
   *     written
   */
  public static void rebuild(
      SparkSession spark, String location, ObjectNode rest, Optional<String> compare)
      throws IOException {
    RunTables run = RunTables.open(spark, location);
    write(run, run.anyConfig(rest), compare.map(other -> RunTables.open(spark, other)));
  }

  private static void write(RunTables run, RunConfig config, Optional<RunTables> other)
      throws IOException {
    long started = System.nanoTime();
    Optional<RunSums> others = other.map(RunSums::of);
    RunSums sums = RunSums.of(run);
    Samples samples = Samples.of(sums, config);
    ObjectNode data = ReportData.of(sums, samples, others);
    Map<String, String> labels = run.manifest().labels();
    byte[] page =
        ReportPage.of(
            data,
            MetricsReport.of(
                run.metrics(),
                run.metrics().stream()
                    .map(row -> labels.get(row.<String>getAs(Table.PARTITION)))
                    .toList()));
    String file = run.location() + "/" + FILE;
    Configuration hadoop = run.spark().sessionState().newHadoopConf();
    WholeFile.write(file, hadoop, out -> out.write(page));
    LOG.info(
        "report: samples={} bytes={} seconds={}",
        samples.samples().size(),
        page.length,
        String.format(Locale.ROOT, "%.1f", (System.nanoTime() - started) / 1e9));
    System.out.println("report: " + file);
    if (config.viz().gif() != VizConfig.Gif.NONE) {
      FillPictures.write(samples, config.viz(), run.location(), hadoop)
          .forEach(picture -> System.out.println("picture: " + picture));
    }
    data.path("missing").forEach(sentence -> System.out.println("missing: " + sentence.asText()));
  }
}
