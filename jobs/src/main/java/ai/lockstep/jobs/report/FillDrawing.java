package ai.lockstep.jobs.report;

import ai.lockstep.failure.LockstepException;
import ai.lockstep.jobs.run.PackagedFile;
import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.FontFormatException;
import java.awt.FontMetrics;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * A sample's tokens as boxes that flow like text, block by block: laid out once, then painted as it
 * stands after a pass ({@link #after}) or coloured by pass ({@link #heatmap}). The font comes
 * along; of the machine's fonts none is needed.
 */
final class FillDrawing {

  private static final int WIDTH = 900;
  private static final int MARGIN = 24;
  private static final int BAR = 4; // the coloured line left of a block
  private static final int LINE = 26;
  private static final int BOX = 22;
  private static final int GAP = 2;

  private static final String SIGNS = "dashed: forced    · end token";
  private static final int SIGNS_WIDTH = 210;

  private static final Color PAPER = new Color(0xFCFBF8);
  private static final Color INK = new Color(0x1D1C1A);
  private static final Color QUIET = new Color(0x625E56);
  private static final Color MASK = new Color(0xE6E2D9);
  // Okabe and Ito's orange and blue, darkened until white is legible on them.
  private static final Color R = new Color(0xA8660B);
  private static final Color A = new Color(0x1F6AA8);
  private static final Color OTHER = new Color(0x5B5E8C);

  /** Cividis at five points: even in lightness, for all eyes (Nunez, Anderton, Renslow 2018). */
  private static final int[][] CIVIDIS = {
    {0, 32, 81}, {60, 77, 110}, {127, 124, 117}, {187, 175, 113}, {253, 234, 69}
  };

  private record Box(FillOrder.Token token, int block, int x, int y, int width) {}

  private final FillOrder order;
  private final Font font;
  private final Font small;
  private final List<Box> boxes = new ArrayList<>();
  private final List<Integer> headings = new ArrayList<>(); // y of each block's heading
  private final int height;

  /**
   * Lays out a sample.
   *
   * @throws LockstepException (environment) when this Java cannot draw text
   */
  FillDrawing(FillOrder order) {
    this.order = order;
    try {
      Font face =
          Font.createFont(
              Font.TRUETYPE_FONT,
              new ByteArrayInputStream(
                  PackagedFile.bytes(FillDrawing.class, "JetBrainsMono-Regular.ttf")));
      font = face.deriveFont(14f);
      small = face.deriveFont(12f);
      height = layOut();
    } catch (FontFormatException
        | IOException
        | RuntimeException
        | LinkageError
        | InternalError e) {
      // Without fontconfig the JDK fails with a null pointer or an InternalError, deep inside.
      throw cannotDraw(e);
    }
  }

  private static LockstepException cannotDraw(Throwable e) {
    return LockstepException.environment(
        "Cannot draw text: this Java finds no fontconfig (%s). Install it (Debian: apt-get install libfontconfig1 libfreetype6 fontconfig-config) or set viz.gif=none."
            .formatted(e.getClass().getSimpleName()),
        e);
  }

  private int layOut() {
    Graphics2D graphics = new BufferedImage(1, 1, BufferedImage.TYPE_INT_RGB).createGraphics();
    FontMetrics metrics = graphics.getFontMetrics(font);
    int y = MARGIN + 3 * LINE;
    for (int number = 0; number < order.blocks().size(); number++) {
      FillOrder.Block block = order.blocks().get(number);
      headings.add(y);
      y += LINE;
      int left = MARGIN + BAR + 10;
      int x = left;
      for (int i = block.start(); i < block.start() + block.length(); i++) {
        FillOrder.Token token = order.tokens().get(i);
        int width =
            Math.min(WIDTH - left - MARGIN, Math.max(12, metrics.stringWidth(drawn(token)) + 6));
        if (x + width > WIDTH - MARGIN) {
          x = left;
          y += LINE;
        }
        boxes.add(new Box(token, number, x, y, width));
        x += width + GAP;
        if (token.endsLine()) {
          x = left;
          y += LINE;
        }
      }
      y += LINE + 14;
    }
    graphics.dispose();
    return y + MARGIN;
  }

  /** A token's text in signs that the font has. */
  private String drawn(FillOrder.Token token) {
    StringBuilder drawn = new StringBuilder();
    token
        .shown()
        .codePoints()
        .map(sign -> font.canDisplay(sign) ? sign : sign == '↵' ? '¶' : '?')
        .forEach(drawn::appendCodePoint);
    return drawn.toString();
  }

  /** The sample as it stands after a pass; what that pass committed is filled with colour. */
  BufferedImage after(int pass) {
    BufferedImage image = new BufferedImage(WIDTH, height, BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = begin(image);
    text(graphics, font, INK, order.line(pass), MARGIN, MARGIN + LINE + 12);
    text(graphics, small, QUIET, SIGNS, WIDTH - MARGIN - SIGNS_WIDTH, MARGIN + LINE + 12);
    progress(graphics, pass);
    for (Box box : boxes) {
      Color colour = colour(box.block);
      if (box.token.pass() > pass) {
        fill(graphics, box, MASK);
      } else if (box.token.pass() == pass) {
        fill(graphics, box, colour);
        label(graphics, box, Color.WHITE);
      } else {
        fill(graphics, box, tint(colour));
        label(graphics, box, INK);
      }
      if (box.token.forced() && box.token.pass() <= pass) {
        forced(graphics, box, box.token.pass() == pass ? Color.WHITE : colour);
      }
    }
    graphics.dispose();
    return image;
  }

  /** All tokens, coloured by the pass that committed them. */
  BufferedImage heatmap() {
    int last = order.passes().size() - 1;
    BufferedImage image = new BufferedImage(WIDTH, height, BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = begin(image);
    int y = MARGIN + LINE + 12;
    text(graphics, small, QUIET, "pass 1", MARGIN, y);
    for (int x = 0; x < 200; x++) {
      graphics.setColor(ramp(x / 199.0));
      graphics.fillRect(MARGIN + 60 + x, y - 11, 1, 12);
    }
    text(graphics, small, QUIET, "pass %d    %s".formatted(last + 1, SIGNS), MARGIN + 272, y);
    progress(graphics, last);
    for (Box box : boxes) {
      Color colour = ramp(last > 0 ? Math.max(0, box.token.pass()) / (double) last : 0);
      fill(graphics, box, colour);
      Color ink = bright(colour) ? INK : Color.WHITE;
      label(graphics, box, ink);
      if (box.token.forced()) {
        forced(graphics, box, ink);
      }
    }
    graphics.dispose();
    return image;
  }

  private Graphics2D begin(BufferedImage image) {
    Graphics2D graphics = image.createGraphics();
    graphics.setRenderingHint(
        RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
    graphics.setColor(PAPER);
    graphics.fillRect(0, 0, image.getWidth(), image.getHeight());
    text(
        graphics,
        font,
        INK,
        "%s  sample %d".formatted(order.task(), order.sample()),
        MARGIN,
        MARGIN + 12);
    return graphics;
  }

  /** Each block's name, line and how full it is. */
  private void progress(Graphics2D graphics, int pass) {
    for (int number = 0; number < headings.size(); number++) {
      FillOrder.Block block = order.blocks().get(number);
      int y = headings.get(number);
      int end = number + 1 < headings.size() ? headings.get(number + 1) - 14 : height - MARGIN - 14;
      int filled = order.filled(block, pass);
      graphics.setColor(colour(number));
      graphics.fillRect(MARGIN, y, BAR, end - y);
      text(
          graphics,
          small,
          QUIET,
          "block %s  %d of %d".formatted(block.name(), filled, block.length()),
          MARGIN + BAR + 10,
          y + 14);
      int x = MARGIN + BAR + 190;
      graphics.setColor(MASK);
      graphics.fillRect(x, y + 5, 200, 8);
      graphics.setColor(colour(number));
      graphics.fillRect(x, y + 5, 200 * filled / Math.max(1, block.length()), 8);
    }
  }

  private Color colour(int number) {
    return switch (order.blocks().get(number).name()) {
      case "R" -> R;
      case "A" -> A;
      default -> OTHER;
    };
  }

  /** Four parts of paper to one of colour. */
  private static Color tint(Color colour) {
    return new Color(
        (4 * PAPER.getRed() + colour.getRed()) / 5,
        (4 * PAPER.getGreen() + colour.getGreen()) / 5,
        (4 * PAPER.getBlue() + colour.getBlue()) / 5);
  }

  private static Color ramp(double share) {
    double place = share * (CIVIDIS.length - 1);
    int i = Math.min(CIVIDIS.length - 2, (int) place);
    int[] rgb = new int[3];
    for (int k = 0; k < 3; k++) {
      rgb[k] = (int) Math.round(CIVIDIS[i][k] + (place - i) * (CIVIDIS[i + 1][k] - CIVIDIS[i][k]));
    }
    return new Color(rgb[0], rgb[1], rgb[2]);
  }

  private static boolean bright(Color colour) {
    return 0.3 * colour.getRed() + 0.59 * colour.getGreen() + 0.11 * colour.getBlue() > 118;
  }

  private static void fill(Graphics2D graphics, Box box, Color colour) {
    graphics.setColor(colour);
    graphics.fillRect(box.x, box.y, box.width, BOX);
  }

  private void label(Graphics2D graphics, Box box, Color colour) {
    graphics.setClip(box.x, box.y, box.width, BOX);
    text(graphics, font, colour, drawn(box.token), box.x + 3, box.y + 16);
    graphics.setClip(null);
  }

  private static void forced(Graphics2D graphics, Box box, Color colour) {
    graphics.setColor(colour);
    graphics.setStroke(
        new BasicStroke(
            2, BasicStroke.CAP_BUTT, BasicStroke.JOIN_MITER, 10, new float[] {4, 3}, 0));
    graphics.drawLine(box.x + 2, box.y + BOX - 2, box.x + box.width - 2, box.y + BOX - 2);
  }

  private static void text(
      Graphics2D graphics, Font font, Color colour, String text, int x, int y) {
    graphics.setFont(font);
    graphics.setColor(colour);
    graphics.drawString(text, x, y);
  }
}
