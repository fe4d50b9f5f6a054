package ai.lockstep.jobs.scoring;

import ai.lockstep.datasets.Task;
import ai.lockstep.harness.evalplus.Sample;
import ai.lockstep.harness.extract.CompletionExtractor;
import ai.lockstep.harness.extract.Extraction;
import ai.lockstep.harness.extract.Sanitizer;
import java.util.Optional;

/**
 * Finds the program in a candidate's text: by our own rules for the answers of our decoders, by
 * EvalPlus's for samples.
 *
 * @param sanitizer empty for programs as they stand
 */
record ProgramText(Optional<Sanitizer> sanitizer) {

  /**
   * A program and how it was found.
   *
   * @param extraction the word for the table
   */
  record Program(String text, String extraction) {}

  /**
   * The program of a candidate.
   *
   * @param opening the fixed text in front of an answer; may be empty
   */
  Program of(Task task, Candidates.Form form, String opening, String text) {
    return switch (form) {
      case ANSWER -> answer(task, opening, text);
      case SOLUTION -> sample(task, Sample.Form.SOLUTION, text);
      case COMPLETION -> sample(task, Sample.Form.COMPLETION, text);
    };
  }

  private Program answer(Task task, String opening, String text) {
    Extraction extraction =
        sanitizer
            .map(CompletionExtractor::sanitizing)
            .orElseGet(CompletionExtractor::asItStands)
            .withOpening(opening)
            .extract(task, text);
    return new Program(extraction.program(), extraction.reason().spelling());
  }

  private Program sample(Task task, Sample.Form form, String text) {
    Sample sample = new Sample(task.taskId(), 0, Optional.empty(), form, text);
    return sanitizer
        .map(cleaner -> new Program(sample.sanitizedProgram(task, cleaner), "sanitized"))
        .orElseGet(() -> new Program(sample.program(task), "as_it_stands"));
  }
}
