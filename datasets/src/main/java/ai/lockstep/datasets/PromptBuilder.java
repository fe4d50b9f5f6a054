package ai.lockstep.datasets;

/**
 * Turns a task into the text that a model reads. The chat template around a user turn and the
 * markers of the blocks behind it are not part of that text.
 */
public final class PromptBuilder {

  private static final String TASK =
      "Write a self-contained Python program that solves this task, with every import it needs.\n"
          + "\n```python\n%s\n```\n";

  private static final String PROGRAM_ONLY = "\nAnswer with the program in one ```python block.";

  private static final String TWO_BLOCKS =
      "\nAnswer in two blocks: after %s reason briefly about the approach, after %s give the whole"
          + " program.";

  private final PromptStyle style;
  private final String closing;

  private PromptBuilder(PromptStyle style, String closing) {
    this.style = style;
    this.closing = closing;
  }

  /** For a model that answers with the program alone. */
  public static PromptBuilder answering(PromptStyle style) {
    return new PromptBuilder(style, PROGRAM_ONLY);
  }

  /**
   * For a model that fills a reasoning block and an answer block.
   *
   * @param reasoningMarker opens the reasoning block, such as {@code [R]}
   * @param answerMarker opens the answer block, such as {@code [A]}
   */
  public static PromptBuilder reasoningAndAnswering(
      PromptStyle style, String reasoningMarker, String answerMarker) {
    return new PromptBuilder(style, String.format(TWO_BLOCKS, reasoningMarker, answerMarker));
  }

  /** The user turn's content, or with {@link PromptStyle#RAW} the task's prompt as it stands. */
  public String build(Task task) {
    return switch (style) {
      case CHAT -> String.format(TASK, task.prompt().strip()) + closing;
      case RAW -> task.prompt();
    };
  }
}
