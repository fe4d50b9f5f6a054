package ai.lockstep.harness.extract;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The code blocks of a Markdown text.
 *
 * <pre>
 * block   = opening { line } ( closing | end of text )
 * opening = { space } fence [ language ]        fence = three or more ` or ~
 * closing = { space } fence of the same character, at least as long
 * </pre>
 *
 * <p>A block loses as much of each line's indentation as its opening has (CommonMark, section 4.5).
 */
final class FencedCode {

  private static final Pattern OPENING =
      Pattern.compile("([ \\t]*)(`{3,}|~{3,})[ \\t]*([\\w.+#-]*)[ \\t]*\\r?");

  /** Markings of blocks that may hold the program; empty for none. */
  private static final Set<String> PYTHON = Set.of("", "python", "python3", "py", "python2");

  private record FenceBlock(String language, String code) {}

  private FencedCode() {}

  /**
   * The block that most likely is the answer: the first that defines the entry point, else the
   * first that is marked as Python or not at all, else none.
   */
  static Optional<String> answer(String text, String entryPoint) {
    List<FenceBlock> candidates =
        blocks(text).stream()
            .filter(block -> PYTHON.contains(block.language().toLowerCase(Locale.ROOT)))
            .filter(block -> !block.code().isBlank())
            .toList();
    return candidates.stream()
        .filter(block -> EntryPoint.isDefinedIn(block.code(), entryPoint))
        .findFirst()
        .or(() -> candidates.stream().findFirst())
        .map(FenceBlock::code);
  }

  private static List<FenceBlock> blocks(String text) {
    List<FenceBlock> blocks = new ArrayList<>();
    String[] lines = text.split("\n", -1);
    for (int index = 0; index < lines.length; index++) {
      Matcher opening = OPENING.matcher(lines[index]);
      if (!opening.matches()) {
        continue;
      }

      int first = index + 1;
      int end = first;
      while (end < lines.length && !closes(lines[end], opening.group(2))) {
        end++;
      }

      List<String> code = new ArrayList<>();
      for (int line = first; line < end; line++) {
        code.add(unindent(lines[line], opening.group(1).length()));
      }

      blocks.add(new FenceBlock(opening.group(3), String.join("\n", code)));
      index = end;
    }
    return blocks;
  }

  private static boolean closes(String line, String fence) {
    String stripped = line.strip();
    return stripped.startsWith(fence)
        && stripped.chars().allMatch(character -> character == fence.charAt(0));
  }

  private static String unindent(String line, int width) {
    int start = 0;
    while (start < width && start < line.length() && " \t".indexOf(line.charAt(start)) >= 0) {
      start++;
    }
    return line.substring(start);
  }
}
