package ai.lockstep.jobs.report;

import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.locks.LockSupport;
import org.jline.utils.WCWidth;

/**
 * How a sample was filled, in a terminal: played where a terminal can move its cursor, else printed
 * once as a grid of tokens over the passes that committed them, and one line a pass.
 */
final class FillPlayer {

  /** Signs of a token that is still masked. */
  private static final String MASK = "░";

  private static final String RESET = "\u001b[0m";

  /**
   * Cividis in the 256 colours that terminals have, dark first; white is legible on the first 3.
   */
  private static final int[] RAMP = {17, 60, 102, 144, 186, 227};

  private static final int DARK_COLOURS = 3;
  private static final int BAR = 24;

  /**
   * What a terminal can do.
   *
   * @param columns characters in a line, at least 20
   * @param rows lines in its window
   * @param colour whether colours may be sent
   * @param moves whether the cursor can be moved, so that passes are played
   */
  record Screen(int columns, int rows, Colour colour, Moves moves) {

    /** Whether colours may be sent. */
    enum Colour {
      /** The 256 colours. */
      YES,
      /** Asked not to ({@code NO_COLOR}), or the terminal has none. */
      NO
    }

    /** Whether passes are played. */
    enum Moves {
      /** The cursor can be moved. */
      YES,
      /** Not a terminal, or a dumb one. */
      NO
    }

    Screen {
      columns = Math.max(20, columns);
    }
  }

  private final FillOrder order;
  private final Screen screen;

  FillPlayer(FillOrder order, Screen screen) {
    this.order = order;
    this.screen = screen;
  }

  /** Plays or prints, then returns. */
  void show(PrintStream out, Duration delay) {
    out.println(order.task() + "  sample " + order.sample());
    if (screen.moves == Screen.Moves.YES) {
      play(out, delay);
    } else {
      grid().forEach(out::println);
      for (int pass = 0; pass < order.passes().size(); pass++) {
        out.println(order.line(pass));
      }
    }
  }

  private void play(PrintStream out, Duration delay) {
    int height = 0;
    for (int pass = 0; pass < order.passes().size(); pass++) {
      if (pass > 0) {
        LockSupport.parkNanos(delay.toNanos());
      }
      List<String> frame = frame(pass);
      int fits = Math.max(4, screen.rows - 2);
      if (frame.size() > fits) {
        int hidden = frame.size() - fits + 1;
        frame = new ArrayList<>(frame.subList(0, fits - 1));
        frame.add("... %d more lines; make the window higher".formatted(hidden));
      }
      StringBuilder text = new StringBuilder();
      if (height > 0) {
        text.append("\u001b[").append(height).append("A\r\u001b[J"); // up, and clear what is below
      }
      frame.forEach(line -> text.append(line).append('\n'));
      out.print(text);
      out.flush();
      height = frame.size();
    }
  }

  /** The lines as they are after a pass. */
  List<String> frame(int pass) {
    List<String> lines = new ArrayList<>();
    lines.add(clip(order.line(pass)));
    for (FillOrder.Block block : order.blocks()) {
      lines.add(heading(block, pass));
      Flow flow = new Flow(screen.columns);
      for (FillOrder.Token token : tokens(block)) {
        String shown = shown(token);
        int width = width(shown);
        if (token.pass() > pass) {
          flow.add(MASK.repeat(width), width, token.endsLine());
        } else {
          flow.add(coloured(shown, colours(block, token, pass)), width, token.endsLine());
        }
      }
      lines.addAll(flow.lines());
    }
    return lines;
  }

  /** All tokens, coloured by pass; without colours, over the number of their pass. */
  List<String> grid() {
    List<String> lines = new ArrayList<>();
    int last = order.passes().size() - 1;
    for (FillOrder.Block block : order.blocks()) {
      lines.add(heading(block, last));
      Flow flow = new Flow(screen.columns);
      Flow numbers = new Flow(screen.columns);
      for (FillOrder.Token token : tokens(block)) {
        String shown = shown(token);
        String number = token.pass() < 0 ? "" : String.valueOf(token.pass() + 1);
        int width = Math.max(width(shown), number.length() + 1);
        flow.add(shown + " ".repeat(width - width(shown)), width, token.endsLine());
        numbers.add(number + " ".repeat(width - number.length()), width, token.endsLine());
      }
      for (int i = 0; i < flow.lines().size(); i++) {
        lines.add(flow.lines().get(i).stripTrailing());
        lines.add(coloured(numbers.lines().get(i).stripTrailing(), "2"));
      }
    }
    return lines;
  }

  private List<FillOrder.Token> tokens(FillOrder.Block block) {
    return order.tokens().subList(block.start(), block.start() + block.length());
  }

  private String heading(FillOrder.Block block, int pass) {
    int filled = order.filled(block, pass);
    int full = BAR * filled / Math.max(1, block.length());
    String text =
        String.format(
            Locale.ROOT,
            "%s %s%s %d of %d",
            block.name(),
            "█".repeat(full),
            "·".repeat(BAR - full),
            filled,
            block.length());
    return coloured(clip(text), hue(block) + ";1");
  }

  /** What the pass committed stands out, earlier tokens show by their colour how early. */
  private String colours(FillOrder.Block block, FillOrder.Token token, int pass) {
    if (token.pass() == pass) {
      return hue(block) + ";7";
    }
    int last = Math.max(1, order.passes().size() - 1);
    int step = Math.max(0, token.pass()) * (RAMP.length - 1) / last;
    return "48;5;%d;38;5;%d".formatted(RAMP[step], step < DARK_COLOURS ? 15 : 16);
  }

  private static String hue(FillOrder.Block block) {
    return switch (block.name()) {
      case "R" -> "33"; // yellow
      case "A" -> "36"; // cyan
      default -> "35";
    };
  }

  private String coloured(String text, String colours) {
    return screen.colour == Screen.Colour.YES ? "\u001b[" + colours + "m" + text + RESET : text;
  }

  private String shown(FillOrder.Token token) {
    String shown = token.shown().isEmpty() ? "·" : token.shown();
    return width(shown) > screen.columns ? shown.substring(0, screen.columns - 1) : shown;
  }

  private String clip(String text) {
    return text.length() > screen.columns ? text.substring(0, screen.columns) : text;
  }

  private static int width(String text) {
    return text.codePoints().map(point -> Math.max(0, WCWidth.wcwidth(point))).sum();
  }

  /** Pieces one after the other, in lines of a window's width. */
  private static final class Flow {

    private final int columns;
    private final List<StringBuilder> lines = new ArrayList<>(List.of(new StringBuilder()));
    private int used;

    Flow(int columns) {
      this.columns = columns;
    }

    void add(String piece, int width, boolean endsLine) {
      if (used + width > columns && used > 0) {
        next();
      }
      lines.get(lines.size() - 1).append(piece);
      used += width;
      if (endsLine) {
        next();
      }
    }

    private void next() {
      lines.add(new StringBuilder());
      used = 0;
    }

    List<String> lines() {
      return lines.stream().map(StringBuilder::toString).toList();
    }
  }
}
