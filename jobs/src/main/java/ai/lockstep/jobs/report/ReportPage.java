package ai.lockstep.jobs.report;

import ai.lockstep.jobs.run.PackagedFile;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.zip.GZIPOutputStream;

/**
 * The report as one HTML file that needs no network. Data and chart scripts lie in it as gzip in
 * base64, which the browser unpacks ({@code DecompressionStream}): a quarter of their size.
 */
final class ReportPage {

  private ReportPage() {}

  /**
   * The file.
   *
   * @param data what is shown
   * @param summary for readers without scripts
   */
  static byte[] of(ObjectNode data, String summary) throws IOException {
    String title = "%s · %s".formatted(data.path("dataset").asText(), data.path("run").asText());
    return text("page.html")
        .replace("{{title}}", escaped(title))
        .replace("{{summary}}", escaped(summary))
        .replace("{{style}}", text("page.css"))
        .replace("{{script}}", text("page.js"))
        .replace("{{vega}}", Scripts.VEGA)
        .replace("{{data}}", packed(new ObjectMapper().writeValueAsBytes(data)))
        .getBytes(StandardCharsets.UTF_8);
  }

  /** The same in every report: packed once. */
  private static final class Scripts {
    static final String VEGA =
        packed(
            String.join(
                    "\n;\n",
                    text("vega.min.js"),
                    text("vega-lite.min.js"),
                    text("vega-embed.min.js"))
                .getBytes(StandardCharsets.UTF_8));
  }

  private static String text(String file) {
    return PackagedFile.text(ReportPage.class, file);
  }

  private static String packed(byte[] bytes) {
    ByteArrayOutputStream packed = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(packed)) {
      gzip.write(bytes);
    } catch (IOException e) {
      throw new UncheckedIOException("Memory cannot fail to be written", e);
    }
    return Base64.getEncoder().encodeToString(packed.toByteArray());
  }

  private static String escaped(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
  }
}
