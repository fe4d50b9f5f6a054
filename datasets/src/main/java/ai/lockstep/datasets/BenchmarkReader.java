package ai.lockstep.datasets;

import ai.lockstep.failure.LockstepException;
import com.fasterxml.jackson.core.JsonProcessingException;
import java.io.BufferedInputStream;
import java.io.BufferedReader;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;

/**
 * Reads a benchmark in EvalPlus's format: JSON Lines in UTF-8, one task a line, blank lines
 * ignored, the whole gzipped or not. Which of the two is told by the first bytes, never by the
 * name.
 *
 * <p>The file is read once, as a stream, and hashed as it passes; in memory are the tasks and the
 * line at hand.
 */
final class BenchmarkReader {

  private static final int FIRST_GZIP_BYTE = 0x1f;
  private static final int SECOND_GZIP_BYTE = 0x8b;

  private final Suite suite;
  private final String name;
  private final String remedy;
  private final List<Task> tasks = new ArrayList<>();
  private final Map<String, Integer> lineOfTask = new HashMap<>();
  private int lineNumber;

  private BenchmarkReader(Suite suite, String name, String remedy) {
    this.suite = suite;
    this.name = name;
    this.remedy = remedy;
  }

  /**
   * Reads a file.
   *
   * @throws LockstepException of category user if there is no such file or it is not the benchmark,
   *     of category environment if the machine cannot read it
   */
  static Benchmark read(Suite suite, Path file) {
    String remedy =
        suite == Suite.STARTER
            ? "leave dataset.path out to use the suite that comes with lockstep"
            : "get the benchmark with `"
                + DatasetCatalog.fetchCommand(suite, Edition.FULL)
                + "` or set dataset.path to another file";
    BenchmarkReader reader = new BenchmarkReader(suite, file.toString(), remedy);

    if (!Files.isRegularFile(file)) {
      throw reader.unusable(Files.exists(file) ? "it is not a file" : "it does not exist");
    }

    try (InputStream in = Files.newInputStream(file)) {
      return reader.read(in);
    } catch (IOException e) {
      throw LockstepException.environment(
          "Cannot read " + file + ": " + e.getMessage() + "; check the disk and the permissions.",
          e);
    }
  }

  /** Reads a file that is bundled with this class. */
  static Benchmark readResource(Suite suite, String resource) {
    try (InputStream in = BenchmarkReader.class.getResourceAsStream(resource)) {
      if (in == null) {
        throw new IllegalStateException("not bundled: " + resource);
      }

      return new BenchmarkReader(suite, resource, "build lockstep again").read(in);
    } catch (IOException e) {
      throw new IllegalStateException("cannot read the bundled " + resource, e);
    }
  }

  private Benchmark read(InputStream stored) throws IOException {
    MessageDigest md5 = md5();
    BufferedInputStream bytes = new BufferedInputStream(new DigestInputStream(stored, md5));

    try {
      readTasks(isGzip(bytes) ? new GZIPInputStream(bytes) : bytes);
    } catch (EOFException e) {
      throw unusable("its gzip data ends too early, after " + lineNumber + " lines", e);
    } catch (ZipException e) {
      throw unusable("its gzip data is damaged after " + lineNumber + " lines", e);
    } catch (CharacterCodingException e) {
      throw unusable("it is not UTF-8 text after line " + lineNumber, e);
    }

    if (tasks.isEmpty()) {
      throw unusable("it holds no task");
    }

    // What may follow the gzip data is not read above and belongs to the file's digest.
    bytes.transferTo(OutputStream.nullOutputStream());
    return new Benchmark(suite, HexFormat.of().formatHex(md5.digest()), tasks);
  }

  private static boolean isGzip(BufferedInputStream bytes) throws IOException {
    bytes.mark(2);
    boolean gzip = bytes.read() == FIRST_GZIP_BYTE && bytes.read() == SECOND_GZIP_BYTE;
    bytes.reset();
    return gzip;
  }

  private void readTasks(InputStream text) throws IOException {
    BufferedReader lines =
        new BufferedReader(new InputStreamReader(text, StandardCharsets.UTF_8.newDecoder()));

    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      lineNumber++;

      if (!line.isBlank()) {
        addTask(line);
      }
    }
  }

  private void addTask(String line) {
    if (tasks.isEmpty() && !line.stripLeading().startsWith("{")) {
      throw unusable("it is neither JSON Lines nor gzip");
    }

    Task task = parse(line);
    Integer earlier = lineOfTask.putIfAbsent(task.taskId(), lineNumber);

    if (earlier != null) {
      throw unusableLine("task " + task.taskId() + " was on line " + earlier + " already");
    }

    tasks.add(task);
  }

  private Task parse(String line) {
    try {
      return TaskParser.parse(suite, line);
    } catch (TaskParser.BadTaskException e) {
      throw unusableLine(e.getMessage());
    } catch (JsonProcessingException e) {
      String place = name + ":" + lineNumber + ":" + e.getLocation().getColumnNr();
      throw LockstepException.user(message(place, "not JSON: " + complaint(e)), e);
    } catch (IOException e) {
      throw new IllegalStateException("a text in memory cannot fail to be read", e);
    }
  }

  /** What the parser stumbled over, without what follows for the parser's own developers. */
  private static String complaint(JsonProcessingException e) {
    return e.getOriginalMessage()
        .replaceFirst("(?s)(: was expecting | \\((for|start marker) ).*", "");
  }

  private LockstepException unusableLine(String reason) {
    return LockstepException.user(message(name + ":" + lineNumber, reason));
  }

  private LockstepException unusable(String reason) {
    return LockstepException.user(message(name, reason));
  }

  private LockstepException unusable(String reason, IOException cause) {
    return LockstepException.user(message(name, reason), cause);
  }

  private String message(String place, String reason) {
    return "Cannot use "
        + place
        + " as "
        + suite.datasetName()
        + ": "
        + reason
        + "; "
        + remedy
        + ".";
  }

  private static MessageDigest md5() {
    try {
      return MessageDigest.getInstance("MD5");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has MD5", e);
    }
  }
}
