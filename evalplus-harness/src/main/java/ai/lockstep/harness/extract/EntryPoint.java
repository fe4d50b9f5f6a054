package ai.lockstep.harness.extract;

import java.util.regex.Pattern;

/** Finds definitions by their look, where no parser is asked. */
final class EntryPoint {

  private EntryPoint() {}

  /** Whether a line at the margin begins a function, class or assignment of that name. */
  static boolean isDefinedIn(String text, String entryPoint) {
    String name = Pattern.quote(entryPoint) + "(?!\\w)";
    return Pattern.compile(
            "^(?:(?:async[ \\t]+)?def[ \\t]+%s|class[ \\t]+%s|%s[ \\t]*(?::[^=\\n]*)?=(?!=))"
                .formatted(name, name, name),
            Pattern.MULTILINE)
        .matcher(text)
        .find();
  }
}
