package ai.lockstep.harness.evalplus;

import ai.lockstep.failure.LockstepException;
import ai.lockstep.harness.estimate.PassAtK;
import ai.lockstep.harness.estimate.TaskTally;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter.NopIndenter;
import com.fasterxml.jackson.core.util.Separators;
import com.fasterxml.jackson.core.util.Separators.Spacing;
import java.io.IOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Writes EvalPlus's result file, a task at a time, with the punctuation of Python's {@code
 * json.dump}.
 *
 * <pre>{@code
 * try (EvalResultWriter writer = EvalResultWriter.create(file, now, benchmark.md5())) {
 *   writer.add(taskId, results); // tasks in the order of their first sample
 *   writer.finish();
 * }
 * }</pre>
 *
 * <p>The file appears at {@link #finish}, whole; without it nothing is left. {@code pass_at_k} is
 * computed from what was added; its {@code plus} part is written when every sample has a plus
 * status. Used by one thread.
 */
public final class EvalResultWriter implements AutoCloseable {

  private static final DateTimeFormatter DATE = DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm");

  private static final JsonFactory JSON =
      JsonFactory.builder()
          .enable(JsonWriteFeature.ESCAPE_NON_ASCII)
          .disable(JsonWriteFeature.WRITE_HEX_UPPER_CASE)
          .build();

  private final Path file;
  private final Path partial;
  private final JsonGenerator json;
  private final Set<String> written = new HashSet<>();
  private final List<TaskTally> base = new ArrayList<>();
  private final List<TaskTally> plus = new ArrayList<>();
  private boolean everyPlusKnown = true;

  private EvalResultWriter(Path file, Path partial, JsonGenerator json) {
    this.file = file;
    this.partial = partial;
    this.json = json;
  }

  /**
   * Begins a result file.
   *
   * @param file replaced if it exists
   * @param date of the judgement, local time
   * @param datasetMd5 EvalPlus's dataset hash
   */
  public static EvalResultWriter create(Path file, LocalDateTime date, String datasetMd5) {
    Path partial = file.resolveSibling(file.getFileName() + ".partial");
    try {
      Writer text = Files.newBufferedWriter(partial, StandardCharsets.UTF_8);
      JsonGenerator json = JSON.createGenerator(text);
      json.setPrettyPrinter(pythonPunctuation());
      EvalResultWriter writer = new EvalResultWriter(file, partial, json);
      writer.begin(date, datasetMd5);
      return writer;
    } catch (IOException e) {
      throw unwritable(file, e);
    }
  }

  private void begin(LocalDateTime date, String datasetMd5) throws IOException {
    json.writeStartObject();
    json.writeStringField("date", DATE.format(date));
    json.writeStringField("hash", datasetMd5);
    json.writeObjectFieldStart("eval");
  }

  /**
   * Writes the results of one task.
   *
   * @param results in reading order, at least one, all of that task
   * @throws IllegalStateException when the task was written before
   */
  public void add(String taskId, List<SampleResult> results) {
    if (results.isEmpty() || !results.stream().allMatch(r -> r.taskId().equals(taskId))) {
      throw new IllegalArgumentException("Results must be of task " + taskId + ", at least one");
    }
    if (!written.add(taskId)) {
      throw new IllegalStateException("Task " + taskId + " was written before");
    }

    base.add(tally(results, results.stream().filter(SampleResult::basePassed).count()));
    plus.add(tally(results, results.stream().filter(SampleResult::plusPassed).count()));
    everyPlusKnown &= results.stream().allMatch(result -> result.plusStatus().isPresent());
    try {
      json.writeArrayFieldStart(taskId);
      for (SampleResult result : results) {
        write(result);
      }
      json.writeEndArray();
    } catch (IOException e) {
      throw unwritable(file, e);
    }
  }

  private static TaskTally tally(List<SampleResult> results, long correct) {
    return new TaskTally(results.size(), (int) correct);
  }

  private void write(SampleResult result) throws IOException {
    json.writeStartObject();
    json.writeStringField("task_id", result.taskId());
    json.writeStringField("solution", result.solution());
    json.writeStringField("base_status", result.baseStatus());
    json.writeStringField("plus_status", result.plusStatus().orElse(null));
    writeTests("base_fail_tests", result.baseFailTests());
    writeTests("plus_fail_tests", result.plusFailTests());
    json.writeEndObject();
  }

  private void writeTests(String name, List<String> tests) throws IOException {
    json.writeArrayFieldStart(name);
    for (String test : tests) {
      json.writeRawValue(test);
    }
    json.writeEndArray();
  }

  /** Writes pass@k and puts the file in its place. */
  public void finish() {
    try {
      json.writeEndObject();
      json.writeObjectFieldStart("pass_at_k");
      writePassAtK("base", base);
      if (everyPlusKnown && !plus.isEmpty()) {
        writePassAtK("plus", plus);
      }
      json.writeEndObject();
      json.writeEndObject();
      json.close();
      Files.move(partial, file, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw unwritable(file, e);
    }
  }

  private void writePassAtK(String part, List<TaskTally> tasks) throws IOException {
    json.writeObjectFieldStart(part);
    for (var passAtK : PassAtK.report(tasks).entrySet()) {
      json.writeNumberField("pass@" + passAtK.getKey(), passAtK.getValue());
    }
    json.writeEndObject();
  }

  /** Drops what was written unless it was finished. */
  @Override
  public void close() {
    try {
      // Does nothing when finished; otherwise closes open brackets of a file that goes away.
      json.close();
      Files.deleteIfExists(partial);
    } catch (IOException e) {
      throw unwritable(file, e);
    }
  }

  private static DefaultPrettyPrinter pythonPunctuation() {
    Separators separators =
        Separators.createDefaultInstance()
            .withRootSeparator("")
            .withObjectFieldValueSpacing(Spacing.AFTER)
            .withObjectEntrySpacing(Spacing.AFTER)
            .withArrayValueSpacing(Spacing.AFTER)
            .withObjectEmptySeparator("")
            .withArrayEmptySeparator("");
    DefaultPrettyPrinter printer = new DefaultPrettyPrinter(separators);
    printer.indentObjectsWith(NopIndenter.instance);
    printer.indentArraysWith(NopIndenter.instance);
    return printer;
  }

  private static LockstepException unwritable(Path file, IOException cause) {
    return LockstepException.environment(
        "Cannot write results to %s: %s; check that the folder exists and has room."
            .formatted(file, cause),
        cause);
  }
}
