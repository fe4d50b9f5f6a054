package ai.lockstep.datasets;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class PromptBuilderTest {

  private final Task task = ToyBenchmark.numbered(Suite.HUMANEVAL, 5).tasks().get(0);

  @Test
  void asksForTheProgramAlone() {
    assertThat(PromptBuilder.answering(PromptStyle.CHAT).build(task))
        .isEqualTo(
            """
            Write a self-contained Python program that solves this task, with every import it needs.

            ```python
            def f(x):
                \"""Add 5 to x.\"""
            ```

            Answer with the program in one ```python block.""");
  }

  @Test
  void asksForReasoningAndProgramByTheirMarkers() {
    assertThat(PromptBuilder.reasoningAndAnswering(PromptStyle.CHAT, "[R]", "[A]").build(task))
        .isEqualTo(
            """
            Write a self-contained Python program that solves this task, with every import it needs.

            ```python
            def f(x):
                \"""Add 5 to x.\"""
            ```

            Answer in two blocks: after [R] reason briefly about the approach, after [A] give the\
             whole program.""");
  }

  @Test
  void leavesThePromptAsItStandsForAModelThatContinuesText() {
    assertThat(PromptBuilder.answering(PromptStyle.RAW).build(task)).isEqualTo(task.prompt());
    assertThat(PromptBuilder.reasoningAndAnswering(PromptStyle.RAW, "[R]", "[A]").build(task))
        .isEqualTo(task.prompt());
  }

  @Test
  void copiesPercentSignsAsTheyAre() {
    Task percent = new Task(Suite.STARTER, "Starter/0", "# 5%d of %s", "", "f", "[]", "[]", 0);

    assertThat(PromptBuilder.reasoningAndAnswering(PromptStyle.CHAT, "%r", "%a").build(percent))
        .contains("# 5%d of %s")
        .endsWith("after %r reason briefly about the approach, after %a give the whole program.");
  }
}
