package ai.lockstep.jobs.profile;

import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;
import javax.imageio.ImageIO;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.CategoryChartBuilder;
import org.knowm.xchart.style.CategoryStyler;
import org.knowm.xchart.style.Styler;

/**
 * The parts of each configuration's time as stacked bars, its speed beside them, and with GPUs in
 * the driver's machine their use, as a PNG.
 */
public final class ProfilePlot {

  private static final int WIDTH = 640;
  private static final int HEIGHT = 480;

  private static final Color PAPER = new Color(0xFCFBF8);
  private static final Color INK = new Color(0x1D1C1A);
  private static final Color RULE = new Color(0xDEDAD0);
  // Of the report: blue, orange, grey and violet that all eyes tell apart by lightness too.
  private static final Color MODEL = new Color(0x1F6AA8);
  private static final Color JAVA = new Color(0xD98A1F);
  private static final Color WAITING = new Color(0xCFCABD);
  private static final Color SCORING = new Color(0x5B5E8C);

  private ProfilePlot() {}

  /** Writes the picture. */
  public static void write(List<ConfigurationProfile> profiles, OutputStream out)
      throws IOException {
    CategoryChart parts = chart("Seconds by part", "s", MODEL, JAVA, WAITING, SCORING);
    parts.getStyler().setStacked(true);
    parts.getStyler().setLegendVisible(true);
    series(parts, "model", profiles, ConfigurationProfile::modelSeconds);
    series(parts, "Java", profiles, ConfigurationProfile::javaSeconds);
    series(parts, "waiting", profiles, ConfigurationProfile::waitingSeconds);
    series(parts, "scoring", profiles, ConfigurationProfile::scoringSeconds);
    CategoryChart speed = chart("Speed", "tokens/s", MODEL);
    series(speed, "tokens/s", profiles, profile -> profile.tokensPerSecond().orElse(0.0));
    List<CategoryChart> charts = new ArrayList<>(List.of(parts, speed));
    if (profiles.stream().anyMatch(profile -> profile.gpuPercent().isPresent())) {
      CategoryChart gpus = chart("GPU use while decoding, mean", "%", MODEL);
      gpus.getStyler().setYAxisMax(100.0);
      series(gpus, "%", profiles, profile -> profile.gpuPercent().orElse(0.0));
      charts.add(gpus);
    }

    BufferedImage image =
        new BufferedImage(charts.size() * WIDTH, HEIGHT, BufferedImage.TYPE_INT_RGB);
    Graphics2D canvas = image.createGraphics();
    for (int i = 0; i < charts.size(); i++) {
      canvas.drawImage(BitmapEncoder.getBufferedImage(charts.get(i)), i * WIDTH, 0, null);
    }
    canvas.dispose();
    ImageIO.write(image, "png", out);
  }

  private static CategoryChart chart(String title, String unit, Color... colours) {
    CategoryChart chart =
        new CategoryChartBuilder()
            .width(WIDTH)
            .height(HEIGHT)
            .title(title)
            .yAxisTitle(unit)
            .build();
    Font plain = new Font(Font.SANS_SERIF, Font.PLAIN, 12);
    CategoryStyler styler = chart.getStyler();
    styler.setSeriesColors(colours);
    styler.setChartBackgroundColor(PAPER);
    styler.setPlotBackgroundColor(PAPER);
    styler.setChartFontColor(INK);
    styler.setPlotGridLinesColor(RULE);
    styler.setPlotGridVerticalLinesVisible(false);
    styler.setPlotBorderVisible(false);
    styler.setAxisTicksLineVisible(false);
    styler.setChartTitleFont(plain.deriveFont(Font.BOLD, 14f));
    styler.setAxisTickLabelsFont(plain);
    styler.setAxisTitleFont(plain);
    styler.setLegendFont(plain);
    styler.setLegendVisible(false);
    styler.setLegendPosition(Styler.LegendPosition.OutsideS);
    styler.setLegendLayout(Styler.LegendLayout.Horizontal);
    styler.setLegendBackgroundColor(PAPER);
    styler.setLegendBorderColor(PAPER);
    styler.setXAxisLabelRotation(20);
    styler.setYAxisMin(0.0);
    styler.setAvailableSpaceFill(0.6);
    return chart;
  }

  private static void series(
      CategoryChart chart,
      String name,
      List<ConfigurationProfile> profiles,
      ToDoubleFunction<ConfigurationProfile> value) {
    chart.addSeries(name, labels(profiles), profiles.stream().mapToDouble(value).boxed().toList());
  }

  /**
   * Keys without the groups they stand in, {@code steps=5} of {@code model.generation.steps=5},
   * where that is clear.
   */
  private static List<String> labels(List<ConfigurationProfile> profiles) {
    List<String> labels = profiles.stream().map(ConfigurationProfile::label).toList();
    List<String> keys =
        labels.stream()
            .map(label -> label.replaceAll("(^| )(?:[\\w-]+\\.)+(?=[\\w-]+=)", "$1"))
            .toList();
    return keys.stream().distinct().count() == keys.size() ? keys : labels;
  }
}
