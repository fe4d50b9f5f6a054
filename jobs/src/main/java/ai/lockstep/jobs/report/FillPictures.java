package ai.lockstep.jobs.report;

import ai.lockstep.jobs.config.VizConfig;
import ai.lockstep.jobs.run.WholeFile;
import ai.lockstep.jobs.tables.Table;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;
import javax.imageio.ImageIO;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Row;

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
   * @param samples rows of samples.sql
   * @return the files written, in their order
   */
  static List<String> write(
      List<Row> samples,
      IntFunction<String> text,
      VizConfig viz,
      String location,
      Configuration hadoop) {
    List<String> written = new ArrayList<>();
    for (Row row : samples) {
      if (written.size() / 2 < viz.gifSamples() && wanted(row, viz.gif())) {
        FillOrder order = FillOrder.of(row, text);
        FillDrawing drawing = new FillDrawing(order);
        String name =
            "%s/%s/%s/%s.%d"
                .formatted(
                    location,
                    ReportStage.PICTURES,
                    row.<String>getAs(Table.PARTITION),
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

  private static boolean wanted(Row row, VizConfig.Gif gif) {
    if (row.getAs("passes") == null || row.getList(row.fieldIndex("passes")).isEmpty()) {
      return false;
    }
    return switch (gif) {
      case NONE -> false;
      case FIRST -> row.<Integer>getAs("sample_index") == 0;
      case FAILED -> Boolean.FALSE.equals(row.getAs("passed"));
      case ALL -> true;
    };
  }
}
