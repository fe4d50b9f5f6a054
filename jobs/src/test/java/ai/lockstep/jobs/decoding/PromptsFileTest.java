package ai.lockstep.jobs.decoding;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.lockstep.failure.LockstepException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PromptsFileTest {

  @TempDir Path folder;

  private Path file(String content) throws IOException {
    return Files.writeString(folder.resolve("prompts.jsonl"), content);
  }

  @Test
  void readsTextAndIdsInOrderAndSkipsBlankLines() throws IOException {
    Path file =
        file(
            """
            {"id": "a", "prompt": "def f():", "note": "ignored"}

            {"id": 7, "prompt_ids": [1, 2, 3]}
            """);

    List<Prompt> prompts = PromptsFile.read(file);

    assertThat(prompts).extracting(Prompt::id).containsExactly("a", "7");
    assertThat(prompts.get(0).text()).contains("def f():");
    assertThat(prompts.get(1).ids()).containsExactly(1, 2, 3);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "[1]|each line must be a JSON object.",
        "{\"prompt\": \"x\"}|the key 'id' is missing or is not text.",
        "{\"id\": \"a\"}|give exactly one of 'prompt' and 'prompt_ids'.",
        "{\"id\": \"a\", \"prompt\": \"x\", \"prompt_ids\": [1]}|give exactly one of 'prompt' and 'prompt_ids'.",
        "{\"id\": \"a\", \"prompt\": \"\"}|'prompt' must be text and not empty.",
        "{\"id\": \"a\", \"prompt_ids\": []}|'prompt_ids' must be a list of at least one token id.",
        "{\"id\": \"a\", \"prompt_ids\": [1.5]}|'prompt_ids' holds 1.5, which is not a token id.",
      })
  void namesTheLineAndTheMistake(String line, String sentence) throws IOException {
    Path file = file("{\"id\": \"first\", \"prompt\": \"x\"}\n" + line + "\n");

    assertThatThrownBy(() -> PromptsFile.read(file))
        .isInstanceOf(LockstepException.class)
        .hasMessage("Cannot read %s:2: %s".formatted(file, sentence));
  }

  @Test
  void namesTheColumnOfBrokenJson() throws IOException {
    Path file = file("{\"id\": \"a\" \"prompt\": \"x\"}\n");

    assertThatThrownBy(() -> PromptsFile.read(file))
        .hasMessage(
            "Cannot read %s:1:12: this is not JSON (Unexpected character ('\"' (code 34)): was expecting comma to separate Object entries)."
                .formatted(file));
  }

  @Test
  void refusesAnIdThatOccursTwice() throws IOException {
    Path file = file("{\"id\":\"a\",\"prompt\":\"x\"}\n{\"id\":\"a\",\"prompt\":\"y\"}\n");

    assertThatThrownBy(() -> PromptsFile.read(file))
        .hasMessage(
            "Cannot read %s:2: the id 'a' is already on line 1; ids must be unique."
                .formatted(file));
  }

  @Test
  void refusesAFileWithoutPrompts() throws IOException {
    Path file = file("\n");

    assertThatThrownBy(() -> PromptsFile.read(file))
        .hasMessage(
            "Cannot decode input=%s: it holds no prompt. Each line must be an object with id and prompt or prompt_ids."
                .formatted(file));
  }

  @Test
  void refusesAMissingFile() {
    Path file = folder.resolve("none.jsonl");

    assertThatThrownBy(() -> PromptsFile.read(file))
        .hasMessage(
            "Cannot read input=%s: there is no such file. Give a JSONL file of prompts."
                .formatted(file));
  }
}
