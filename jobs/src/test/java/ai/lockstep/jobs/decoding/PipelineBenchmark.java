package ai.lockstep.jobs.decoding;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;

import ai.lockstep.jobs.config.Composer;
import ai.lockstep.jobs.config.Composition;
import ai.lockstep.jobs.config.ConfigSource;
import ai.lockstep.jobs.grpo.GrpoStage;
import ai.lockstep.jobs.metrics.MetricsStage;
import ai.lockstep.jobs.run.PlannedRun;
import ai.lockstep.jobs.scoring.Candidates;
import ai.lockstep.jobs.scoring.ScoreStage;
import ai.lockstep.jobs.tables.CompletionsTable;
import ai.lockstep.jobs.tables.ScoresTable;
import ai.lockstep.udf.spark.DeviceChoice;
import ai.lockstep.udf.spark.ExecutorModel;
import ai.lockstep.udf.spark.Placement;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.commons.io.FileUtils;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.StructField;

/**
 * What the pipeline costs beside the model, which a {@link TimedModel} stands in for: {@code
 * submit/benchmark pipeline WORDS}. Words, in any order:
 *
 * <ul>
 *   <li>{@code what=replicas}: real executors; wall time against the time replicas were in passes,
 *       and how long those were idle between their first pass and their last. {@code rows=10000
 *       configs=10 executors=2 pass_ms=40 batch=32 steps=8}
 *   <li>{@code what=scale}: one process; time of every stage a row, as rows grow. {@code
 *       sizes=10000,100000 tasks=1000 tokens=300 steps=8}; with {@code BENCHMARK_OPTS=-Xmx1g} for a
 *       driver of 1 GiB
 *   <li>{@code folder=DIR}: where tables go; emptied before and after
 * </ul>
 */
public final class PipelineBenchmark {

  private static final RunIdentity IDENTITY =
      new RunIdentity("benchmark", "prompts", "timed", "timed");

  /** The driver's share of a prompt: a task of HumanEval has some 450 characters. */
  private static final String PROMPT_TEXT =
      "def a_function_to_write(of, some, arguments):\n".repeat(10);

  private final Map<String, String> words;
  private final Path folder;

  private PipelineBenchmark(Map<String, String> words) {
    this.words = words;
    this.folder =
        Path.of(words.getOrDefault("folder", System.getProperty("java.io.tmpdir")))
            .resolve("lockstep-pipeline");
  }

  public static void main(String[] args) throws IOException {
    Map<String, String> words = new LinkedHashMap<>();
    for (String word : args) {
      String[] parts = word.split("=", 2);
      words.put(parts[0], parts[1]);
    }
    PipelineBenchmark benchmark = new PipelineBenchmark(words);
    List<String> what = List.of(words.getOrDefault("what", "replicas,scale").split(","));
    if (what.contains("replicas")) {
      benchmark.replicas();
    }
    if (what.contains("scale")) {
      benchmark.scale();
    }
  }

  private int number(String word, int otherwise) {
    return Integer.parseInt(words.getOrDefault(word, String.valueOf(otherwise)));
  }

  private static void say(String format, Object... values) {
    System.out.printf(Locale.ROOT, format + "%n", values);
  }

  private static String load() {
    return String.format(
        Locale.ROOT,
        "load average %.1f on %d processors",
        ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage(),
        Runtime.getRuntime().availableProcessors());
  }

  private static SparkSession.Builder session() {
    return SparkSession.builder()
        .appName("pipeline benchmark")
        .config("spark.ui.enabled", "false")
        .config("spark.log.level", "ERROR")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.scheduler.mode", "FAIR")
        .config("spark.sql.debug.maxToStringFields", "200")
        .config("spark.sql.maxConcurrentOutputFileWriters", "8")
        .config("spark.sql.shuffle.partitions", "8");
  }

  /** Configurations that differ in the seed. */
  private List<PlannedRun> runs(int configs, int samples) {
    Composer composer = new Composer(ConfigSource.bundled());
    List<Composition> compositions = new ArrayList<>();
    for (int seed = 0; seed < configs; seed++) {
      compositions.add(
          composer.compose(
              Composer.DEFAULT_CONFIG,
              List.of(
                  "decode=dream",
                  "model.generation.max_new_tokens=" + number("tokens", 300),
                  "model.generation.steps=" + number("steps", 8),
                  "model.generation.n=" + samples,
                  "model.generation.seed=" + seed,
                  "hardware.batch_rows=" + number("batch", 32))));
    }
    return PlannedRun.of(compositions);
  }

