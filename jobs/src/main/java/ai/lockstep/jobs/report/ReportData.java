package ai.lockstep.jobs.report;

import ai.lockstep.harness.estimate.PassAtK;
import ai.lockstep.harness.estimate.PassInterval;
import ai.lockstep.harness.estimate.TaskTally;
import ai.lockstep.jobs.grpo.RolloutQuality;
import ai.lockstep.jobs.metrics.NamedQuery;
import ai.lockstep.jobs.tables.GrpoTable;
import ai.lockstep.jobs.tables.Table;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.ToDoubleFunction;
import java.util.function.ToLongFunction;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.spark.sql.Row;

/**
 * Collects what a report shows into one JSON document. Sums per task, pass and bin are made by
 * Spark ({@link RunSums}); samples come one by one, few and by a rule ({@link Samples}). Driver
 * only.
 */
final class ReportData {

  /** Texts are cut here: a test's arguments can be megabytes. */
  private static final int LONGEST_TEXT = 20_000;

  /** Bins of confidence.sql. */
  private static final int BINS = 9;

  /** The job that leaves judging to another. */
  private static final String DECODES_ONLY = "generate";

  private static final Map<String, String> VERDICT =
      same("program", "base_status", "plus_status", "outcome", "message", "failed_input");
  private static final Map<String, String> DECODED =
      same("status", "error", "prompt", "answer", "reasoning");

  private static Map<String, String> same(String... names) {
    return Stream.of(names).collect(Collectors.toMap(name -> name, name -> name));
  }

  private static final ObjectMapper JSON = new ObjectMapper();

  private final ObjectNode root = JSON.createObjectNode();
  private final ArrayNode configs = root.putArray("configs");
  private final Map<String, Integer> taskIndex = new LinkedHashMap<>();
  private final List<String> missing = new ArrayList<>();

  /**
   * The document.
   *
   * @param samples what of single samples is shown
   */
  static ObjectNode of(RunSums run, Samples samples, Optional<RunSums> other) {
    ReportData data = new ReportData();
    CompletableFuture<List<Row>> aup = aup(run.run());
    CompletableFuture<Optional<RolloutQuality>> rewards = rewards(run.run());
    List<ObjectNode> compared = other.map(data::sums).orElse(List.of());
    List<ObjectNode> own = data.sums(run);
    own.forEach(data.configs::add);
    for (ObjectNode node : compared) {
      data.configs.add(node.put("other", true));
    }
    data.describe(run.run(), other.map(RunSums::run));
    data.rank(aup.join());
    rewards.join().ifPresent(data::reward);
    data.show(samples);
    ArrayNode tasks = data.root.putArray("tasks");
    data.taskIndex.keySet().forEach(task -> tasks.add(task));
    ArrayNode missing = data.root.putArray("missing");
    data.missing.forEach(sentence -> missing.add(sentence));
    return data.root;
  }

  /** A lone configuration is one point, with no area under it. */
  private static CompletableFuture<List<Row>> aup(RunTables run) {
    if (run.metrics().size() < 2) {
      return CompletableFuture.completedFuture(List.of());
    }
    return ReportQuery.collect(run.spark().sql(NamedQuery.AUP.sql()));
  }

  /** Of a rollout only; other jobs reward nothing. */
  private static CompletableFuture<Optional<RolloutQuality>> rewards(RunTables run) {
    if (GrpoTable.TABLE.bytes(run.spark(), run.location()) == 0) {
      return CompletableFuture.completedFuture(Optional.empty());
    }
    return ReportQuery.behind(
        () -> Optional.of(RolloutQuality.stored(run.spark(), run.location())));
  }

  /** The columns of {@code quality.sql}, the distribution, and the checks that were stored. */
  private void reward(RolloutQuality quality) {
    if (quality.sums().isEmpty()) {
      return;
    }
    ObjectNode node = root.putObject("rewards");
    numbers(node, quality.sums().get());
    ArrayNode values = node.putArray("values");
    for (Row row : quality.rewards()) {
      values.addArray().add(row.<Double>getAs("reward")).add(row.<Long>getAs("samples"));
    }
    quality.checks().ifPresent(checks -> node.set("checks", JSON.valueToTree(checks)));
  }

