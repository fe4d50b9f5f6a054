package ai.lockstep.jobs.wandb;

import static java.nio.charset.StandardCharsets.UTF_8;

import ai.lockstep.jobs.tracking.TableData;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Optional;
import javax.imageio.ImageIO;

/**
 * A table, picture, animation or page: a file under {@code files/media}, and the value that stands
 * for it in history.
 *
 * @param path under {@code files}
 * @param value names the file, with its digest and size
 * @param content the file's bytes
 */
record MediaFile(String path, ObjectNode value, byte[] content) {

  /** Digits of the digest that W&amp;B puts into a file's name. */
  private static final int NAME_DIGITS = 20;

  /**
   * A table.
   *
   * @param rows each an array as long as {@code columns}
   * @param step of the history row that gets it
   */
  static MediaFile table(String key, TableData table, long step) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    table.columns().forEach(json.putArray("columns")::add);
    json.putArray("data").addAll(table.rows());
    MediaFile file =
        of("table", "table-file", key, step, "table.json", WandbJson.text(json).getBytes(UTF_8));
    file.value.put("ncols", table.columns().size()).put("nrows", table.rows().size());
    return file;
  }

  /** A file that W&amp;B can show, by the end of its name; empty for any other. */
  static Optional<MediaFile> shown(String name, long step, byte[] content) throws IOException {
    int dot = name.lastIndexOf('.');
    String key = dot < 0 ? name : name.substring(0, dot);
    String format = name.substring(dot + 1).toLowerCase(Locale.ROOT);
    return switch (format) {
      case "png", "jpg", "jpeg" ->
          Optional.of(measured(of("images", "image-file", key, step, format, content), format));
      case "gif" ->
          Optional.of(measured(of("videos", "video-file", key, step, format, content), format));
      case "html" -> Optional.of(of("html", "html-file", key, step, format, content));
      default -> Optional.empty();
    };
  }

  private static MediaFile measured(MediaFile file, String format) throws IOException {
    BufferedImage image = ImageIO.read(new ByteArrayInputStream(file.content));
    if (image == null) {
      throw new IOException("%s is no picture".formatted(file.path));
    }
    file.value
        .put("format", format)
        .put("width", image.getWidth())
        .put("height", image.getHeight());
    return file;
  }

  private static MediaFile of(
      String folder, String type, String key, long step, String end, byte[] content) {
    String digest = sha256(content);
    String path =
        "media/%s/%s_%d_%s.%s".formatted(folder, key, step, digest.substring(0, NAME_DIGITS), end);
    ObjectNode value =
        JsonNodeFactory.instance
            .objectNode()
            .put("_type", type)
            .put("sha256", digest)
            .put("size", content.length)
            .put("path", path);
    return new MediaFile(path, value, content);
  }

  private static String sha256(byte[] content) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every JDK has SHA-256", e);
    }
  }
}
