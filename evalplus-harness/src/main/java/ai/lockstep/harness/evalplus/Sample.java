package ai.lockstep.harness.evalplus;

import ai.lockstep.datasets.Task;
import ai.lockstep.harness.extract.Sanitizer;
import java.util.Optional;

/**
 * One program to be judged, as a samples file holds it.
 *
 * @param taskId a task of the benchmark that the file was read for
 * @param sampleIndex number among the samples of its task, from 0 in reading order
 * @param id the line's own {@code id}; the file's path within the folder for samples in a folder
 * @param form what {@code text} is
 * @param text as it was read
 */
public record Sample(String taskId, int sampleIndex, Optional<String> id, Form form, String text) {

  /** What a sample's text is. */
  public enum Form {
    /** A whole program. */
    SOLUTION,
    /** What follows the task's prompt. */
    COMPLETION
  }

  /** The program that EvalPlus scores: a completion follows the prompt without a newline. */
  public String program(Task task) {
    return form == Form.SOLUTION ? text : promptOf(task) + text;
  }

  /**
   * The program that EvalPlus scores after its {@code sanitize}: there a completion follows the
   * prompt and a newline.
   */
  public String sanitizedProgram(Task task, Sanitizer sanitizer) {
    String whole = form == Form.SOLUTION ? text : promptOf(task) + "\n" + text;
    return sanitizer.sanitize(whole, Optional.of(task.entryPoint())).program();
  }

  private String promptOf(Task task) {
    if (!task.taskId().equals(taskId)) {
      throw new IllegalArgumentException(
          "A sample of %s does not continue %s".formatted(taskId, task.taskId()));
    }
    return task.prompt();
  }
}