  private void rank(List<Row> rows) {
    ArrayNode aup = root.putArray("aup");
    for (Row row : rows) {
      aup.addObject()
          .put("decoder", row.<String>getAs("decoder"))
          .put("configurations", row.<Long>getAs("configurations"))
          .put("counted", row.<Long>getAs("counted"))
          .put("aup", row.<Double>getAs("aup"));
    }
  }

  private void describe(RunTables run, Optional<RunTables> other) {
    root.put("run", run.manifest().runId())
        .put("job", run.manifest().job())
        .put("dataset", run.manifest().dataset())
        .put("location", run.location());
    other.ifPresent(
        found ->
            root.putObject("other")
                .put("run", found.manifest().runId())
                .put("location", found.location()));
    List<Row> runs =
        run.spark().sql("SELECT * FROM runs ORDER BY finished_at DESC").collectAsList();
    if (runs.isEmpty()) {
      missing.add(
          "The run has not come to its end: start the same command again to go on with it.");
    } else {
      Row last = runs.get(0);
      for (String column :
          List.of("model", "isolation", "interpreter", "lockstep_version", "spark_version")) {
        root.put(column, last.<String>getAs(column));
      }
      root.put("code_commit", last.<String>getAs("code_commit"))
          .put("java_version", last.<String>getAs("java_version"))
          .put("finished_at", last.getAs("finished_at").toString().substring(0, 16));
    }
  }

  /** Sums of every configuration of a run, in its order. */
  private List<ObjectNode> sums(RunSums run) {
    Map<String, List<TaskSum>> tasks =
        run.tasks().stream().collect(Collectors.groupingBy(TaskSum::configId));
    run.tasks().forEach(task -> taskIndex.putIfAbsent(task.task(), taskIndex.size()));

    Map<String, String> labels = run.run().manifest().labels();
    int most = tasks.values().stream().mapToInt(List::size).max().orElse(0);
    List<ObjectNode> nodes = new ArrayList<>();
    for (Row metrics : run.run().metrics()) {
      String id = metrics.getAs(Table.PARTITION);
      List<TaskSum> own = tasks.getOrDefault(id, List.of());
      ObjectNode node = root.objectNode().put("id", id).put("label", labels.getOrDefault(id, id));
      numbers(node.putObject("metrics"), metrics);
      node.set("intervals", intervals(metrics, own));
      node.set("tasks", tasks(own));
      node.set("passes", passes(run.passes().getOrDefault(id, List.of())));
      node.set("confidence", confidence(run.confidence().getOrDefault(id, List.of())));
      nodes.add(node);
      noteMissing(run.run().manifest().job(), labels.getOrDefault(id, id), own, most);
    }
    return nodes;
  }

  private void noteMissing(String job, String label, List<TaskSum> tasks, int most) {
    long failed = tasks.stream().mapToLong(TaskSum::failed).sum();
    long decoded = tasks.stream().mapToLong(TaskSum::decoded).sum() - failed;
    long judged = tasks.stream().mapToLong(TaskSum::judged).sum();
    if (tasks.isEmpty()) {
      missing.add("%s has not begun.".formatted(label));
    } else if (tasks.size() < most) {
      missing.add("%s has %d of %d tasks.".formatted(label, tasks.size(), most));
    }
    if (judged < decoded && !job.equals(DECODES_ONLY)) {
      missing.add(
          "%s: %d of %d samples are not judged yet.".formatted(label, decoded - judged, decoded));
    }
    if (failed > 0) {
      missing.add("%s: %d samples could not be decoded.".formatted(label, failed));
    }
  }

  /** Puts the columns that hold numbers; one without a value is left out. */
  private static void numbers(ObjectNode node, Row row) {
    for (String column : row.schema().fieldNames()) {
      Object value = row.getAs(column);
      if (value instanceof Double number) {
        node.put(column, number);
      } else if (value instanceof Number number) {
        node.put(column, number.longValue());
      }
    }
  }

