package ai.lockstep.harness.extract;

import static org.assertj.core.api.Assertions.assertThat;

import ai.lockstep.datasets.Suite;
import ai.lockstep.datasets.Task;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class CompletionExtractorTest {

  private static final Task HUMANEVAL =
      new Task(
          Suite.HUMANEVAL,
          "HumanEval/1",
          "import math\n\ndef f(x):\n    \"\"\"Double x.\"\"\"\n",
          "    return 2 * x\n",
          "f",
          "[]",
          "[]",
          0);

  private static final Task MBPP =
      new Task(Suite.MBPP, "Mbpp/2", "\"\"\"\nDouble x.\n\"\"\"\n", "", "f", "[]", "[]", 0);

  private static final String PROGRAM = "def f(x):\n    return 2 * x";

  private static PythonSanitizer sanitizer;

  @BeforeAll
  static void open() {
    sanitizer = PlainPython.sanitizer();
  }

  @AfterAll
  static void close() {
    if (sanitizer != null) {
      sanitizer.close();
    }
  }

  @Nested
  class Sanitizing {

    private final CompletionExtractor extractor = CompletionExtractor.sanitizing(sanitizer);

    private void assertExtracts(String answer, String program, ExtractionReason reason) {
      assertThat(extractor.extract(HUMANEVAL, answer)).isEqualTo(new Extraction(program, reason));
    }

    @Test
    void endsAtTheFirstEndToken() {
      assertExtracts(
          PROGRAM + "<|im_end|><|endoftext|>def f(x):\n    return 3",
          PROGRAM,
          ExtractionReason.SANITIZED);
    }

    @Test
    void takesTheProgramOutOfAFence() {
      assertExtracts(
          "Doubling.\n\n```python\n"
              + PROGRAM
              + "\n\nprint(f(1))\n```\nx = 1\ny = 2\nz = 3\nw = 4\n",
          PROGRAM,
          ExtractionReason.SANITIZED);
    }

    @Test
    void takesTheProgramOutOfProse() {
      assertExtracts("It's:\n" + PROGRAM + "\nThat's it.", PROGRAM, ExtractionReason.SANITIZED);
    }

    @Test
    void putsABodyBehindThePrompt() {
      assertExtracts(
          "    return 2 * x\n",
          "import math\ndef f(x):\n    \"\"\"Double x.\"\"\"\n\n    return 2 * x",
          ExtractionReason.SANITIZED_WITH_PROMPT);
    }

    @Test
    void putsNothingBehindAPromptThatIsNoProgram() {
      assertThat(extractor.extract(MBPP, "    return 2 * x\n"))
          .isEqualTo(new Extraction("    return 2 * x", ExtractionReason.NO_ENTRY_POINT));
    }

    @Test
    void keepsAFunctionThatEvalPlusWouldDrop() {
      String generator = "import math\ndef f(x):\n    yield x";
      assertExtracts(generator, generator, ExtractionReason.TEXT);
      assertExtracts("```\n" + generator + "\n```", generator, ExtractionReason.FENCE);
    }

    @Test
    void saysThatAnAnswerDefinesNothing() {
      assertExtracts("I do not know.\nSorry.", "I do not know.", ExtractionReason.NO_ENTRY_POINT);
    }

    @Test
    void saysThatAnAnswerIsBlank() {
      assertExtracts("\n <|endoftext|>" + PROGRAM, "", ExtractionReason.EMPTY);
    }
  }

  @Nested
  class AsItStands {

    private final CompletionExtractor extractor = CompletionExtractor.asItStands();

    @Test
    void runsTheWholeAnswer() {
      assertThat(extractor.extract(HUMANEVAL, PROGRAM + "\nprint(1)"))
          .isEqualTo(new Extraction(PROGRAM + "\nprint(1)", ExtractionReason.TEXT));
    }

    @Test
    void appendsABodyToThePromptWithoutANewline() {
      assertThat(extractor.extract(HUMANEVAL, "    return 2 * x"))
          .isEqualTo(
              new Extraction(
                  HUMANEVAL.prompt() + "    return 2 * x", ExtractionReason.WITH_PROMPT));
    }

    @Test
    void takesTheFenceThatDefinesTheEntryPoint() {
      assertThat(
              extractor.extract(
                  MBPP,
                  "```python\nx = 1\n```\n  ~~~ py\n  " + PROGRAM.replace("\n", "\n  ") + "\n~~~~"))
          .isEqualTo(new Extraction(PROGRAM, ExtractionReason.FENCE));
    }

    @Test
    void takesAFenceThatIsNeverClosed() {
      assertThat(extractor.extract(MBPP, "```\n" + PROGRAM))
          .isEqualTo(new Extraction(PROGRAM, ExtractionReason.FENCE));
    }

    @Test
    void passesOverFencesInOtherLanguages() {
      assertThat(extractor.extract(MBPP, "```bash\npip install f\n```\n```Python\nf = 1\n```"))
          .isEqualTo(new Extraction("f = 1", ExtractionReason.FENCE));
    }

    @Test
    void beginsInTheFenceThatTheMarkerOpened() {
      assertThat(
              extractor.withOpening("Answer:\n```python\n").extract(MBPP, PROGRAM + "\n```\nDone."))
          .isEqualTo(new Extraction(PROGRAM, ExtractionReason.FENCE));
    }

    @Test
    void endsAtOtherStopStringsOnRequest() {
      assertThat(
              extractor
                  .withStops(StopStrings.continuation(Suite.HUMANEVAL))
                  .extract(HUMANEVAL, "    return 2 * x\n\ndef g():\n    pass"))
          .isEqualTo(
              new Extraction(
                  HUMANEVAL.prompt() + "    return 2 * x\n", ExtractionReason.WITH_PROMPT));
    }
  }

  @Test
  void stopStringsCutAtTheEarliest() {
    assertThat(StopStrings.chat().cut("a\nprint(1)</s>")).isEqualTo("a");
    assertThat(StopStrings.continuation(Suite.MBPP).cut("a\n\"\"\"b")).isEqualTo("a");
    assertThat(new StopStrings(List.of()).cut("a</s>")).isEqualTo("a</s>");
  }
}
