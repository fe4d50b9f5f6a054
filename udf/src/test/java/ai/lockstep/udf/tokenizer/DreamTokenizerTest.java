package ai.lockstep.udf.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.util.Utils;
import ai.lockstep.failure.LockstepException;
import ai.lockstep.udf.golden.Golden;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DreamTokenizerTest {

  private static DreamTokenizer tokenizer;

  @BeforeAll
  static void open() {
    tokenizer = DreamTokenizer.open(Golden.file("model"));
  }

  @AfterAll
  static void close() {
    tokenizer.close();
  }

  @Test
  void isContentWithTheBundledLibraryAlsoWhereThereIsAGpu() {
    assertThat(Utils.getEnvOrSystemProperty("RUST_FLAVOR")).isEqualTo("cpu");
  }

  @Test
  void buildsTheDefinitionThatTheSlowTokenizerAmountsTo() {
    assertThat((JsonNode) TokenizerDefinition.build(Golden.file("model")))
        .isEqualTo(Golden.json("expected_tokenizer.json"));
  }

  @Test
  void encodesAsThePythonTokenizerDoes() {
    for (JsonNode example : Golden.json("tokenizer_cases.json").get("cases")) {
      String text = example.get("text").asText();

      assertThat(tokenizer.encode(text))
          .describedAs(text)
          .containsExactly(Golden.ints(example.get("ids")));
    }
  }

  @Test
  void decodesAsThePythonTokenizerDoes() {
    for (JsonNode example : Golden.json("tokenizer_cases.json").get("cases")) {
      int[] ids = Golden.ints(example.get("ids"));

      assertThat(tokenizer.decode(ids)).isEqualTo(example.get("decoded").asText());
      assertThat(tokenizer.decodeSkippingSpecials(ids))
          .isEqualTo(example.get("decoded_skip_special").asText());
    }
  }

  @Test
  void decodesIdsWithoutATokenToNothing() {
    int[] ids = tokenizer.encode("return 1");
    int[] withStrangers = new int[ids.length + 3];
    System.arraycopy(ids, 0, withStrangers, 1, ids.length);
    withStrangers[0] = 319;
    withStrangers[ids.length + 1] = 304;
    withStrangers[ids.length + 2] = -1;

    assertThat(tokenizer.decode(withStrangers)).isEqualTo("return 1");
    assertThat(tokenizer.decodeSkippingSpecials(withStrangers)).isEqualTo("return 1");
  }

  @Test
  void countsVocabularyAndAddedTokens() {
    assertThat(tokenizer.tokenCount()).isEqualTo(304);
  }

  @Test
  void prefersATokenizerJsonToBuildingOne(@TempDir Path folder) throws IOException {
    Files.write(
        folder.resolve("tokenizer.json"),
        new ObjectMapper().writeValueAsBytes(Golden.json("expected_tokenizer.json")));

    try (DreamTokenizer ready = DreamTokenizer.open(folder)) {
      assertThat(ready.encode("def f")).containsExactly(tokenizer.encode("def f"));
    }
  }

  @Test
  void encodesOneTextAfterAnotherOfAnyLengthWithoutPaddingOrCutting() {
    String longText = "return self ".repeat(2000);

    assertThat(tokenizer.decode(tokenizer.encode(longText))).isEqualTo(longText);
    assertThat(tokenizer.encode("a")).hasSize(1);
  }

  @Test
  void closesWhenCallsThatRunHaveEndedAndFailsLaterOnes() throws Exception {
    DreamTokenizer closing = DreamTokenizer.open(Golden.file("model"));
    int[] ids = tokenizer.encode("def f(x):\n    return x\n".repeat(50));
    CountDownLatch working = new CountDownLatch(2);
    Callable<Void> untilItFails =
        () -> {
          closing.decode(ids);
          working.countDown();
          while (true) {
            closing.encode(closing.decode(ids));
          }
        };
    ExecutorService pool = Executors.newFixedThreadPool(2);
    try {
      List<Future<Void>> calls = List.of(pool.submit(untilItFails), pool.submit(untilItFails));
      working.await();

      closing.close();

      for (Future<Void> call : calls) {
        assertThatThrownBy(call::get)
            .cause()
            .isInstanceOf(IllegalStateException.class)
            .hasMessage("The tokenizer was closed");
      }
    } finally {
      pool.shutdownNow();
    }
  }

  @Test
  void rendersOneUserTurnWithTheDefaultSystemMessage() {
    assertThat(DreamTokenizer.chat(List.of(ChatMessage.user("Hi"))))
        .isEqualTo(
            "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n"
                + "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n");
  }

  @Test
  void letsASystemMessageReplaceTheDefaultOne() {
    assertThat(
            DreamTokenizer.chat(
                List.of(
                    ChatMessage.system("Be brief."),
                    ChatMessage.user("Hi"),
                    ChatMessage.assistant("Yes?"),
                    ChatMessage.user("Go"))))
        .isEqualTo(
            "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n"
                + "<|im_start|>assistant\nYes?<|im_end|>\n<|im_start|>user\nGo<|im_end|>\n"
                + "<|im_start|>assistant\n");
  }

  @Test
  void namesTheFilesItCannotDoWithout(@TempDir Path folder) {
    assertThatThrownBy(() -> DreamTokenizer.open(folder))
        .isInstanceOf(LockstepException.class)
        .hasMessage(
            "Cannot load the tokenizer from %s: there is no tokenizer.json, and vocab.json and merges.txt to build one from are missing. Copy the tokenizer's files from the hub there.",
            folder);
  }
}
