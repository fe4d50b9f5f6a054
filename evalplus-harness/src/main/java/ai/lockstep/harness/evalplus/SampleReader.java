package ai.lockstep.harness.evalplus;

import ai.lockstep.datasets.Benchmark;
import ai.lockstep.datasets.Task;
import ai.lockstep.failure.LockstepException;
import com.fasterxml.jackson.core.JsonProcessingException;
import java.io.BufferedInputStream;
import java.io.BufferedReader;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;

/**
 * Reads samples in EvalPlus's two forms (evalplus/data/utils.py, {@code load_solutions}):
 *
 * <ul>
 *   <li>a file {@code NAME.jsonl} or {@code NAME.jsonl.gz} with an object a line: {@code task_id}
 *       and {@code solution} (a whole program) or {@code completion} (what follows the prompt),
 *       UTF-8;
 *   <li>a folder of folders of programs, such as {@code HumanEval_0/3.py}: every {@code _} of the
 *       folder's name stands for a {@code /}. Read by task and number, where EvalPlus takes the
 *       file system's order.
 * </ul>
 */
public final class SampleReader {

  private static final String PROGRAM_SUFFIX = ".py";

  private static final Pattern NUMBER = Pattern.compile("\\d+");

  private final Path path;
  private final Benchmark benchmark;
  private final Set<String> knownTaskIds = new LinkedHashSet<>();
  private final List<Sample> samples = new ArrayList<>();
  private final Map<String, Integer> samplesOfTask = new HashMap<>();
  private final Map<String, Integer> skippedOfTask = new LinkedHashMap<>();
  private int lineNumber;

  private SampleReader(Path path, Benchmark benchmark) {
    this.path = path;
    this.benchmark = benchmark;
    benchmark.tasks().stream().map(Task::taskId).forEach(knownTaskIds::add);
  }

  /**
   * Reads the samples of a benchmark's tasks.
   *
   * @throws LockstepException of category user if there is nothing at {@code path}, it cannot be
   *     understood, or holds no sample of the benchmark; with file, line and column where there are
   */
  public static Samples read(Path path, Benchmark benchmark) {
    return new SampleReader(path, benchmark).read();
  }

  private Samples read() {
    try {
      if (Files.isDirectory(path)) {
        readFolder();
      } else {
        readFile();
      }
    } catch (CharacterCodingException e) {
      throw unreadable(place(), "it is not UTF-8 text", "Save it as UTF-8", e);
    } catch (IOException e) {
      throw LockstepException.environment(
          "Cannot read samples=%s: %s.".formatted(path, e.getMessage()), e);
    }
    return result();
  }

  private void readFile() throws IOException {
    String name = path.getFileName().toString();
    if (!name.endsWith(".jsonl") && !name.endsWith(".jsonl.gz")) {
      throw LockstepException.user(
          "Cannot read samples=%s: it must be a .jsonl or .jsonl.gz file, or a folder of programs such as HumanEval_0/3.py."
              .formatted(path));
    }

    if (!Files.exists(path)) {
      throw LockstepException.user(
          "Cannot read samples=%s: there is no such file or folder; check the path."
              .formatted(path));
    }

    try (InputStream stored = new BufferedInputStream(Files.newInputStream(path))) {
      readLines(name.endsWith(".gz") ? new GZIPInputStream(stored) : stored);
    } catch (EOFException e) {
      throw unreadable(
          path.toString(),
          "its gzip data ends too early, after " + lineNumber + " lines",
          "Copy the file again",
          e);
    } catch (ZipException e) {
      throw unreadable(
          path.toString(),
          "it is not gzip data, or damaged, after " + lineNumber + " lines",
          "Copy the file again, or name it .jsonl if it is plain text",
          e);
    }
  }

