package ai.lockstep.jobs.wandb;

import static java.nio.charset.StandardCharsets.UTF_8;

import ai.lockstep.jobs.tracking.TableData;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.random.RandomGenerator;

/**
 * An offline run of W&amp;B being written. It may be written to by several threads; what was
 * written is on disk after every call.
 */
final class OfflineRun implements Closeable {

  private static final String ID_CHARACTERS = "0123456789abcdefghijklmnopqrstuvwxyz";
  private static final int ID_LENGTH = 8;
  private static final double NANOS_PER_SECOND = 1e9;

  private final RunFiles files;
  private final RunEnvironment here;
  private final TransactionLog log;
  private final ObjectNode config = JsonNodeFactory.instance.objectNode();
  private final List<String> media = new ArrayList<>();
  private final List<String> kept = new ArrayList<>();
  private final StringBuilder output = new StringBuilder();
  private long records;
  private long steps;
  private boolean ended;

  private OfflineRun(RunFiles files, RunEnvironment here, TransactionLog log) {
    this.files = files;
    this.here = here;
    this.log = log;
  }

  /** Eight letters and digits. */
  static String newId() {
    RandomGenerator random = new SecureRandom();
    StringBuilder id = new StringBuilder();
    for (int i = 0; i < ID_LENGTH; i++) {
      id.append(ID_CHARACTERS.charAt(random.nextInt(ID_CHARACTERS.length())));
    }
    return id.toString();
  }

  /**
   * Begins a run.
   *
   * @param parent folder that gets the wandb folder
   * @param runId W&amp;B's id of the run
   * @param jobType the job's name
   * @param name shown for the run
   * @param version of lockstep
   */
  static OfflineRun begin(
      Path parent,
      String runId,
      String jobType,
      String name,
      String version,
      WandbSettings settings,
      RunEnvironment here)
      throws IOException {
    RunFiles files = RunFiles.create(parent, runId, here.startedAt());
    OfflineRun run = new OfflineRun(files, here, new TransactionLog(files.openRecords()));
    String producer = "lockstep " + version;
    run.write(WandbRecord.header(producer));
    run.write(WandbRecord.run(runId, jobType, name, settings, here));
    run.write(WandbRecord.telemetry(producer, here));
    run.write(WandbRecord.environment(runId, here));
    files.log(here.startedAt(), "started run=%s job=%s".formatted(runId, jobType));
    return run;
  }

  private void write(WandbRecord record) throws IOException {
    records++;
    log.append(record.toByteArray(records));
    log.flush();
  }

  /** The folder that {@code wandb sync} takes. */
  Path folder() {
    return files.folder();
  }

  /** Adds to the run's configuration. */
  synchronized void config(ObjectNode values) throws IOException {
    config.setAll(values);
    write(WandbRecord.config(values));
  }

  /** Says that metrics exist and what they are drawn over. */
  synchronized void metrics(List<String> names, String over) throws IOException {
    write(WandbRecord.metric(over, Optional.empty()));
    for (String name : names) {
      write(WandbRecord.metric(name, Optional.of(over)));
    }
  }

  /**
   * Adds a row of history.
   *
   * @param at its time; before the start of the run it counts as the start
   */
  synchronized void history(ObjectNode values, Instant at) throws IOException {
    Instant time = at.isBefore(here.startedAt()) ? here.startedAt() : at;
    ObjectNode row = values.deepCopy();
    setTimes(row, time);
    write(WandbRecord.history(row, steps));
    steps++;
  }

  private void setTimes(ObjectNode row, Instant time) {
    row.put("_step", steps)
        .put("_runtime", seconds(Duration.between(here.startedAt(), time)))
        .put("_timestamp", seconds(Duration.between(Instant.EPOCH, time)));
  }

  private static double seconds(Duration duration) {
    return duration.getSeconds() + duration.getNano() / NANOS_PER_SECOND;
  }