  /** 95% intervals by metric: {@code [low, high]}. */
  private ObjectNode intervals(Row metrics, List<TaskSum> tasks) {
    ObjectNode node = root.objectNode();
    for (String tests : List.of("base", "plus")) {
      String column = "pass_at_1_" + tests;
      Double low = metrics.getAs(column + "_low");
      if (low != null) {
        node.putArray(column).add(low).add(metrics.<Double>getAs(column + "_high"));
      }
      for (int k : List.of(10, 100)) {
        if (metrics.getAs("pass_at_%d_%s".formatted(k, tests)) != null) {
          ratio(tasks, task -> PassAtK.of(tally(task, tests), k), task -> 1)
              .ifPresent(found -> put(node, "pass_at_%d_%s".formatted(k, tests), found.asShare()));
        }
      }
    }
    ratio(tasks, TaskSum::fillRate, TaskSum::filled)
        .ifPresent(found -> put(node, "fill_rate", found.asShare()));
    ratio(tasks, TaskSum::committed, TaskSum::passes)
        .ifPresent(found -> put(node, "tokens_per_pass", found));
    ratio(tasks, TaskSum::forced, TaskSum::committed)
        .ifPresent(found -> put(node, "forced_commit_rate", found.asShare()));
    List<TaskTally> empties =
        tasks.stream()
            .filter(task -> task.decoded() > task.failed())
            .map(
                task ->
                    new TaskTally(
                        Math.toIntExact(task.decoded() - task.failed()),
                        Math.toIntExact(task.empty())))
            .toList();
    if (!empties.isEmpty()) {
      PassInterval interval = PassInterval.of(empties, 0);
      node.putArray("empty_answer_rate").add(interval.low()).add(interval.high());
    }
    return node;
  }

  private static TaskTally tally(TaskSum task, String tests) {
    return new TaskTally(
        Math.toIntExact(task.judged()),
        Math.toIntExact(tests.equals("plus") ? task.plus() : task.base()));
  }

  private static Optional<TaskRatio> ratio(
      List<TaskSum> tasks, ToDoubleFunction<TaskSum> above, ToDoubleFunction<TaskSum> below) {
    return TaskRatio.of(
        tasks.stream()
            .map(task -> new TaskRatio.Part(above.applyAsDouble(task), below.applyAsDouble(task)))
            .toList());
  }

  private static void put(ObjectNode node, String name, TaskRatio ratio) {
    node.putArray(name).add(ratio.low()).add(ratio.high());
  }

  /** Columns of counts, one entry a task, in the order of {@code at}. */
  private ObjectNode tasks(List<TaskSum> sums) {
    ObjectNode node = root.objectNode();
    ArrayNode at = node.putArray("at");
    sums.forEach(task -> at.add(taskIndex.get(task.task())));
    column(node, "decoded", sums, TaskSum::decoded);
    column(node, "failed", sums, TaskSum::failed);
    column(node, "passes", sums, TaskSum::passes);
    column(node, "committed", sums, TaskSum::committed);
    column(node, "judged", sums, TaskSum::judged);
    column(node, "base", sums, TaskSum::base);
    column(node, "plus", sums, TaskSum::plus);
    ArrayNode fillRates = node.putArray("fill_rate");
    ArrayNode failures = node.putArray("failure");
    for (TaskSum task : sums) {
      fillRates.add(task.filled() == 0 ? 0 : rounded(task.fillRate() / task.filled()));
      failures.add(task.failure().orElse(null));
    }
    node.put("plus_judged", sums.stream().anyMatch(task -> task.plusJudged() > 0));
    return node;
  }

  private static void column(
      ObjectNode node, String name, List<TaskSum> sums, ToLongFunction<TaskSum> count) {
    ArrayNode values = node.putArray(name);
    sums.forEach(task -> values.add(count.applyAsLong(task)));
  }

  private ArrayNode passes(List<Row> rows) {
    ArrayNode node = root.arrayNode();
    for (Row row : rows) {
      node.addArray()
          .add(row.<Integer>getAs("nfe"))
          .add(row.<String>getAs("blocks"))
          .add(row.<Long>getAs("passes"))
          .add(row.<Long>getAs("committed"))
          .add(row.<Long>getAs("forced"));
    }
    return node;
  }

