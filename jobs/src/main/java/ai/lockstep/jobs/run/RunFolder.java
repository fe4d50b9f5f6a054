package ai.lockstep.jobs.run;

import ai.lockstep.failure.LockstepException;
import ai.lockstep.jobs.config.Composition;
import ai.lockstep.jobs.config.HydraRecord;
import ai.lockstep.jobs.tables.Table;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The output folder of a run, on any file system that Hadoop knows. Driver only.
 *
 * <p>The first command that writes to a folder leaves a manifest there; a later one goes on only if
 * its own manifest says the same, so that rows of different configurations, datasets or checkpoints
 * never mix. As long as there is no row, a command with other settings takes the folder over: the
 * earlier one failed before it came to anything.
 *
 * <p>A folder has one driver at a time: a second one is refused until the first closes the folder,
 * ends, or does not renew its {@link Lease}.
 */
public final class RunFolder implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(RunFolder.class);

  /** Written to a temporary name and renamed, so that it is there whole or not at all. */
  public static final String MANIFEST = "lockstep.json";

  /** How many differences an error names. */
  private static final int NAMED_DIFFERENCES = 3;

  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  private final String location;
  private final FileSystem files;
  private final String runId;
  private final Lease lease;
  private final Origin origin;

  /** Where the folder comes from. */
  private enum Origin {
    FOUND,
    MADE_HERE
  }

  private RunFolder(String location, FileSystem files, String runId, Lease lease, Origin origin) {
    this.location = location;
    this.files = files;
    this.runId = runId;
    this.lease = lease;
    this.origin = origin;
  }

  /**
   * Takes a folder for a run, new or one to go on with.
   *
   * @throws LockstepException when the folder holds something else, another driver writes to it, or
   *     it cannot be written
   */
  public static RunFolder claim(String location, RunManifest manifest, Configuration hadoop) {
    Path path = new Path(location);
    try {
      FileSystem files = path.getFileSystem(hadoop);
      // No .crc beside files that people open.
      files.setWriteChecksum(false);
      requireFolder(location, path, files);
      Origin origin = files.exists(path) ? Origin.FOUND : Origin.MADE_HERE;
      files.mkdirs(path);
      Lease lease = Lease.take(location, files, Clock.systemUTC());
      try {
        RunFolder folder = new RunFolder(location, files, manifest.runId(), lease, origin);
        String runId = folder.claim(path, manifest);
        if (origin == Origin.FOUND) {
          TornParts.setAside(files, path);
        }
        return new RunFolder(location, files, runId, lease, origin);
      } catch (IOException | RuntimeException e) {
        lease.close();
        throw e;
      }
    } catch (IOException e) {
      throw cannotWrite(location, e);
    }
  }

  /**
   * Checks that a run could write to a folder, without touching it.
   *
   * @throws LockstepException when the folder holds something else, as {@link #claim} throws it
   */
  public static void check(String location, RunManifest manifest, Configuration hadoop) {
    Path path = new Path(location);
    try {
      FileSystem files = path.getFileSystem(hadoop);
      requireFolder(location, path, files);
      if (files.exists(path)) {
        earlier(location, path, files, manifest);
      }
    } catch (IOException e) {
      throw cannotWrite(location, e);
    }
  }

  private static void requireFolder(String location, Path path, FileSystem files)
      throws IOException {
    if (files.exists(path) && !files.getFileStatus(path).isDirectory()) {
      throw LockstepException.user(
          "Cannot write to output.dir=%s: it is a file. Choose a folder.".formatted(location));
    }
  }

  private static LockstepException cannotWrite(String location, IOException e) {
    return LockstepException.environment(
        "Cannot write to output.dir=%s: %s. Choose a folder that can be written."
            .formatted(location, reason(e)),
        e);
  }

  /** Whether a run has begun to write to a folder. */
  public static boolean isThere(String location, Configuration hadoop) {
    Path manifest = new Path(location, MANIFEST);
    try {
      return manifest.getFileSystem(hadoop).exists(manifest);
    } catch (IOException e) {
      throw LockstepException.environment(
          "Cannot look at output.dir=%s: %s.".formatted(location, reason(e)), e);
    }
  }

  /**
   * Reads the manifest of a folder.
   *
   * @throws LockstepException when there is none
   */
  public static RunManifest manifest(String location, Configuration hadoop) {
    if (!isThere(location, hadoop)) {
      throw LockstepException.user(
          "Cannot read output.dir=%s: no run of lockstep is there. Name a run's folder with output.dir=DIR."
              .formatted(location));
    }
    Path manifest = new Path(location, MANIFEST);
    try (InputStream in = manifest.getFileSystem(hadoop).open(manifest)) {
      return RunManifest.read(in, manifest.toString());
    } catch (IOException e) {
      throw LockstepException.environment("Cannot read %s: %s.".formatted(manifest, reason(e)), e);
    }
  }

  /** Returns the id under which the folder's rows are written. */
  private String claim(Path path, RunManifest manifest) throws IOException {
    Optional<String> earlier = earlier(location, path, files, manifest);
    if (earlier.isEmpty()) {
      write(MANIFEST, JSON.writeValueAsBytes(manifest));
    }
    return earlier.orElse(manifest.runId());
  }

  /** The id of the run that a command would go on with; empty when it would be the first. */
  private static Optional<String> earlier(
      String location, Path path, FileSystem files, RunManifest manifest) throws IOException {
    Path manifestPath = new Path(path, MANIFEST);
    if (files.exists(manifestPath)) {
      RunManifest before = read(files, manifestPath);
      List<String> differences = before.differences(manifest);
      if (differences.isEmpty()) {
        return Optional.of(before.runId());
      }
      if (holdsRows(files, path)) {
        throw otherRun(location, before, differences);
      }
      return Optional.empty();
    }
    for (FileStatus entry : files.listStatus(path)) {
      String name = entry.getPath().getName();
      if (!name.startsWith(".")) {
        throw LockstepException.user(
            "Cannot write to output.dir=%s: it holds %s, which is not of a lockstep run. Choose an empty or a new folder."
                .formatted(location, name));
      }
    }
    return Optional.empty();
  }

  /** Whether a table has a partition. */
  private static boolean holdsRows(FileSystem files, Path path) throws IOException {
    for (FileStatus entry : files.listStatus(path)) {
      if (entry.isDirectory()
          && files.globStatus(new Path(entry.getPath(), Table.PARTITION + "=*")).length > 0) {
        return true;
      }
    }
    return false;
  }

  private static LockstepException otherRun(
      String location, RunManifest before, List<String> differences) {
    int named = Math.min(NAMED_DIFFERENCES, differences.size());
    String more =
        differences.size() > named ? "; %d more differ".formatted(differences.size() - named) : "";
    return LockstepException.user(
        "Cannot write to output.dir=%s: it holds run %s, and %s%s. Repeat that run's settings to go on with it, or choose another output.dir."
            .formatted(
                location, before.runId(), String.join("; ", differences.subList(0, named)), more));
  }

  private static RunManifest read(FileSystem files, Path manifestPath) throws IOException {
    try (InputStream in = files.open(manifestPath)) {
      return RunManifest.read(in, manifestPath.toString());
    }
  }

  /** The run that the folder belongs to: of the command that made it. */
  public String runId() {
    return runId;
  }

  /** Where tables and files go. */
  public String location() {
    return location;
  }

  /** Writes a small file whole; see {@link WholeFile}. */
  public void write(String name, byte[] bytes) throws IOException {
    write(name, out -> out.write(bytes));
  }

  /** Writes a file whole, over an older one. */
  public void write(String name, WholeFile.Content content) throws IOException {
    lease.requireHeld();
    WholeFile.write(files, new Path(location, name), content);
  }

  /**
   * Writes what Hydra's users look for: {@code .hydra/config.yaml} and its neighbours.
   *
   * @param folder empty, or a job's number in a sweep with a slash behind
   */
  public void writeHydraRecord(String job, Composition composition, String folder)
      throws IOException {
    for (Map.Entry<String, String> file : HydraRecord.files(job, composition).entrySet()) {
      write(folder + file.getKey(), file.getValue().getBytes(StandardCharsets.UTF_8));
    }
  }

  /** Gives back a folder before anything was written: one that was made for this is removed. */
  public void abandon() {
    close();
    if (origin == Origin.MADE_HERE) {
      try {
        files.delete(new Path(location), true);
      } catch (IOException e) {
        LOG.warn("could not remove {}", location, e);
      }
    }
  }

  /** Lets the next driver in. */
  @Override
  public void close() {
    lease.close();
  }

  static String reason(IOException e) {
    if (e instanceof FileNotFoundException) {
      return "no such folder or no permission";
    }
    String message = e.getMessage();
    return message == null ? e.getClass().getSimpleName() : message.toLowerCase(Locale.ROOT);
  }
}
