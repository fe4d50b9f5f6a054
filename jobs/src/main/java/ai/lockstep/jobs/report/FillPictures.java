package ai.lockstep.jobs.report;

import ai.lockstep.jobs.config.VizConfig;
import ai.lockstep.jobs.run.WholeFile;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import javax.imageio.ImageIO;
import org.apache.hadoop.conf.Configuration;

/** Writes how samples were filled: {@code viz/CONFIG/TASK.SAMPLE.gif} and {@code .png}. */
final class FillPictures {

  static {
    // Pictures are only written; a display is neither needed nor looked for.
    System.setProperty("java.awt.headless", "true");
    ImageIO.setUseCache(false);
  }

  private FillPictures() {}

  /**
   * Draws what {@code viz.gif} asks for.
   *
   * @return the files written, in their order
   */
  static List<String> write(Samples samples, VizConfig viz, String location, Configuration hadoop) {
    List<String> written = new ArrayList<>();
    for (Samples.Sample sample : samples.samples()) {
      Optional<FillOrder> filled =
          written.size() / 2 < viz.gifSamples() && wanted(sample, viz.gif())
              ? sample.fillOrder(samples.texts())
              : Optional.empty();
      if (filled.isPresent()) {
        FillOrder order = filled.get();
        FillDrawing drawing = new FillDrawing(order);
        String name =
            "%s/%s/%s/%s.%d"
                .formatted(
                    location,
                    ReportStage.PICTURES,
                    sample.configId(),
                    order.task().replaceAll("[^A-Za-z0-9._-]", "_"),
                    order.sample());
        WholeFile.write(name + ".gif", hadoop, out -> FillGif.write(order, drawing, out));
        WholeFile.write(name + ".png", hadoop, out -> ImageIO.write(drawing.heatmap(), "png", out));
        written.add(name + ".gif");
        written.add(name + ".png");
      }
    }
    return written;
  }

  private static boolean wanted(Samples.Sample sample, VizConfig.Gif gif) {
    return switch (gif) {
      case NONE -> false;
      case FIRST -> sample.index() == 0;
      case FAILED -> sample.passed().filter(passed -> !passed).isPresent();
      case ALL -> true;
    };
  }
}
