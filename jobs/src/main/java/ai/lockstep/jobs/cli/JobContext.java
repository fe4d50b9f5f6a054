package ai.lockstep.jobs.cli;

import ai.lockstep.jobs.config.Composition;
import ai.lockstep.jobs.run.RunFolder;
import ai.lockstep.jobs.sql.LockstepExtensions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.spark.SparkConf;
import org.apache.spark.sql.SparkSession;
import org.jspecify.annotations.Nullable;

/**
 * What a job is given: its configurations, and a Spark session that starts when first asked for.
 */
public final class JobContext implements AutoCloseable {

  /** Plain local[*] gives up at the first failed Spark task. */
  private static final String DEFAULT_MASTER = "local[*,4]";

  private static final String EXTENSIONS = "spark.sql.extensions";
  private static final String PLUGINS = "spark.plugins";

  private final String job;
  private final List<String> overrides;
  private final boolean sweep;
  private final List<Composition> compositions;
  private final Composing composing;
  private final List<Runnable> endings = new ArrayList<>();
  private @Nullable SparkSession spark;
  private boolean sharesSession;

  /** Composes the job's configurations with more overrides behind its own. */
  @FunctionalInterface
  interface Composing {
    List<Composition> with(List<String> more);
  }

  JobContext(String job, List<String> overrides, boolean sweep, Composing composing) {
    this.job = job;
    this.overrides = List.copyOf(overrides);
    this.sweep = sweep;
    this.composing = composing;
    this.compositions = List.copyOf(composing.with(List.of()));
  }

  /**
   * The same command with more overrides behind its own. Close it before this one, whose session it
   * has.
   *
   * @throws ai.lockstep.failure.LockstepException when it cannot be composed
   */
  public JobContext with(List<String> more) {
    List<String> all = new ArrayList<>(overrides);
    all.addAll(more);
    JobContext other =
        new JobContext(
            job,
            all,
            sweep,
            further -> {
              List<String> both = new ArrayList<>(more);
              both.addAll(further);
              return composing.with(both);
            });
    other.spark = spark;
    other.sharesSession = true;
    return other;
  }

  /** The job's name. */
  public String job() {
    return job;
  }

  /** The overrides as they were typed. */
  public List<String> overrides() {
    return overrides;
  }

  /** Whether {@code --multirun} was asked for, even if only one job came of it. */
  public boolean isSweep() {
    return sweep;
  }

  /** One composition, or one for each job of a sweep. */
  public List<Composition> compositions() {
    return compositions;
  }

  /**
   * The session. Mistakes in the configuration should be found before: starting Spark takes
   * seconds.
   *
   * @param properties {@code spark.*} from {@code hardware}; what spark-submit was given wins
   */
  public SparkSession spark(Map<String, String> properties) {
    return spark(properties, Map.of());
  }

  /**
   * The session.
   *
   * @param properties as above
   * @param own what the job itself needs Spark to know; goes before everything but a {@code
   *     spark.plugins} that was given
   */
  public SparkSession spark(Map<String, String> properties, Map<String, String> own) {
    if (spark == null) {
      SparkConf conf = new SparkConf();
      own.forEach((key, value) -> conf.set(key, joined(key, conf.get(key, ""), value)));
      conf.setIfMissing("spark.master", DEFAULT_MASTER);
      boolean local = conf.get("spark.master").matches("local(\\[.*])?");
      properties.forEach(
          (key, value) -> {
            // Local mode waits for ever for the GPUs that these keys ask for.
            if (!(local && key.contains(".resource.gpu."))) {
              conf.setIfMissing(key, value);
            }
          });
      conf.setAppName("lockstep " + job);
      // A page of numbers nobody opens costs a port and a second at start.
      conf.setIfMissing("spark.ui.enabled", "false");
      conf.setIfMissing("spark.sql.session.timeZone", "UTC");
      // First come, first served would leave no slot for scoring until all is decoded.
      conf.setIfMissing("spark.scheduler.mode", "FAIR");
      // Without it Spark sorts each task's rows by config_id before it writes the first.
      conf.setIfMissing("spark.sql.maxConcurrentOutputFileWriters", "8");
      // An executor that hangs would keep a finished driver until Spark gives it up.
      conf.setIfMissing("spark.cleaner.referenceTracking.blocking", "false");
      conf.setIfMissing("spark.cleaner.referenceTracking.blocking.shuffle", "false");
      // The tables have more columns than Spark's messages expect; it would warn of each plan.
      conf.setIfMissing("spark.sql.debug.maxToStringFields", "200");
      conf.set(
          EXTENSIONS,
          joined(EXTENSIONS, conf.get(EXTENSIONS, ""), LockstepExtensions.class.getName()));
      sharesSession = SparkSession.getDefaultSession().isDefined();
      spark = SparkSession.builder().config(conf).getOrCreate();
    }
    return spark;
  }

  /** Keeps a folder for this job until the job ends. */
  public RunFolder keep(RunFolder folder) {
    atEnd(folder::close);
    return folder;
  }

  /** Has something done when the job ends, however it ends; the last one asked for comes first. */
  public void atEnd(Runnable ending) {
    endings.add(0, ending);
  }

  /** Lists of class names grow; anything else is replaced. */
  private static String joined(String key, String before, String value) {
    boolean list = key.equals(EXTENSIONS) || key.equals(PLUGINS);
    return list && !before.isEmpty() ? before + "," + value : value;
  }

  @Override
  public void close() {
    endings.forEach(Runnable::run);
    // A session that was there before belongs to somebody else.
    if (spark != null && !sharesSession) {
      spark.stop();
    }
  }
}
