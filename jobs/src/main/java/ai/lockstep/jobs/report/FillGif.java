package ai.lockstep.jobs.report;

import java.awt.Rectangle;
import java.awt.image.BufferedImage;
import java.awt.image.IndexColorModel;
import java.awt.image.WritableRaster;
import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageTypeSpecifier;
import javax.imageio.ImageWriter;
import javax.imageio.metadata.IIOMetadata;
import javax.imageio.metadata.IIOMetadataNode;
import javax.imageio.stream.ImageOutputStream;
import org.jspecify.annotations.Nullable;

/**
 * An animated GIF, one frame a pass, that starts again by itself. A frame holds only the rectangle
 * that changed; all frames share one palette.
 *
 * <p>Written by the JDK's own GIF writer; the names below are those of its metadata format
 * (javax.imageio, gif_metadata).
 */
final class FillGif {

  private static final String IMAGE = "javax_imageio_gif_image_1.0";
  private static final int COLOURS = 256;

  /** Hundredths of a second: a frame, and the last one. */
  private static final int DELAY = 35;

  private static final int LAST_DELAY = 300;

  private FillGif() {}

  /** Writes the animation; the stream stays open. */
  static void write(FillOrder order, FillDrawing drawing, OutputStream out) throws IOException {
    int frames = order.passes().size();
    IndexColorModel palette = palette(drawing, frames);
    Map<Integer, Integer> nearest = new HashMap<>();
    ImageWriter writer = ImageIO.getImageWritersByFormatName("gif").next();
    try (ImageOutputStream stream = ImageIO.createImageOutputStream(out)) {
      writer.setOutput(stream);
      writer.prepareWriteSequence(writer.getDefaultStreamMetadata(null));
      BufferedImage before = null;
      for (int pass = 0; pass < frames; pass++) {
        BufferedImage now = drawing.after(pass);
        Rectangle changed = changed(before, now);
        BufferedImage frame = indexed(now, changed, palette, nearest);
        writer.writeToSequence(
            new IIOImage(
                frame,
                null,
                metadata(writer, frame, changed, pass == frames - 1 ? LAST_DELAY : DELAY, pass)),
            null);
        before = now;
      }
      writer.endWriteSequence();
    } finally {
      writer.dispose();
    }
  }

  /** The most frequent colours of some frames from the first to the last. */
  private static IndexColorModel palette(FillDrawing drawing, int frames) {
    Map<Integer, Integer> counts = new HashMap<>();
    int step = Math.max(1, frames / 8);
    for (int pass = 0; pass < frames; pass += step) {
      BufferedImage image = drawing.after(pass);
      int[] pixels =
          image.getRGB(0, 0, image.getWidth(), image.getHeight(), null, 0, image.getWidth());
      for (int pixel : pixels) {
        counts.merge(pixel & 0xFFFFFF, 1, Integer::sum);
      }
    }
    List<Integer> colours = new ArrayList<>(counts.keySet());
    colours.sort(
        Comparator.<Integer>comparingInt(counts::get)
            .reversed()
            .thenComparing(Comparator.naturalOrder()));
    byte[][] channels = new byte[3][COLOURS];
    for (int i = 0; i < Math.min(COLOURS, colours.size()); i++) {
      channels[0][i] = (byte) (colours.get(i) >> 16);
      channels[1][i] = (byte) (colours.get(i) >> 8);
      channels[2][i] = (byte) (int) colours.get(i);
    }
    return new IndexColorModel(8, COLOURS, channels[0], channels[1], channels[2]);
  }

  /** The smallest rectangle with all pixels that differ; one pixel when none does. */
  private static Rectangle changed(@Nullable BufferedImage before, BufferedImage now) {
    if (before == null) {
      return new Rectangle(0, 0, now.getWidth(), now.getHeight());
    }
    int left = now.getWidth();
    int top = now.getHeight();
    int right = -1;
    int bottom = -1;
    for (int y = 0; y < now.getHeight(); y++) {
      for (int x = 0; x < now.getWidth(); x++) {
        if (before.getRGB(x, y) != now.getRGB(x, y)) {
          left = Math.min(left, x);
          right = Math.max(right, x);
          top = Math.min(top, y);
          bottom = y;
        }
      }
    }
    return right < 0
        ? new Rectangle(0, 0, 1, 1)
        : new Rectangle(left, top, right - left + 1, bottom - top + 1);
  }

  private static BufferedImage indexed(
      BufferedImage image, Rectangle part, IndexColorModel palette, Map<Integer, Integer> nearest) {
    BufferedImage indexed =
        new BufferedImage(part.width, part.height, BufferedImage.TYPE_BYTE_INDEXED, palette);
    WritableRaster raster = indexed.getRaster();
    for (int y = 0; y < part.height; y++) {
      for (int x = 0; x < part.width; x++) {
        int colour = image.getRGB(part.x + x, part.y + y) & 0xFFFFFF;
        raster.setSample(
            x, y, 0, nearest.computeIfAbsent(colour, wanted -> nearest(palette, wanted)));
      }
    }
    return indexed;
  }

  private static int nearest(IndexColorModel palette, int colour) {
    int best = 0;
    int smallest = Integer.MAX_VALUE;
    for (int i = 0; i < COLOURS; i++) {
      int red = palette.getRed(i) - (colour >> 16 & 0xFF);
      int green = palette.getGreen(i) - (colour >> 8 & 0xFF);
      int blue = palette.getBlue(i) - (colour & 0xFF);
      int distance = red * red + green * green + blue * blue;
      if (distance < smallest) {
        smallest = distance;
        best = i;
      }
    }
    return best;
  }

  private static IIOMetadata metadata(
      ImageWriter writer, BufferedImage frame, Rectangle place, int delay, int number)
      throws IOException {
    IIOMetadata metadata =
        writer.getDefaultImageMetadata(
            // Not createFromRenderedImage: it forgets the palette of an indexed image.
            new ImageTypeSpecifier(frame), writer.getDefaultWriteParam());
    IIOMetadataNode root = (IIOMetadataNode) metadata.getAsTree(IMAGE);
    IIOMetadataNode descriptor = child(root, "ImageDescriptor");
    descriptor.setAttribute("imageLeftPosition", String.valueOf(place.x));
    descriptor.setAttribute("imageTopPosition", String.valueOf(place.y));
    IIOMetadataNode control = child(root, "GraphicControlExtension");
    control.setAttribute("disposalMethod", "doNotDispose");
    control.setAttribute("userInputFlag", "FALSE");
    control.setAttribute("transparentColorFlag", "FALSE");
    control.setAttribute("delayTime", String.valueOf(delay));
    control.setAttribute("transparentColorIndex", "0");
    if (number == 0) {
      IIOMetadataNode loop = new IIOMetadataNode("ApplicationExtension");
      loop.setAttribute("applicationID", "NETSCAPE");
      loop.setAttribute("authenticationCode", "2.0");
      loop.setUserObject(new byte[] {1, 0, 0}); // for ever
      child(root, "ApplicationExtensions").appendChild(loop);
    }
    metadata.setFromTree(IMAGE, root);
    return metadata;
  }

  private static IIOMetadataNode child(IIOMetadataNode root, String name) {
    for (int i = 0; i < root.getLength(); i++) {
      if (root.item(i).getNodeName().equals(name)) {
        return (IIOMetadataNode) root.item(i);
      }
    }
    IIOMetadataNode child = new IIOMetadataNode(name);
    root.appendChild(child);
    return child;
  }
}