  private static DecodeInput prompts(int count) {
    return new DecodeInput.Prompts(
        "md5",
        IntStream.range(0, count).mapToObj(i -> Prompt.ofText("T/" + i, PROMPT_TEXT + i)).toList());
  }

  // --- Real executors ---------------------------------------------------------------------------

  private void replicas() throws IOException {
    int executors = number("executors", 2);
    int configs = number("configs", 10);
    int rows = number("rows", 10_000) / configs;
    SparkSession spark =
        session()
            .master("local-cluster[%d,2,1024]".formatted(executors))
            .config("spark.executor.cores", "2")
            .config("spark.executor.memory", "1g")
            .config("spark.executor.extraClassPath", System.getProperty("java.class.path"))
            .config("spark.executor.defaultJavaOptions", "-XX:+UseSerialGC")
            .getOrCreate();
    try {
      // The first rows load classes, the tokenizer and the replicas.
      decode(spark, runs(1, 1), prompts(64 * executors), "warm-up");
      List<PlannedRun> runs = runs(configs, 1);
      long started = System.currentTimeMillis();
      Path busyFolder = decode(spark, runs, prompts(rows), "measured");
      long ended = System.currentTimeMillis();
      double wall = (ended - started) / 1e3;
      List<TimedModel.Busy> replicas = TimedModel.Busy.read(busyFolder);
      double busy =
          replicas.stream().mapToLong(TimedModel.Busy::busyNanos).average().orElse(0) / 1e9;
      double span =
          replicas.stream().mapToLong(TimedModel.Busy::spanNanos).average().orElse(0) / 1e9;
      say(
          "%d configurations x %d rows on %d replicas, %d ms a pass of up to %d rows; %s",
          configs, rows, replicas.size(), number("pass_ms", 40), number("batch", 32), load());
      say("wall %.2f s, replicas busy %.2f s: %.3f x", wall, busy, wall / busy);
      double gaps =
          replicas.stream().mapToLong(TimedModel.Busy::longGapsNanos).average().orElse(0) / 1e9;
      say(
          "idle between first and last pass: %.2f %%, of which in gaps above %d ms: %.2f %%",
          100 * (1 - busy / span), TimedModel.LONG_GAP.toMillis(), 100 * gaps / span);
      say(
          "until the first pass %.2f s, after the last %.2f s",
          (replicas.stream().mapToLong(TimedModel.Busy::firstMillis).min().orElse(0) - started)
              / 1e3,
          (ended - replicas.stream().mapToLong(TimedModel.Busy::lastMillis).max().orElse(0)) / 1e3);
    } finally {
      spark.stop();
      FileUtils.deleteDirectory(folder.toFile());
    }
  }

  /** Plans, decodes and writes; returns the folder of the replicas' files. */
  private Path decode(SparkSession spark, List<PlannedRun> runs, DecodeInput input, String name)
      throws IOException {
    String out = folder.resolve(name).toString();
    Path busy = Files.createDirectories(folder.resolve(name + "-busy"));
    TimedModel.Source source =
        new TimedModel.Source(number("pass_ms", 40) * 1000L, busy.toString());
    DecodePlan plan = DecodePlan.of(spark, runs, input, SampleRange::configured, out);
    DecodeStage.run(spark, plan, IDENTITY, models(source), out, run -> {});
    return busy;
  }

  private static DecodeShard.Models models(TimedModel.Source source) {
    return config ->
        ExecutorModel.get(source, Placement.on(DeviceChoice.CPU), config.hardware().batchRows());
  }

  // --- Growing tables ---------------------------------------------------------------------------

  private void scale() throws IOException {
    SparkSession spark = session().master("local[*]").getOrCreate();
    say("heap at most %d MiB; %s", Runtime.getRuntime().maxMemory() >> 20, load());
    try {
      stages(spark, 1_000);
      for (String size : words.getOrDefault("sizes", "10000,100000").split(",")) {
        int rows = Integer.parseInt(size);
        Map<String, Cost> seconds = stages(spark, rows);
        StringBuilder line = new StringBuilder();
        double wall = 0;
        double processor = 0;
        for (Map.Entry<String, Cost> stage : seconds.entrySet()) {
          Cost cost = stage.getValue();
          line.append(
              String.format(
                  Locale.ROOT,
                  "  %s %.1f s (processor %.1f)",
                  stage.getKey(),
                  cost.wall,
                  cost.processor));
          wall += cost.wall;
          processor += cost.processor;
        }
        say(
            "%d rows: %.1f s, %.3f ms a row, %.3f ms of a processor;%s; old generation at most %d MiB; %s",
            rows, wall, 1000 * wall / rows, 1000 * processor / rows, line, peakMebibytes(), load());
      }
    } finally {
      spark.stop();
      FileUtils.deleteDirectory(folder.toFile());
    }
  }

