package ai.lockstep.harness.evalplus;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * One line of a samples file. Other keys than these are passed over; of equal keys the last counts,
 * as in Python.
 *
 * @param taskId any text
 * @param id {@code id}, a number as it is written
 * @param form of {@code text}; {@code solution} wins over {@code completion}
 * @param text the program or its end
 */
record SampleLine(String taskId, Optional<String> id, Sample.Form form, String text) {

  /** A line that is JSON and not a sample; the message is a clause. */
  static final class BadSampleException extends Exception {

    BadSampleException(String message) {
      super(message);
    }
  }

  /**
   * Reads one line.
   *
   * @throws com.fasterxml.jackson.core.JsonProcessingException if it is not JSON; knows the column
   */
  static SampleLine parse(String line) throws IOException, BadSampleException {
    Map<String, String> texts = new HashMap<>();
    try (JsonParser json = JsonElements.JSON.createParser(line)) {
      if (json.nextToken() != JsonToken.START_OBJECT) {
        throw new BadSampleException("it is not a JSON object");
      }

      for (String name = json.nextFieldName(); name != null; name = json.nextFieldName()) {
        JsonToken value = json.nextToken();
        switch (name) {
          case "task_id", "solution", "completion" -> {
            if (value != JsonToken.VALUE_STRING) {
              throw new BadSampleException(name + " is not a string");
            }
            texts.put(name, json.getText());
          }
          case "id" -> {
            if (value.isScalarValue() && value != JsonToken.VALUE_NULL) {
              texts.put(name, json.getText());
            }
            json.skipChildren();
          }
          default -> json.skipChildren();
        }
      }

      if (json.nextToken() != null) {
        throw new BadSampleException("something follows its JSON object");
      }
    }
    return of(texts);
  }

  private static SampleLine of(Map<String, String> texts) throws BadSampleException {
    String taskId = texts.get("task_id");
    if (taskId == null) {
      throw new BadSampleException("task_id is missing");
    }

    Optional<String> id = Optional.ofNullable(texts.get("id"));
    String solution = texts.get("solution");
    if (solution != null) {
      return new SampleLine(taskId, id, Sample.Form.SOLUTION, solution);
    }

    String completion = texts.get("completion");
    if (completion == null) {
      throw new BadSampleException("both solution and completion are missing");
    }
    return new SampleLine(taskId, id, Sample.Form.COMPLETION, completion);
  }
}
