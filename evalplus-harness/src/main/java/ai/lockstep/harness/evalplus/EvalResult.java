package ai.lockstep.harness.evalplus;

import ai.lockstep.failure.LockstepException;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A result file of EvalPlus, or of {@link EvalResultWriter}, read back.
 *
 * @param date {@code YYYY-MM-DD HH:MM}, local time
 * @param hash MD5 of the dataset file
 * @param eval results by task id, tasks and samples in the file's order
 * @param basePassAtK such as {@code pass@1}; empty when not recorded
 * @param plusPassAtK the same for base and added tests together
 */
public record EvalResult(
    String date,
    String hash,
    Map<String, List<SampleResult>> eval,
    Map<String, Double> basePassAtK,
    Map<String, Double> plusPassAtK) {

  public EvalResult {
    Map<String, List<SampleResult>> copy = new LinkedHashMap<>();
    eval.forEach((taskId, results) -> copy.put(taskId, List.copyOf(results)));
    eval = Collections.unmodifiableMap(copy);
    basePassAtK = Collections.unmodifiableMap(new LinkedHashMap<>(basePassAtK));
    plusPassAtK = Collections.unmodifiableMap(new LinkedHashMap<>(plusPassAtK));
  }

  /**
   * The result file that belongs to samples, by EvalPlus's rules: {@code eval_results.json} in a
   * folder; {@code x.eval_results.json} beside {@code x.jsonl}, or the older name {@code
   * x_eval_results.json} if that file exists. {@code x.jsonl.gz} counts as {@code x.jsonl}.
   */
  public static Path fileFor(Path samples) {
    if (Files.isDirectory(samples)) {
      return samples.resolve("eval_results.json");
    }

    String stem = samples.getFileName().toString().replaceFirst("\\.jsonl(\\.gz)?$", "");
    Path older = samples.resolveSibling(stem + "_eval_results.json");
    return Files.exists(older) ? older : samples.resolveSibling(stem + ".eval_results.json");
  }

  /**
   * Reads a result file.
   *
   * @throws LockstepException of category user if it is not one
   */
  public static EvalResult read(Path file) {
    String text;
    try {
      text = Files.readString(file);
    } catch (NoSuchFileException e) {
      throw LockstepException.user(
          "Cannot read results from %s: there is no such file.".formatted(file), e);
    } catch (IOException e) {
      throw LockstepException.environment(
          "Cannot read results from %s: %s.".formatted(file, e.getMessage()), e);
    }

    try (JsonParser json = JsonElements.JSON.createParser(text)) {
      return new Parser(json, text).parse();
    } catch (JsonProcessingException e) {
      throw LockstepException.user(
          "Cannot read results from %s:%d:%d: not JSON (%s)."
              .formatted(
                  file,
                  e.getLocation().getLineNr(),
                  e.getLocation().getColumnNr(),
                  e.getOriginalMessage()),
          e);
    } catch (UnexpectedShape e) {
      throw LockstepException.user(
          "Cannot read results from %s: %s; the file must be EvalPlus's eval_results.json."
              .formatted(file, e.getMessage()),
          e);
    } catch (IOException e) {
      throw new IllegalStateException("a text in memory cannot fail to be read", e);
    }
  }

  /** JSON, but not of the expected shape; the message is a clause. */
  private static final class UnexpectedShape extends Exception {

    UnexpectedShape(String message) {
      super(message);
    }
  }

  /**
   *
   *
   * <pre>
   * result   = { "date", "hash", "eval": { task: [ sample ... ] }, "pass_at_k": { "base", "plus" } }
   * sample   = { "task_id", "solution", "base_status", "plus_status", "base_fail_tests", "plus_fail_tests" }
   * </pre>
   */
  private static final class Parser {

    private final JsonParser json;
    private final String source;
    private final Map<String, String> texts = new LinkedHashMap<>();
    private final Map<String, List<SampleResult>> eval = new LinkedHashMap<>();
    private final Map<String, Map<String, Double>> passAtK = new LinkedHashMap<>();

    Parser(JsonParser json, String source) {
      this.json = json;
      this.source = source;
    }

    EvalResult parse() throws IOException, UnexpectedShape {
      json.nextToken();
      enter(JsonToken.START_OBJECT, "it is not an object");
      for (String name = json.nextFieldName(); name != null; name = json.nextFieldName()) {
        json.nextToken();
        switch (name) {
          case "date", "hash" -> texts.put(name, text(name));
          case "eval" -> parseTasks();
          case "pass_at_k" -> parsePassAtK();
          default -> json.skipChildren();
        }
      }

      if (!texts.keySet().containsAll(List.of("date", "hash")) || eval.isEmpty()) {
        throw new UnexpectedShape("date, hash or eval is missing");
      }
      return new EvalResult(
          texts.getOrDefault("date", ""),
          texts.getOrDefault("hash", ""),
          eval,
          passAtK.getOrDefault("base", Map.of()),
          passAtK.getOrDefault("plus", Map.of()));
    }

    private void parseTasks() throws IOException, UnexpectedShape {
      enter(JsonToken.START_OBJECT, "eval is not an object");
      for (String taskId = json.nextFieldName(); taskId != null; taskId = json.nextFieldName()) {
        json.nextToken();
        enter(JsonToken.START_ARRAY, "eval of " + taskId + " is not an array");
        List<SampleResult> results = new ArrayList<>();
        while (json.nextToken() != JsonToken.END_ARRAY) {
          results.add(parseSample(taskId));
        }
        eval.put(taskId, results);
      }
    }

    private SampleResult parseSample(String taskId) throws IOException, UnexpectedShape {
      enter(JsonToken.START_OBJECT, "a result of " + taskId + " is not an object");
      Map<String, String> fields = new LinkedHashMap<>();
      Map<String, List<String>> tests = new LinkedHashMap<>();
      for (String name = json.nextFieldName(); name != null; name = json.nextFieldName()) {
        JsonToken value = json.nextToken();
        switch (name) {
          case "solution", "base_status", "plus_status" -> {
            if (value != JsonToken.VALUE_NULL) {
              fields.put(name, text(name));
            }
          }
          case "base_fail_tests", "plus_fail_tests" -> {
            enter(JsonToken.START_ARRAY, name + " of " + taskId + " is not an array");
            tests.put(name, JsonElements.rest(json, source));
          }
          default -> json.skipChildren();
        }
      }

      String solution = fields.get("solution");
      String baseStatus = fields.get("base_status");
      if (solution == null || baseStatus == null) {
        throw new UnexpectedShape("a result of " + taskId + " lacks solution or base_status");
      }
      try {
        return new SampleResult(
            taskId,
            solution,
            baseStatus,
            Optional.ofNullable(fields.get("plus_status")),
            tests.getOrDefault("base_fail_tests", List.of()),
            tests.getOrDefault("plus_fail_tests", List.of()));
      } catch (IllegalArgumentException e) {
        throw new UnexpectedShape("a status of " + taskId + " is not pass, fail or timeout");
      }
    }

    private void parsePassAtK() throws IOException, UnexpectedShape {
      enter(JsonToken.START_OBJECT, "pass_at_k is not an object");
      for (String part = json.nextFieldName(); part != null; part = json.nextFieldName()) {
        json.nextToken();
        enter(JsonToken.START_OBJECT, "pass_at_k." + part + " is not an object");
        Map<String, Double> values = new LinkedHashMap<>();
        for (String name = json.nextFieldName(); name != null; name = json.nextFieldName()) {
          if (!json.nextToken().isNumeric()) {
            throw new UnexpectedShape("pass_at_k." + part + "." + name + " is not a number");
          }
          values.put(name, json.getDoubleValue());
        }
        passAtK.put(part, values);
      }
    }

    private String text(String name) throws IOException, UnexpectedShape {
      enter(JsonToken.VALUE_STRING, name + " is not a string");
      return json.getText();
    }

    private void enter(JsonToken expected, String complaint) throws UnexpectedShape {
      if (json.currentToken() != expected) {
        throw new UnexpectedShape(complaint);
      }
    }
  }
}
