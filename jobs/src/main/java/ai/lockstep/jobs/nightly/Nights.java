package ai.lockstep.jobs.nightly;

import ai.lockstep.failure.LockstepException;
import ai.lockstep.jobs.run.RunFolder;
import ai.lockstep.jobs.run.WholeFile;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * The folder of all nights: a run's folder for each date, and the history page beside them. On any
 * file system that Hadoop knows; driver only.
 */
public final class Nights {

  /** In a night's folder once it is over. */
  public static final String NIGHT = "night.json";

  /** For people, in a night's folder. */
  public static final String SUMMARY = "summary.md";

  /** For people, beside the nights. */
  public static final String HISTORY = "history.md";

  private static final String DATE = "\\d{4}-\\d{2}-\\d{2}";

  /** What is left of a night that is too old for its tables. */
  private static final Set<String> KEPT = Set.of(NIGHT, SUMMARY, RunFolder.MANIFEST);

  private final Path root;
  private final FileSystem files;

  private Nights(Path root, FileSystem files) {
    this.root = root;
    this.files = files;
  }

  /**
   * Opens the folder.
   *
   * @throws LockstepException (user) when it is a run's own folder
   */
  public static Nights in(String location, Configuration hadoop) throws IOException {
    if (RunFolder.isThere(location, hadoop)) {
      throw LockstepException.user(
          "Cannot keep nights in output.dir=%s: it holds a run itself. Choose another folder."
              .formatted(location));
    }
    Path root = new Path(location);
    FileSystem files = root.getFileSystem(hadoop);
    files.setWriteChecksum(false);
    return new Nights(root, files);
  }

  /** The nights that are over, by date. */
  public List<Night> finished() throws IOException {
    List<Night> nights = new ArrayList<>();
    for (LocalDate date : dates()) {
      Path file = new Path(folder(date), NIGHT);
      if (files.exists(file)) {
        try (InputStream in = files.open(file)) {
          nights.add(Night.read(in, file.toString()));
        }
      }
    }
    return nights;
  }

  /** The dates for which there is a run, over or not, ascending. */
  public List<LocalDate> dates() throws IOException {
    List<LocalDate> dates = new ArrayList<>();
    for (FileStatus entry : files.listStatus(root)) {
      String name = entry.getPath().getName();
      if (entry.isDirectory()
          && name.matches(DATE)
          && files.exists(new Path(entry.getPath(), RunFolder.MANIFEST))) {
        dates.add(LocalDate.parse(name));
      }
    }
    return dates.stream().sorted().toList();
  }

  /**
   * The nights that a date's run stands in for: without a run between the newest earlier one and
   * the date.
   */
  public static List<LocalDate> missed(List<LocalDate> dates, LocalDate tonight) {
    return dates.stream()
        .filter(date -> date.isBefore(tonight))
        .max(LocalDate::compareTo)
        .map(last -> last.plusDays(1).datesUntil(tonight).toList())
        .orElse(List.of());
  }

  /** Writes the history page whole. */
  public void writeHistory(String text) throws IOException {
    byte[] page = text.getBytes(StandardCharsets.UTF_8);
    WholeFile.write(files, new Path(root, HISTORY), out -> out.write(page));
  }

  /**
   * Removes the tables of all nights but the newest, and of none that is compared with; what a
   * person reads and what later nights are compared with stays.
   *
   * @param keep how many nights keep everything, at least 1
   * @param needed nights whose tables stay in any case
   * @return the nights that lost something
   */
  public List<LocalDate> prune(int keep, Set<LocalDate> needed) throws IOException {
    List<LocalDate> dates = dates();
    List<LocalDate> pruned = new ArrayList<>();
    for (LocalDate date : dates.subList(0, Math.max(0, dates.size() - keep))) {
      if (!needed.contains(date) && prune(folder(date))) {
        pruned.add(date);
      }
    }
    return pruned;
  }

  private boolean prune(Path folder) throws IOException {
    List<FileStatus> old =
        Stream.of(files.listStatus(folder))
            .filter(entry -> !KEPT.contains(entry.getPath().getName()))
            .toList();
    for (FileStatus entry : old) {
      files.delete(entry.getPath(), true);
    }
    return !old.isEmpty();
  }

  private Path folder(LocalDate date) {
    return new Path(root, date.toString());
  }
}
