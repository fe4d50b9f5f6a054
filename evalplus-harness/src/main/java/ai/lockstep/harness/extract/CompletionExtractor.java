package ai.lockstep.harness.extract;

import ai.lockstep.datasets.Task;
import java.util.Optional;

/**
 * Turns the answer of one of our decoders (for lockstep, the text of its A block) into a program:
 *
 * <ol>
 *   <li>The answer ends at its first stop string. A blank one is {@link ExtractionReason#EMPTY}.
 *   <li>If it has a code fence, the code is the first fenced block that defines the entry point,
 *       else the first one in Python; without a fence, the code is the answer. What was written in
 *       front of the answer (the A block's marker) may open the fence.
 *   <li>When sanitising: the sanitised code, if it defines the entry point; else, for prompts that
 *       begin the program, the sanitised prompt + newline + code, as EvalPlus treats a {@code
 *       completion}, if that defines it; else the code as it stands if a line at its margin defines
 *       the entry point, because EvalPlus's rules drop generators, decorated functions and
 *       functions that work in place (EvalPlus itself fails these answers); else the first.
 *   <li>As it stands: the code if a line at its margin defines the entry point or the prompt does
 *       not begin the program, else prompt + code without a newline, as EvalPlus scores a {@code
 *       completion}.
 * </ol>
 */
public final class CompletionExtractor {

  private final Optional<Sanitizer> sanitizer;
  private final StopStrings stops;
  private final String opening;

  private CompletionExtractor(Optional<Sanitizer> sanitizer, StopStrings stops, String opening) {
    this.sanitizer = sanitizer;
    this.stops = stops;
    this.opening = opening;
  }

  /** {@code harness.sanitize=true}: ends at {@link StopStrings#END_OF_TEXT}, then sanitises. */
  public static CompletionExtractor sanitizing(Sanitizer sanitizer) {
    return new CompletionExtractor(Optional.of(sanitizer), StopStrings.END_OF_TEXT, "");
  }

  /** {@code harness.sanitize=false}: ends at {@link StopStrings#END_OF_TEXT}, no more. */
  public static CompletionExtractor asItStands() {
    return new CompletionExtractor(Optional.empty(), StopStrings.END_OF_TEXT, "");
  }

  /** With other stop strings. */
  public CompletionExtractor withStops(StopStrings newStops) {
    return new CompletionExtractor(sanitizer, newStops, opening);
  }

  /**
   * With the fixed text in front of every answer, {@code decode.block_markers.a_open}: when it ends
   * inside a code fence, the answer begins in that fence.
   */
  public CompletionExtractor withOpening(String newOpening) {
    return new CompletionExtractor(sanitizer, stops, newOpening);
  }

  /** The program for an answer to a task. */
  public Extraction extract(Task task, String answer) {
    String text = stops.cut(answer);
    if (text.isBlank()) {
      return new Extraction("", ExtractionReason.EMPTY);
    }

    Optional<String> fenced = FencedCode.answer(opening + text, task.entryPoint());
    String code = fenced.orElse(text);
    return sanitizer
        .map(cleaner -> sanitized(cleaner, task, code, fenced.isPresent()))
        .orElseGet(() -> standing(task, code, fenced.isPresent()));
  }

  private static Extraction sanitized(Sanitizer cleaner, Task task, String code, boolean isFenced) {
    Optional<String> entryPoint = Optional.of(task.entryPoint());
    Sanitized alone = cleaner.sanitize(code, entryPoint);
    if (alone.definesEntryPoint()) {
      return new Extraction(alone.program(), ExtractionReason.SANITIZED);
    }

    if (promptBeginsProgram(task)) {
      Sanitized joined = cleaner.sanitize(task.prompt() + "\n" + code, entryPoint);
      // A fragment may be no more than the prompt: a function that has a docstring only.
      if (joined.definesEntryPoint() && joined.reason() == SanitizeReason.DEFINITIONS) {
        return new Extraction(joined.program(), ExtractionReason.SANITIZED_WITH_PROMPT);
      }
    }

    if (EntryPoint.isDefinedIn(code, task.entryPoint())) {
      return standing(task, code, isFenced);
    }
    return new Extraction(alone.program(), ExtractionReason.NO_ENTRY_POINT);
  }

  private static Extraction standing(Task task, String code, boolean isFenced) {
    if (promptBeginsProgram(task) && !EntryPoint.isDefinedIn(code, task.entryPoint())) {
      return new Extraction(task.prompt() + code, ExtractionReason.WITH_PROMPT);
    }
    return new Extraction(code, isFenced ? ExtractionReason.FENCE : ExtractionReason.TEXT);
  }

  private static boolean promptBeginsProgram(Task task) {
    return EntryPoint.isDefinedIn(task.prompt(), task.entryPoint());
  }
}