  private Map<String, Cost> stages(SparkSession spark, int rows) throws IOException {
    FileUtils.deleteDirectory(folder.toFile());
    String out = folder.resolve("out").toString();
    int tasks = Math.min(rows, number("tasks", 1_000));
    List<PlannedRun> runs = runs(1, rows / tasks);
    DecodeInput input = prompts(tasks);
    PlannedRun run = runs.get(0);
    List<String> ids = List.of(run.config().configId());
    TimedModel.Source source = new TimedModel.Source(0, "");
    Map<String, Cost> seconds = new LinkedHashMap<>();
    timed(
        seconds,
        "decode and write",
        () ->
            DecodeStage.run(
                spark,
                DecodePlan.of(spark, runs, input, SampleRange::configured, out),
                IDENTITY,
                models(source),
                out,
                whole -> {}));
    timed(seconds, "score join", () -> score(spark, run, out));
    timed(seconds, "metrics", () -> MetricsStage.run(spark, "benchmark", "prompts", ids, out));
    timed(seconds, "grpo", () -> GrpoStage.run(spark, List.of(run), out));
    timed(
        seconds,
        "resume plan",
        () -> {
          int missing =
              DecodePlan.of(spark, runs, input, SampleRange::configured, out).missingRows();
          if (missing != 0) {
            throw new IllegalStateException(missing + " rows were lost");
          }
        });
    return seconds;
  }

  /**
   * What a stage took.
   *
   * @param processor seconds of all its threads: what other work on the machine leaves alone
   */
  private record Cost(double wall, double processor) {}

  private static void timed(Map<String, Cost> seconds, String stage, Runnable work) {
    long started = System.nanoTime();
    long processor = processorNanos();
    work.run();
    seconds.put(
        stage, new Cost((System.nanoTime() - started) / 1e9, (processorNanos() - processor) / 1e9));
  }

  private static long processorNanos() {
    return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
        .getProcessCpuTime();
  }

  /**
   * Everything of scoring but the programs: finds what is missing and writes a verdict for each.
   */
  private static void score(SparkSession spark, PlannedRun run, String out) {
    Dataset<Row> candidates =
        Candidates.ofCompletions(
            CompletionsTable.TABLE.read(spark, out), "", run.config().configId());
    Dataset<Row> missing = ScoreStage.missing(spark, candidates, out);
    Map<String, Column> values =
        Map.of(
            "run_id", lit("benchmark"),
            "dataset", lit("prompts"),
            "text", functionsDecode(col("text")),
            "program", functionsDecode(col("text")),
            "passed_base", col("sample_index").mod(2).equalTo(0),
            "passed_plus", col("sample_index").mod(3).equalTo(0),
            "plus_status", lit("fail"));
    Column[] columns =
        Arrays.stream(ScoresTable.TABLE.schema().fields())
            .map(field -> value(field, missing, values).as(field.name()))
            .toArray(Column[]::new);
    ScoresTable.TABLE.append(missing.select(columns), out);
  }

  private static Column functionsDecode(Column utf16) {
    return org.apache.spark.sql.functions.decode(utf16, "UTF-16BE");
  }

  private static Column value(
      StructField field, Dataset<Row> candidates, Map<String, Column> values) {
    if (values.containsKey(field.name())) {
      return values.get(field.name());
    }
    if (Arrays.asList(candidates.columns()).contains(field.name())) {
      return col(field.name());
    }
    if (field.nullable()) {
      return lit(null).cast(field.dataType());
    }
    return lit("0").cast(field.dataType());
  }

  /** What the old generation held at most since this was last asked, garbage included. */
  private static long peakMebibytes() {
    long bytes = 0;
    for (MemoryPoolMXBean pool : ManagementFactory.getMemoryPoolMXBeans()) {
      if (pool.getType() == MemoryType.HEAP && pool.getName().contains("Old")) {
        bytes += pool.getPeakUsage().getUsed();
        pool.resetPeakUsage();
      }
    }
    return bytes >> 20;
  }
}