  private void readLines(InputStream text) throws IOException {
    BufferedReader lines =
        new BufferedReader(new InputStreamReader(text, StandardCharsets.UTF_8.newDecoder()));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      lineNumber++;
      // Some editors begin a file with a byte order mark.
      String content = lineNumber == 1 && line.startsWith("\ufeff") ? line.substring(1) : line;
      if (!content.isBlank()) {
        SampleLine sample = parse(content);
        add(sample.taskId(), sample.id(), sample.form(), sample.text());
      }
    }
  }

  private SampleLine parse(String line) {
    String remedy = "Each line must be an object with task_id and solution or completion";
    try {
      return SampleLine.parse(line);
    } catch (SampleLine.BadSampleException e) {
      throw unreadable(place(), e.getMessage(), remedy, e);
    } catch (JsonProcessingException e) {
      String position = place() + ":" + e.getLocation().getColumnNr();
      throw unreadable(position, "not JSON (" + e.getOriginalMessage() + ")", remedy, e);
    } catch (IOException e) {
      throw new IllegalStateException("a text in memory cannot fail to be read", e);
    }
  }

  private void readFolder() throws IOException {
    for (Path taskFolder : sorted(path)) {
      if (!Files.isDirectory(taskFolder)) {
        continue;
      }

      String taskId = taskFolder.getFileName().toString().replace('_', '/');
      for (Path program : sorted(taskFolder)) {
        if (Files.isRegularFile(program) && program.toString().endsWith(PROGRAM_SUFFIX)) {
          add(taskId, Optional.of(nameWithin(program)), Sample.Form.SOLUTION, programText(program));
        }
      }
    }
  }

  private String programText(Path program) throws IOException {
    try {
      // Python's text files know one line end.
      return Files.readString(program).replace("\r\n", "\n").replace('\r', '\n');
    } catch (CharacterCodingException e) {
      throw unreadable(program.toString(), "it is not UTF-8 text", "Save it as UTF-8", e);
    }
  }

  private String nameWithin(Path program) {
    return path.relativize(program).toString().replace('\\', '/');
  }

  /** By name, numbers by value: 2.py stands before 10.py. */
  private static List<Path> sorted(Path folder) throws IOException {
    Comparator<Path> byNumbers =
        Comparator.comparing(file -> padded(file.getFileName().toString()));
    try (Stream<Path> files = Files.list(folder)) {
      return files.sorted(byNumbers.thenComparing(Comparator.naturalOrder())).toList();
    }
  }

  private static String padded(String name) {
    return NUMBER
        .matcher(name)
        .replaceAll(
            number -> "0".repeat(Math.max(0, 18 - number.group().length())) + number.group());
  }

  private void add(String taskId, Optional<String> id, Sample.Form form, String text) {
    if (!knownTaskIds.contains(taskId)) {
      skippedOfTask.merge(taskId, 1, Integer::sum);
      return;
    }
    int sampleIndex = samplesOfTask.merge(taskId, 1, Integer::sum) - 1;
    samples.add(new Sample(taskId, sampleIndex, id, form, text));
  }

  private Samples result() {
    String dataset = benchmark.suite().datasetName();
    if (samples.isEmpty() && skippedOfTask.isEmpty()) {
      throw LockstepException.user(
          "Cannot read samples=%s: it holds no sample; %s."
              .formatted(
                  path,
                  Files.isDirectory(path)
                      ? "programs must be in files such as HumanEval_0/3.py"
                      : "each line must be an object with task_id and solution or completion"));
    }

    if (samples.isEmpty()) {
      throw LockstepException.user(
          "Cannot read samples=%s: none of its task ids (%s, ...) is in %s; check dataset=NAME."
              .formatted(path, skippedOfTask.keySet().iterator().next(), dataset));
    }

    List<String> warnings = new ArrayList<>();
    skippedOfTask.forEach(
        (taskId, count) ->
            warnings.add(
                "Skipped %d sample%s of task %s, which is not in %s."
                    .formatted(count, count == 1 ? "" : "s", taskId, dataset)));
    List<String> missing =
        knownTaskIds.stream().filter(taskId -> !samplesOfTask.containsKey(taskId)).toList();
    return new Samples(samples, warnings, missing);
  }

  private String place() {
    return lineNumber == 0 ? path.toString() : path + ":" + lineNumber;
  }

  private static LockstepException unreadable(
      String place, String reason, String remedy, Exception cause) {
    return LockstepException.user(
        "Cannot read samples=%s: %s. %s.".formatted(place, reason, remedy), cause);
  }
}
