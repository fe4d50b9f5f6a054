package ai.lockstep.jobs.report;

import static org.assertj.core.api.Assertions.assertThat;

import ai.lockstep.jobs.report.FillOrder.Block;
import ai.lockstep.jobs.report.FillOrder.Pass;
import ai.lockstep.jobs.report.FillOrder.Token;
import ai.lockstep.jobs.report.FillPlayer.Screen;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.metadata.IIOMetadataNode;
import javax.imageio.stream.ImageInputStream;
import org.junit.jupiter.api.Test;

/** One small sample on its ways to the eye. */
class FillOrderTest {

  private static final FillOrder ORDER =
      new FillOrder(
          "Starter/7",
          0,
          List.of(
              new Token("[R]", FillOrder.FROM_THE_START, false, -1),
              new Token("add", 0, false, 0),
              new Token(" both", 2, true, 0),
              new Token("[A]", FillOrder.FROM_THE_START, false, -1),
              new Token("return", 1, false, 1),
              new Token(" a+b\n", 3, false, 1),
              new Token("<|endoftext|>", 1, false, 1)),
          List.of(new Block("R", 1, 2), new Block("A", 4, 3)),
          List.of(
              new Pass("R", 1, 0), new Pass("A", 1, 0), new Pass("R", 1, 1), new Pass("A", 1, 0)));

  private static Screen screen(Screen.Colour colour, Screen.Moves moves) {
    return new Screen(40, 24, colour, moves);
  }

  private static String shown(Screen screen) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    new FillPlayer(ORDER, screen)
        .show(new PrintStream(out, true, StandardCharsets.UTF_8), Duration.ZERO);
    return out.toString(StandardCharsets.UTF_8);
  }

  @Test
  void withoutATerminalTheTokensStandOverTheirPasses() {
    assertThat(shown(screen(Screen.Colour.NO, Screen.Moves.NO)))
        .isEqualTo(
            """
            Starter/7  sample 0
            R ████████████████████████ 2 of 2
            add both
            1  3
            A ████████████████████████ 3 of 3
            return a+b↵
            2     4
            ·
            2
            pass 1 of 4  R  1 token
            pass 2 of 4  A  1 token
            pass 3 of 4  R  1 token, 1 forced
            pass 4 of 4  A  1 token
            """);
  }

  @Test
  void aPassShowsWhatIsStillMasked() {
    FillPlayer player = new FillPlayer(ORDER, screen(Screen.Colour.NO, Screen.Moves.YES));

    assertThat(player.frame(1))
        .containsExactly(
            "pass 2 of 4  A  1 token",
            "R ████████████············ 1 of 2",
            "add░░░░░",
            "A ████████████████········ 2 of 3",
            "return░░░░░",
            "·");
  }

  @Test
  void noColourSendsNone() {
    assertThat(shown(screen(Screen.Colour.NO, Screen.Moves.YES)))
        .doesNotContain("\u001b[3", "\u001b[4");
    assertThat(shown(screen(Screen.Colour.YES, Screen.Moves.YES))).contains("\u001b[33;7madd");
  }

  @Test
  void noLineIsLongerThanTheWindow() {
    FillPlayer player =
        new FillPlayer(ORDER, new Screen(20, 24, Screen.Colour.NO, Screen.Moves.NO));

    assertThat(player.grid()).allMatch(line -> line.length() <= 20);
  }

  @Test
  void theGifHasAFrameForEachPassAndGoesRound() throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    FillDrawing drawing = new FillDrawing(ORDER);
    FillGif.write(ORDER, drawing, out);

    ImageReader reader = ImageIO.getImageReadersByFormatName("gif").next();
    try (ImageInputStream in =
        ImageIO.createImageInputStream(new ByteArrayInputStream(out.toByteArray()))) {
      reader.setInput(in);
      assertThat(reader.getNumImages(true)).isEqualTo(4);
      assertThat(reader.getWidth(0)).isEqualTo(drawing.after(0).getWidth());
      assertThat(reader.read(0).getRGB(0, 0) & 0xFFFFFF).isEqualTo(0xFCFBF8); // the paper
      // Later frames hold what changed: text of the step counter, and one token.
      assertThat(reader.getHeight(1)).isLessThan(reader.getHeight(0));
      assertThat(node(reader, 0, "ApplicationExtension").getAttribute("applicationID"))
          .isEqualTo("NETSCAPE");
      assertThat(node(reader, 0, "GraphicControlExtension").getAttribute("delayTime"))
          .isEqualTo("35");
      assertThat(node(reader, 3, "GraphicControlExtension").getAttribute("delayTime"))
          .isEqualTo("300");
    } finally {
      reader.dispose();
    }
  }

  private static IIOMetadataNode node(ImageReader reader, int image, String name)
      throws IOException {
    IIOMetadataNode root =
        (IIOMetadataNode) reader.getImageMetadata(image).getAsTree("javax_imageio_gif_image_1.0");
    return (IIOMetadataNode) root.getElementsByTagName(name).item(0);
  }

  @Test
  void theHeatmapGoesFromDarkToBrightWithThePasses() {
    BufferedImage heatmap = new FillDrawing(ORDER).heatmap();

    Set<Integer> colours = new HashSet<>();
    for (int y = 0; y < heatmap.getHeight(); y++) {
      for (int x = 0; x < heatmap.getWidth(); x++) {
        colours.add(heatmap.getRGB(x, y) & 0xFFFFFF);
      }
    }
    assertThat(colours).contains(0x002051, 0xFDEA45); // both ends of cividis
  }
}
