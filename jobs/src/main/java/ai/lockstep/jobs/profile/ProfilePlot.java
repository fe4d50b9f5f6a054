package ai.lockstep.jobs.profile;

import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.OutputStream;
import java.util.List;
import java.util.function.ToDoubleFunction;
import javax.imageio.ImageIO;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.CategoryChartBuilder;
import org.knowm.xchart.style.Styler;

/** The parts of each configuration's time as stacked bars, and its speed beside them, as a PNG. */
public final class ProfilePlot {

  private static final int WIDTH = 640;
  private static final int HEIGHT = 480;

  private ProfilePlot() {}

  /** Writes the picture. */
  public static void write(List<ConfigurationProfile> profiles, OutputStream out)
      throws IOException {
    CategoryChart parts = chart("Time by part", "seconds");
    parts.getStyler().setStacked(true);
    series(parts, "model", profiles, ConfigurationProfile::modelSeconds);
    series(parts, "Java", profiles, ConfigurationProfile::javaSeconds);
    series(parts, "waiting", profiles, ConfigurationProfile::waitingSeconds);
    series(parts, "scoring", profiles, ConfigurationProfile::scoringSeconds);
    CategoryChart speed = chart("Speed", "tokens/s");
    speed.getStyler().setLegendVisible(false);
    series(speed, "tokens/s", profiles, profile -> profile.tokensPerSecond().orElse(0.0));
    BufferedImage image = new BufferedImage(2 * WIDTH, HEIGHT, BufferedImage.TYPE_INT_RGB);
    Graphics2D canvas = image.createGraphics();
    canvas.drawImage(BitmapEncoder.getBufferedImage(parts), 0, 0, null);
    canvas.drawImage(BitmapEncoder.getBufferedImage(speed), WIDTH, 0, null);
    canvas.dispose();
    ImageIO.write(image, "png", out);
  }

  private static CategoryChart chart(String title, String unit) {
    CategoryChart chart =
        new CategoryChartBuilder()
            .width(WIDTH)
            .height(HEIGHT)
            .title(title)
            .yAxisTitle(unit)
            .build();
    chart.getStyler().setLegendPosition(Styler.LegendPosition.OutsideS);
    chart.getStyler().setLegendLayout(Styler.LegendLayout.Horizontal);
    chart.getStyler().setXAxisLabelRotation(30);
    return chart;
  }

  private static void series(
      CategoryChart chart,
      String name,
      List<ConfigurationProfile> profiles,
      ToDoubleFunction<ConfigurationProfile> value) {
    chart.addSeries(
        name,
        profiles.stream().map(ConfigurationProfile::label).toList(),
        profiles.stream().mapToDouble(value).boxed().toList());
  }
}
