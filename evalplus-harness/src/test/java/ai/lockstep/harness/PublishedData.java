package ai.lockstep.harness;

import ai.lockstep.datasets.Benchmark;
import ai.lockstep.datasets.Benchmarks;
import ai.lockstep.datasets.Suite;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.GZIPInputStream;

/**
 * HumanEval+, MBPP+ and thousands of programs with EvalPlus 0.3.1's verdicts (CPython 3.11.2, numpy
 * 1.24.2). Not part of this repository: read from the folder {@code data} of the system property
 * {@code lockstep.shared}.
 */
final class PublishedData {

  static final Path FOLDER =
      Path.of(System.getProperty("lockstep.shared", "../../shared")).resolve("data");

  private static final JsonMapper JSON = new JsonMapper();

  private PublishedData() {}

  /**
   * A program and EvalPlus's verdicts with every test run.
   *
   * @param upstreamFooled EvalPlus passes it and must not
   * @param seconds what EvalPlus took for base and plus together
   */
  record Judged(
      String id,
      String taskId,
      String kind,
      String program,
      String baseStatus,
      String plusStatus,
      String baseDetails,
      String plusDetails,
      boolean upstreamFooled,
      double seconds) {}

  static boolean isThere() {
    return Files.exists(FOLDER.resolve("parity-dev.jsonl.gz"));
  }

  static Benchmark humanEval() {
    return Benchmarks.open(Suite.HUMANEVAL, FOLDER.resolve("HumanEvalPlus.jsonl.gz"));
  }

  static Benchmark mbpp() {
    return Benchmarks.open(Suite.MBPP, FOLDER.resolve("MbppPlus.jsonl.gz"));
  }

  static List<Judged> judged() throws IOException {
    List<Judged> rows = new ArrayList<>();
    try (BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(
                new GZIPInputStream(Files.newInputStream(FOLDER.resolve("parity-dev.jsonl.gz"))),
                StandardCharsets.UTF_8))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        rows.add(judged(JSON.readTree(line)));
      }
    }
    return rows;
  }

  private static Judged judged(JsonNode row) {
    return new Judged(
        row.required("id").asText(),
        row.required("task_id").textValue(),
        row.required("kind").textValue(),
        row.required("solution").textValue(),
        row.required("base_status").textValue(),
        row.required("plus_status").textValue(),
        details(row.required("base_details")),
        details(row.required("plus_details")),
        row.required("upstream_fooled").booleanValue(),
        row.required("seconds").doubleValue());
  }

  private static String details(JsonNode node) {
    if (node.isTextual()) {
      return node.textValue();
    }
    StringBuilder bits = new StringBuilder();
    node.forEach(bit -> bits.append(bit.asInt()));
    return bits.toString();
  }
}
