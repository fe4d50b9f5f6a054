package ai.lockstep.harness.evalplus;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Cuts JSON apart as text, so that {@code 1.0}, {@code Infinity} and long integers survive. */
public final class JsonElements {

  /**
   * No limits of size: programs and tests hold megabytes, and integers of any length. Python writes
   * and reads NaN and Infinity.
   */
  static final JsonFactory JSON =
      JsonFactory.builder()
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxStringLength(Integer.MAX_VALUE)
                  .maxNumberLength(Integer.MAX_VALUE)
                  .build())
          .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
          .build();

  private JsonElements() {}

  /** The elements of an array, each as it is written. */
  public static List<String> of(String array) {
    try (JsonParser json = JSON.createParser(array)) {
      if (json.nextToken() != JsonToken.START_ARRAY) {
        throw new IllegalArgumentException("Not a JSON array: " + array);
      }
      return rest(json, array);
    } catch (IOException e) {
      throw new IllegalArgumentException("Not a JSON array: " + array, e);
    }
  }

  /** The elements of the array that the parser of {@code source} has just entered. */
  static List<String> rest(JsonParser json, String source) throws IOException {
    List<String> elements = new ArrayList<>();
    while (json.nextToken() != JsonToken.END_ARRAY) {
      int start = (int) json.currentTokenLocation().getCharOffset();
      json.skipChildren();
      // Scalars are read on demand; this reads them to their end.
      json.finishToken();
      elements.add(source.substring(start, (int) json.currentLocation().getCharOffset()));
    }
    return elements;
  }
}
