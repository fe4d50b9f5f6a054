package ai.lockstep.datasets;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;

/**
 * Reads one line of an EvalPlus file.
 *
 * <p>The tests are cut out of the line as they stand and never become Java values, so nothing about
 * a number can be lost; they are checked to be arrays of arrays of well-formed JSON.
 */
final class TaskParser {

  /**
   * A line holds up to megabytes of tests; Python sets no limits either. Nesting is the one thing
   * that stays bounded, far above the 28 levels seen, because the interpreter that reads the tests
   * recurses.
   */
  private static final JsonFactory JSON =
      JsonFactory.builder()
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxStringLength(Integer.MAX_VALUE)
                  .maxNumberLength(Integer.MAX_VALUE)
                  .maxNestingDepth(900)
                  .build())
          .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
          .build();

  private final Suite suite;
  private final String line;
  private final Map<String, String> texts = new HashMap<>();

  private TaskParser(Suite suite, String line) {
    this.suite = suite;
    this.line = line;
  }

  /**
   * Reads one line.
   *
   * @throws com.fasterxml.jackson.core.JsonProcessingException if it is not one JSON value; the
   *     exception knows the column
   * @throws BadTaskException if it is not a task of the suite
   */
  static Task parse(Suite suite, String line) throws IOException, BadTaskException {
    return new TaskParser(suite, line).parse();
  }

  private Task parse() throws IOException, BadTaskException {
    double atol = Double.NaN;

    try (JsonParser json = JSON.createParser(line)) {
      if (json.nextToken() != JsonToken.START_OBJECT) {
        throw new BadTaskException("a line must be a JSON object");
      }

      for (String name = json.nextFieldName(); name != null; name = json.nextFieldName()) {
        json.nextToken();

        switch (name) {
          case "task_id", "prompt", "canonical_solution", "entry_point" ->
              texts.put(name, text(name, json));
          case "base_input", "plus_input" -> texts.put(name, tests(name, json));
          case "atol" -> atol = tolerance(json);
          default -> json.skipChildren();
        }
      }

      if (json.nextToken() != null) {
        throw new BadTaskException("a line must hold one JSON object and nothing after it");
      }
    }

    return task(atol);
  }

  private Task task(double atol) throws BadTaskException {
    String taskId = required("task_id");

    if (!Task.isIdOf(suite, taskId)) {
      throw new BadTaskException(
          Suite.ofTask(taskId)
              .filter(other -> other != suite)
              .map(other -> "task " + taskId + " belongs to dataset=" + other.datasetName())
              .orElse("task_id must be " + suite.taskIdPrefix() + "NUMBER, not " + taskId));
    }

    if (Double.isNaN(atol)) {
      throw new BadTaskException("field atol is missing");
    }

    return new Task(
        suite,
        taskId,
        required("prompt"),
        required("canonical_solution"),
        required("entry_point"),
        required("base_input"),
        required("plus_input"),
        atol);
  }

  private String required(String name) throws BadTaskException {
    String text = texts.get(name);

    if (text == null) {
      throw new BadTaskException("field " + name + " is missing");
    }

    return text;
  }

  private static String text(String name, JsonParser json) throws IOException, BadTaskException {
    if (json.currentToken() != JsonToken.VALUE_STRING) {
      throw wrongType(name, "a string", json);
    }

    return json.getText();
  }

  private static double tolerance(JsonParser json) throws IOException, BadTaskException {
    if (!json.currentToken().isNumeric()) {
      throw wrongType("atol", "a number", json);
    }

    double atol = json.getDoubleValue();

    if (!(atol >= 0)) {
      throw new BadTaskException("field atol must be 0 or more, not " + json.getText());
    }

    return atol;
  }

  private String tests(String name, JsonParser json) throws IOException, BadTaskException {
    // Mbpp/793 of MBPP+ v0.2.0 writes "no tests" as {}.
    if (json.currentToken() == JsonToken.START_OBJECT) {
      if (json.nextToken() != JsonToken.END_OBJECT) {
        throw new BadTaskException("field " + name + " must be an array of tests, not an object");
      }

      return "[]";
    }

    if (json.currentToken() != JsonToken.START_ARRAY) {
      throw wrongType(name, "an array of tests", json);
    }

    int start = (int) json.currentTokenLocation().getCharOffset();

    for (int index = 0; json.nextToken() != JsonToken.END_ARRAY; index++) {
      if (json.currentToken() != JsonToken.START_ARRAY) {
        throw wrongType(name + "[" + index + "]", "an array of arguments", json);
      }

      json.skipChildren();
    }

    return line.substring(start, (int) json.currentLocation().getCharOffset());
  }

  private static BadTaskException wrongType(String name, String expected, JsonParser json) {
    return new BadTaskException(
        "field " + name + " must be " + expected + ", not " + kind(json.currentToken()));
  }

  private static String kind(JsonToken token) {
    return switch (token) {
      case START_OBJECT -> "an object";
      case START_ARRAY -> "an array";
      case VALUE_STRING -> "a string";
      case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> "a number";
      case VALUE_TRUE, VALUE_FALSE -> "a boolean";
      case VALUE_NULL -> "null";
      default -> token.toString();
    };
  }

  /** A line that is JSON and not a task; the message is a clause without a full stop. */
  static final class BadTaskException extends Exception {

    BadTaskException(String message) {
      super(message);
    }
  }
}