  /** Stores a table and returns the value that shows it in the next row of history. */
  synchronized ObjectNode table(String key, TableData table) throws IOException {
    return store(MediaFile.table(key, table, steps));
  }

  /** Stores a picture, animation or page for the next row of history; empty for anything else. */
  synchronized Optional<ObjectNode> media(String name, byte[] content) throws IOException {
    Optional<MediaFile> file = MediaFile.shown(name, steps, content);
    return file.isPresent() ? Optional.of(store(file.get())) : Optional.empty();
  }

  /** Stores a file that the run's page offers under its files, as {@code wandb.save} does. */
  synchronized void keep(String name, byte[] content) throws IOException {
    files.write(name, content);
    kept.add(name);
  }

  private ObjectNode store(MediaFile file) throws IOException {
    files.write(file.path(), file.content());
    media.add(file.path());
    return file.value();
  }

  /** Adds readings of the machine. */
  synchronized void stats(Map<String, Double> readings, Instant at) throws IOException {
    if (!ended) {
      write(WandbRecord.stats(at, readings));
    }
  }

  /** Adds to what the run printed. */
  synchronized void output(String text, Instant at) throws IOException {
    output.append(text);
    for (String line : text.lines().toList()) {
      write(WandbRecord.output(at, line + "\n"));
    }
  }

  /**
   * Ends the run.
   *
   * @param summary its results
   * @param exitCode 0 for a run that succeeded
   */
  synchronized void end(ObjectNode summary, int exitCode, Instant at) throws IOException {
    long runtime = Duration.between(here.startedAt(), at).toSeconds();
    ObjectNode whole = summary.deepCopy();
    if (steps > 0) {
      setTimes(whole, at);
      whole.put("_step", steps - 1);
    }
    write(WandbRecord.summary(whole, runtime));
    whole.putObject("_wandb").put("runtime", runtime);
    List<String> written = writeFiles(whole);
    write(WandbRecord.files(written, WandbRecord.FileType.WANDB));
    if (!kept.isEmpty()) {
      write(WandbRecord.files(kept, WandbRecord.FileType.OTHER));
    }
    if (!media.isEmpty()) {
      write(WandbRecord.files(media, WandbRecord.FileType.MEDIA));
    }
    write(WandbRecord.exit(exitCode, runtime));
    write(WandbRecord.last());
    write(WandbRecord.footer());
    ended = true;
    files.log(at, "ended exit_code=%d records=%d history=%d".formatted(exitCode, records, steps));
  }

  /** Writes what the run's page shows beside the charts. */
  private List<String> writeFiles(ObjectNode summary) throws IOException {
    ObjectNode wrapped = JsonNodeFactory.instance.objectNode();
    config.properties().forEach(e -> wrapped.putObject(e.getKey()).set("value", e.getValue()));
    files.write("config.yaml", new YAMLMapper().writeValueAsBytes(wrapped));
    files.write("wandb-metadata.json", WandbJson.text(metadata()).getBytes(UTF_8));
    files.write("wandb-summary.json", WandbJson.text(summary).getBytes(UTF_8));
    files.write("output.log", output.toString().getBytes(UTF_8));
    return List.of("config.yaml", "wandb-metadata.json", "wandb-summary.json", "output.log");
  }

  private JsonNode metadata() {
    ObjectNode metadata = JsonNodeFactory.instance.objectNode();
    metadata.put("os", here.os()).put("startedAt", here.startedAt().toString());
    ArrayNode args = metadata.putArray("args");
    here.args().forEach(args::add);
    metadata.put("program", here.program());
    here.commit().ifPresent(commit -> metadata.putObject("git").put("commit", commit));
    return metadata
        .put("root", here.root())
        .put("host", here.host())
        .put("username", here.username())
        .put("executable", here.executable())
        .put("cpu_count_logical", here.cpuCount());
  }

  /** Closes the file. A run that was not ended counts as failed when it is synchronised. */
  @Override
  public synchronized void close() throws IOException {
    ended = true;
    log.close();
  }
}