  /**
   * By measure, a list of bins: {@code [counted, passed, low, high]}, the ends for answers only.
   */
  private ObjectNode confidence(List<Row> rows) {
    ObjectNode node = root.objectNode();
    for (String measure : List.of("token", "answer")) {
      long[][] bins = new long[BINS][2];
      for (Row row : rows) {
        if (row.getAs("measure").equals(measure)) {
          bins[row.<Integer>getAs("bin")] =
              new long[] {row.<Long>getAs("counted"), row.<Long>getAs("passed")};
        }
      }
      ArrayNode list = node.putArray(measure);
      for (long[] bin : bins) {
        ArrayNode values = list.addArray().add(bin[0]).add(bin[1]);
        if (measure.equals("answer") && bin[0] > 0) {
          PassInterval interval = PassInterval.ofShare(bin[1], bin[0]);
          values.add(rounded(interval.low())).add(rounded(interval.high()));
        }
      }
    }
    return node;
  }

  private void show(Samples shown) {
    shown.texts().missing().ifPresent(missing::add);
    if (shown.samples().stream().anyMatch(ReportData::lostItsTokens)) {
      missing.add("The night was compacted: how samples were filled is not known any more.");
    }
    root.put("details", shown.tasks());
    ObjectNode dictionary = root.putObject("tokens");
    shown.texts().texts().forEach((id, text) -> dictionary.put(String.valueOf(id), text));
    ArrayNode samples = root.putArray("samples");
    shown.samples().forEach(sample -> samples.add(sample(sample)));
  }

  private static boolean lostItsTokens(Samples.Sample sample) {
    return sample.decoded().map(row -> row.getAs("token_ids") == null).orElse(false);
  }

  private ObjectNode sample(Samples.Sample sample) {
    ObjectNode node =
        root.objectNode()
            .put("config", sample.configId())
            .put("task", taskIndex.get(sample.task()))
            .put("sample", sample.index());
    sample.passed().ifPresent(passed -> node.put("passed", passed));
    sample
        .judged()
        .ifPresent(
            row -> {
              // Of a samples file; what was decoded here replaces it below.
              texts(node, row, Map.of("text", "answer"));
              texts(node, row, VERDICT);
              node.put("failed_in_base", row.<Boolean>getAs("failed_in_base"));
            });
    sample
        .decoded()
        .ifPresent(
            row -> {
              texts(node, row, DECODED);
              if (row.getAs("token_ids") != null) {
                fillOrder(node, row);
              }
            });
    return node;
  }

  private static void texts(ObjectNode node, Row row, Map<String, String> columns) {
    columns.forEach(
        (column, name) -> {
          String text = row.getAs(column);
          if (text != null) {
            node.put(name, cut(text));
          }
        });
  }

  private static void fillOrder(ObjectNode node, Row row) {
    int promptLength = row.getList(row.fieldIndex("prompt_ids")).size();
    numbers(node, "ids", row, "token_ids");
    numbers(node, "pass", row, "commit_nfe");
    numbers(node, "kind", row, "commit_kind");
    ArrayNode probabilities = node.putArray("p");
    for (Float p : row.<Float>getList(row.fieldIndex("commit_p"))) {
      probabilities.add(p.isNaN() ? -1 : Math.round(p * 1000));
    }
    ArrayNode blocks = node.putArray("blocks");
    for (Row block : row.<Row>getList(row.fieldIndex("blocks"))) {
      blocks
          .addArray()
          .add(block.<String>getAs("name"))
          .add(block.<Integer>getAs("start") - promptLength)
          .add(block.<Integer>getAs("length"));
    }
    ArrayNode passes = node.putArray("passes");
    for (Row pass : row.<Row>getList(row.fieldIndex("passes"))) {
      passes
          .addArray()
          .add(pass.<String>getAs("blocks"))
          .add(pass.<Integer>getAs("committed"))
          .add(pass.<Integer>getAs("forced"));
    }
  }

  private static void numbers(ObjectNode node, String name, Row row, String column) {
    ArrayNode values = node.putArray(name);
    row.<Number>getList(row.fieldIndex(column)).forEach(value -> values.add(value.intValue()));
  }

  private static String cut(String text) {
    return text.length() <= LONGEST_TEXT
        ? text
        : text.substring(0, LONGEST_TEXT)
            + "\n... cut at %d of %d characters".formatted(LONGEST_TEXT, text.length());
  }

  private static double rounded(double share) {
    return Math.round(share * 1e5) / 1e5;
  }
}
