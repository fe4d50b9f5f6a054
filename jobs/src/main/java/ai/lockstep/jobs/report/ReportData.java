package ai.lockstep.jobs.report;

import ai.lockstep.harness.estimate.PassAtK;
import ai.lockstep.harness.estimate.PassInterval;
import ai.lockstep.harness.estimate.TaskTally;
import ai.lockstep.jobs.metrics.NamedQuery;
import ai.lockstep.jobs.tables.MetricsTable;
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
import java.util.stream.Collectors;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.StructField;
import org.jspecify.annotations.Nullable;

/**
 * Collects what a report shows into one JSON document. Sums per task, pass and bin are made by
 * Spark; samples come one by one, few and by a rule that {@code samples.sql} states. Driver only.
 */
final class ReportData {

  /** Texts are cut here: a test's arguments can be megabytes. */
  private static final int LONGEST_TEXT = 20_000;

  /** Bins of confidence.sql. */
  private static final int BINS = 9;

  private static final List<String> TASK_COUNTS =
      List.of("decoded", "failed", "passes", "committed", "judged", "base", "plus");

  private final ObjectNode root = new ObjectMapper().createObjectNode();
  private final ArrayNode configs = root.putArray("configs");
  private final Map<String, Integer> taskIndex = new LinkedHashMap<>();
  private final List<String> missing = new ArrayList<>();

