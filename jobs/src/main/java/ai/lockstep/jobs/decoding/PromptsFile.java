package ai.lockstep.jobs.decoding;

import ai.lockstep.failure.LockstepException;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A file of prompts: one JSON object a line, {@code {"id": "...", "prompt": "text"}} or {@code
 * {"id": "...", "prompt_ids": [1, 2]}}. Other keys are ignored, blank lines are skipped.
 */
public final class PromptsFile {

  private static final ObjectMapper JSON = new ObjectMapper();

  private PromptsFile() {}

  /**
   * Reads a whole file.
   *
   * @throws LockstepException naming the file and line of the first mistake
   */
  public static List<Prompt> read(Path file) {
    List<Prompt> prompts = new ArrayList<>();
    Map<String, Integer> lineOfId = new HashMap<>();
    try (BufferedReader lines = Files.newBufferedReader(file)) {
      int number = 0;
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        number++;
        if (line.isBlank()) {
          continue;
        }
        Prompt prompt = parse(file, number, line);
        Integer earlier = lineOfId.putIfAbsent(prompt.id(), number);
        if (earlier != null) {
          throw mistake(
              file,
              number,
              "the id '%s' is already on line %d; ids must be unique",
              prompt.id(),
              earlier);
        }
        prompts.add(prompt);
      }
    } catch (NoSuchFileException e) {
      throw LockstepException.user(
          "Cannot read input=%s: there is no such file. Give a JSONL file of prompts."
              .formatted(file),
          e);
    } catch (CharacterCodingException e) {
      throw LockstepException.user(
          "Cannot read input=%s: it is not UTF-8 text.".formatted(file), e);
    } catch (IOException e) {
      throw LockstepException.user("Cannot read input=%s: %s.".formatted(file, e.getMessage()), e);
    }
    if (prompts.isEmpty()) {
      throw LockstepException.user(
          "Cannot decode input=%s: it holds no prompt. Each line must be an object with id and prompt or prompt_ids."
              .formatted(file));
    }
    return prompts;
  }

  private static Prompt parse(Path file, int number, String line) {
    JsonNode object;
    try {
      object = JSON.readTree(line);
    } catch (JsonProcessingException e) {
      throw LockstepException.user(
          "Cannot read %s:%d:%d: this is not JSON (%s)."
              .formatted(file, number, e.getLocation().getColumnNr(), e.getOriginalMessage()),
          e);
    }
    if (!object.isObject()) {
      throw mistake(file, number, "each line must be a JSON object");
    }
    JsonNode id = object.path("id");
    if (!id.isTextual() && !id.isIntegralNumber()) {
      throw mistake(file, number, "the key 'id' is missing or is not text");
    }
    JsonNode text = object.path("prompt");
    JsonNode ids = object.path("prompt_ids");
    if (text.isMissingNode() == ids.isMissingNode()) {
      throw mistake(file, number, "give exactly one of 'prompt' and 'prompt_ids'");
    }
    if (!text.isMissingNode()) {
      if (!text.isTextual() || text.asText().isEmpty()) {
        throw mistake(file, number, "'prompt' must be text and not empty");
      }
      return Prompt.ofText(id.asText(), text.asText());
    }
    if (!ids.isArray() || ids.isEmpty()) {
      throw mistake(file, number, "'prompt_ids' must be a list of at least one token id");
    }
    int[] values = new int[ids.size()];
    for (int i = 0; i < values.length; i++) {
      if (!ids.get(i).canConvertToInt() || !ids.get(i).isIntegralNumber()) {
        throw mistake(file, number, "'prompt_ids' holds %s, which is not a token id", ids.get(i));
      }
      values[i] = ids.get(i).asInt();
    }
    return Prompt.ofIds(id.asText(), values);
  }

  private static LockstepException mistake(Path file, int line, String what, Object... values) {
    return LockstepException.user(
        "Cannot read %s:%d: %s.".formatted(file, line, what.formatted(values)));
  }
}
