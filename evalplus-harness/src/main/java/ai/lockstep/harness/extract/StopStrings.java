package ai.lockstep.harness.extract;

import ai.lockstep.datasets.Suite;
import java.util.ArrayList;
import java.util.List;

/**
 * Texts at which an answer ends. {@link #cut} keeps what stands before the first of them.
 *
 * <p>The lists of {@link #chat} and {@link #continuation} are those that EvalPlus's model servers
 * stop at (evalplus/provider/utility.py, version 0.3.1).
 *
 * @param strings none of them empty; the order does not matter
 */
public record StopStrings(List<String> strings) {

  /** The end tokens of Dream's tokenizer: nothing after them is part of an answer. */
  public static final StopStrings END_OF_TEXT =
      new StopStrings(List.of("<|endoftext|>", "<|im_end|>"));

  private static final List<String> EVALPLUS =
      List.of("<|endoftext|>", "<|endofmask|>", "</s>", "\nif __name__", "\ndef main(", "\nprint(");

  private static final List<String> NEXT_DEFINITION =
      List.of("\ndef ", "\nclass ", "\nimport ", "\nfrom ", "\nassert ");

  public StopStrings {
    strings = List.copyOf(strings);
    if (strings.contains("")) {
      throw new IllegalArgumentException("An empty stop string would cut every answer to nothing");
    }
  }

  /** What EvalPlus cuts chat answers at, and {@link #END_OF_TEXT}. */
  public static StopStrings chat() {
    return END_OF_TEXT.and(EVALPLUS);
  }

  /** What EvalPlus cuts direct continuations of a suite's prompts at, and {@link #END_OF_TEXT}. */
  public static StopStrings continuation(Suite suite) {
    List<String> suites = suite == Suite.MBPP ? List.of("\n\"\"\"", "\nassert") : NEXT_DEFINITION;
    return chat().and(suites);
  }

  /** These and others. */
  public StopStrings and(List<String> others) {
    List<String> all = new ArrayList<>(strings);
    all.addAll(others);
    return new StopStrings(all);
  }

  /** The text before the first stop string in it; the whole text when there is none. */
  public String cut(String text) {
    int end = text.length();
    for (String stop : strings) {
      int index = text.indexOf(stop);
      if (index >= 0 && index < end) {
        end = index;
      }
    }
    return text.substring(0, end);
  }
}
