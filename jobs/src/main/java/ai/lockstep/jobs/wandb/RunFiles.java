package ai.lockstep.jobs.wandb;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The folder of an offline run: {@code wandb/offline-run-<time>-<id>/} with {@code run-<id>.wandb},
 * {@code files/} and {@code logs/}. {@code wandb sync} goes by these names.
 *
 * @param folder the run's own
 * @param runId its id
 */
record RunFiles(Path folder, String runId) {

  private static final Logger LOG = LoggerFactory.getLogger(RunFiles.class);

  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyyMMdd_HHmmss", Locale.ROOT);

  /**
   * Makes the folder.
   *
   * @param parent gets {@code wandb}, unless it has {@code .wandb}
   * @param startedAt in the name as local time
   */
  static RunFiles create(Path parent, String runId, Instant startedAt) throws IOException {
    Path hidden = parent.resolve(".wandb");
    Path wandb = Files.isDirectory(hidden) ? hidden : parent.resolve("wandb");
    String name =
        "offline-run-%s-%s"
            .formatted(
                TIME.format(LocalDateTime.ofInstant(startedAt, ZoneId.systemDefault())), runId);
    Path folder = wandb.resolve(name);
    Files.createDirectories(folder.resolve("files"));
    Files.createDirectories(folder.resolve("logs"));
    for (String log : new String[] {"debug.log", "debug-internal.log"}) {
      Files.createFile(folder.resolve("logs").resolve(log));
    }
    linkLatest(wandb.resolve("latest-run"), Path.of(name));
    return new RunFiles(folder, runId);
  }

  /** A convenience for people: a file system without links does without. */
  private static void linkLatest(Path link, Path target) {
    try {
      Files.deleteIfExists(link);
      Files.createSymbolicLink(link, target);
    } catch (IOException | UnsupportedOperationException e) {
      LOG.debug("no link {}", link, e);
    }
  }

  /** Opens the new file of records. */
  OutputStream openRecords() throws IOException {
    return Files.newOutputStream(
        folder.resolve("run-%s.wandb".formatted(runId)), StandardOpenOption.CREATE_NEW);
  }

  /** Writes a file of the run, by its path under {@code files}. */
  void write(String path, byte[] content) throws IOException {
    Path file = folder.resolve("files").resolve(path);
    Files.createDirectories(file.getParent());
    Files.write(file, content);
  }

  /** Adds a line to {@code logs/debug.log}. */
  void log(Instant at, String line) throws IOException {
    Files.writeString(
        folder.resolve("logs").resolve("debug.log"),
        at + " INFO " + line + "\n",
        StandardCharsets.UTF_8,
        StandardOpenOption.APPEND);
  }
}