  /**
   * The document.
   *
   * @param samples what of single samples is shown
   */
  static ObjectNode of(RunTables run, Samples samples, Optional<RunTables> other) {
    ReportData data = new ReportData();
    // The other run first: the views are left showing this one.
    List<ObjectNode> compared = other.map(data::sums).orElse(List.of());
    List<ObjectNode> own = data.sums(run);
    own.forEach(data.configs::add);
    for (ObjectNode node : compared) {
      data.configs.add(node.put("other", true));
    }
    data.describe(run, other);
    data.show(samples);
    ArrayNode tasks = data.root.putArray("tasks");
    data.taskIndex.keySet().forEach(task -> tasks.add(task));
    ArrayNode missing = data.root.putArray("missing");
    data.missing.forEach(sentence -> missing.add(sentence));
    return data.root;
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
    ArrayNode aup = root.putArray("aup");
    for (Row row : run.spark().sql(NamedQuery.AUP.sql()).collectAsList()) {
      aup.addObject()
          .put("decoder", row.<String>getAs("decoder"))
          .put("configurations", row.<Long>getAs("configurations"))
          .put("counted", row.<Long>getAs("counted"))
          .put("aup", row.<Double>getAs("aup"));
    }
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

  /** Sums of every configuration of a run, in its order; leaves the views showing that run. */
  private List<ObjectNode> sums(RunTables run) {
    run.show();
    // At the same time: on small runs Spark spends most of it on planning, which uses one core.
    CompletableFuture<Map<String, List<Row>>> askedPasses = asked(run, ReportQuery.PASSES);
    CompletableFuture<Map<String, List<Row>>> askedConfidence = asked(run, ReportQuery.CONFIDENCE);
    Map<String, List<Row>> tasks = byConfig(ReportQuery.TASKS.ask(run.spark()));
    Map<String, List<Row>> passes = askedPasses.join();
    Map<String, List<Row>> confidence = askedConfidence.join();
    tasks.values().stream()
        .flatMap(List::stream)
        .map(row -> row.<String>getAs("task_id"))
        .forEach(task -> taskIndex.putIfAbsent(task, taskIndex.size()));

    Map<String, String> labels = run.manifest().labels();
    int most = tasks.values().stream().mapToInt(List::size).max().orElse(0);
    List<ObjectNode> nodes = new ArrayList<>();
    for (Row metrics : run.metrics()) {
      String id = metrics.getAs(Table.PARTITION);
      List<Row> own = tasks.getOrDefault(id, List.of());
      ObjectNode node = root.objectNode().put("id", id).put("label", labels.getOrDefault(id, id));
      node.set("metrics", metrics(metrics));
      node.set("intervals", intervals(metrics, own));
      node.set("tasks", tasks(own));
      node.set("passes", passes(passes.getOrDefault(id, List.of())));
      node.set("confidence", confidence(confidence.getOrDefault(id, List.of())));
      nodes.add(node);
      noteMissing(labels.getOrDefault(id, id), own, most);
    }
    return nodes;
  }

  private static CompletableFuture<Map<String, List<Row>>> asked(RunTables run, ReportQuery query) {
    return CompletableFuture.supplyAsync(() -> byConfig(query.ask(run.spark())));
  }

  private static Map<String, List<Row>> byConfig(List<Row> rows) {
    return rows.stream().collect(Collectors.groupingBy(row -> row.<String>getAs(Table.PARTITION)));
  }

  private void noteMissing(String label, List<Row> tasks, int most) {
    long decoded = sum(tasks, "decoded") - sum(tasks, "failed");
    long judged = sum(tasks, "judged");
    if (tasks.isEmpty()) {
      missing.add("%s has not begun.".formatted(label));
    } else if (tasks.size() < most) {
      missing.add("%s has %d of %d tasks.".formatted(label, tasks.size(), most));
    }
    if (judged < decoded) {
      missing.add(
          "%s: %d of %d samples are not judged yet.".formatted(label, decoded - judged, decoded));
    }
    if (sum(tasks, "failed") > 0) {
      missing.add("%s: %d samples could not be decoded.".formatted(label, sum(tasks, "failed")));
    }
  }

  private static long sum(List<Row> rows, String column) {
    return rows.stream().mapToLong(row -> row.<Long>getAs(column)).sum();
  }

  private ObjectNode metrics(Row row) {
    ObjectNode node = root.objectNode();
    for (StructField field : MetricsTable.TABLE.schema().fields()) {
      Object value = row.getAs(field.name());
      if (value instanceof Double number) {
        node.put(field.name(), number);
      } else if (value instanceof Number number) {
        node.put(field.name(), number.longValue());
      }
    }
    return node;
  }

  /** 95% intervals by metric: {@code [low, high]}. */
  private ObjectNode intervals(Row metrics, List<Row> tasks) {
    ObjectNode node = root.objectNode();
    for (String tests : List.of("base", "plus")) {
      String column = "pass_at_1_" + tests;
      Double low = metrics.getAs(column + "_low");
      if (low != null) {
        node.putArray(column).add(low).add(metrics.<Double>getAs(column + "_high"));
      }
      for (int k : List.of(10, 100)) {
        if (metrics.getAs("pass_at_%d_%s".formatted(k, tests)) != null) {
          ratio(tasks, task -> PassAtK.of(tally(task, "judged", tests), k), task -> 1)
              .ifPresent(found -> put(node, "pass_at_%d_%s".formatted(k, tests), found.asShare()));
        }
      }
    }
    ratio(tasks, task -> task.<Double>getAs("fill_rate"), count("filled"))
        .ifPresent(found -> put(node, "fill_rate", found.asShare()));
    ratio(tasks, count("committed"), count("passes"))
        .ifPresent(found -> put(node, "tokens_per_pass", found));
    ratio(tasks, count("forced"), count("committed"))
        .ifPresent(found -> put(node, "forced_commit_rate", found.asShare()));
    List<TaskTally> empties =
        tasks.stream()
            .filter(task -> decoded(task) > 0)
            .map(task -> new TaskTally(decoded(task), Math.toIntExact(task.getAs("empty"))))
            .toList();
    if (!empties.isEmpty()) {
      PassInterval interval = PassInterval.of(empties, 0);
      node.putArray("empty_answer_rate").add(interval.low()).add(interval.high());
    }
    return node;
  }

  private static int decoded(Row task) {
    return Math.toIntExact(task.<Long>getAs("decoded") - task.<Long>getAs("failed"));
  }

  private static ToDoubleFunction<Row> count(String column) {
    return task -> task.<Long>getAs(column);
  }

  private static TaskTally tally(Row task, String of, String passed) {
    return new TaskTally(
        Math.toIntExact(task.getAs(of)), Math.toIntExact(task.<Long>getAs(passed)));
  }

  private static Optional<TaskRatio> ratio(
      List<Row> tasks, ToDoubleFunction<Row> above, ToDoubleFunction<Row> below) {
    return TaskRatio.of(
        tasks.stream()
            .map(task -> new TaskRatio.Part(above.applyAsDouble(task), below.applyAsDouble(task)))
            .toList());
  }

  private static void put(ObjectNode node, String name, TaskRatio ratio) {
    node.putArray(name).add(ratio.low()).add(ratio.high());
  }

  /** Columns of counts, one entry a task, in the order of {@code at}. */
  private ObjectNode tasks(List<Row> rows) {
    ObjectNode node = root.objectNode();
    ArrayNode at = node.putArray("at");
    rows.forEach(row -> at.add(taskIndex.get(row.<String>getAs("task_id"))));
    for (String column : TASK_COUNTS) {
      ArrayNode values = node.putArray(column);
      rows.forEach(row -> values.add(row.<Long>getAs(column)));
    }
    ArrayNode fillRates = node.putArray("fill_rate");
    ArrayNode failures = node.putArray("failure");
    for (Row row : rows) {
      long filled = row.getAs("filled");
      fillRates.add(filled == 0 ? 0 : rounded(row.<Double>getAs("fill_rate") / filled));
      failures.add(row.<String>getAs("failure"));
    }
    node.put("plus_judged", rows.stream().anyMatch(row -> row.<Long>getAs("plus_judged") > 0));
    return node;
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
    root.put("details", shown.tasks());
    ObjectNode dictionary = root.putObject("tokens");
    shown.texts().texts().forEach((id, text) -> dictionary.put(String.valueOf(id), text));
    ArrayNode samples = root.putArray("samples");
    shown.rows().forEach(row -> samples.add(sample(row)));
  }

  private ObjectNode sample(Row row) {
    ObjectNode node =
        root.objectNode()
            .put("config", row.<String>getAs(Table.PARTITION))
            .put("task", taskIndex.get(row.<String>getAs("task_id")))
            .put("sample", row.<Integer>getAs("sample_index"));
    Object passed = row.getAs("passed");
    if (passed != null) {
      node.put("passed", (Boolean) passed);
    }
    for (String column :
        List.of(
            "status",
            "error",
            "prompt",
            "answer",
            "reasoning",
            "program",
            "base_status",
            "plus_status",
            "outcome",
            "message",
            "failed_input")) {
      String text = row.getAs(column);
      if (text != null) {
        node.put(column, cut(text));
      }
    }
    node.put("failed_in_base", row.<Boolean>getAs("failed_in_base"));
    if (row.getAs("token_ids") == null) {
      return node; // scored only: nothing is known of its decoding
    }

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
    return node;
  }

  private static void numbers(ObjectNode node, String name, Row row, String column) {
    ArrayNode values = node.putArray(name);
    row.<Number>getList(row.fieldIndex(column)).forEach(value -> values.add(value.intValue()));
  }

  private static String cut(@Nullable String text) {
    return text == null || text.length() <= LONGEST_TEXT
        ? String.valueOf(text)
        : text.substring(0, LONGEST_TEXT)
            + "\n... cut at %d of %d characters".formatted(LONGEST_TEXT, text.length());
  }

  private static double rounded(double share) {
    return Math.round(share * 1e5) / 1e5;
  }
}
