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
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.ContentSummary;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.SparkSession;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

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

  private static final Logger LOG = LoggerFactory.getLogger(Nights.class);

  private static final String DATE = "\\d{4}-\\d{2}-\\d{2}";

  /** What is left of a night that is too old for its tables. */
  private static final Set<String> KEPT = Set.of(NIGHT, SUMMARY, RunFolder.MANIFEST);

  private final Path root;
  private final FileSystem files;

  Nights(Path root, FileSystem files) {
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
   * The nights before a date that are not over, from the first night that is; the newest of them,
   * ascending.
   *
   * @param most how many, 0 or more
   */
  public List<LocalDate> unmeasured(LocalDate tonight, int most) throws IOException {
    List<LocalDate> measured = finished().stream().map(Night::date).toList();
    if (measured.isEmpty() || !measured.get(0).isBefore(tonight)) {
      return List.of();
    }
    List<LocalDate> missed =
        measured.get(0).datesUntil(tonight).filter(date -> !measured.contains(date)).toList();
    return missed.subList(Math.max(0, missed.size() - most), missed.size());
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

  /** Ends what an interrupted {@link #compact} began, and opens a night that is run again. */
  public void settle(LocalDate tonight) throws IOException {
    for (LocalDate date : dates()) {
      Compaction.settle(files, folder(date));
    }
    // What a run adds is in files of its own.
    files.delete(new Path(folder(tonight), Compaction.RECORD), false);
  }

  /**
   * Compacts all nights that are over but the newest, see {@link Compaction}; and none that is
   * compared with, whose tokens a person may want to look at. One that cannot be compacted stays as
   * it is.
   *
   * @param full how many nights keep everything, at least 1
   * @param needed nights that keep it in any case
   */
  public Tidied compact(SparkSession spark, int full, Set<LocalDate> needed) throws IOException {
    Tidied sum = Tidied.NOTHING;
    for (LocalDate date : allButNewest(full, needed)) {
      if (files.exists(new Path(folder(date), NIGHT))) {
        sum = sum.plus(compact(spark, date));
      }
    }
    return sum;
  }

  private Tidied compact(SparkSession spark, LocalDate date) {
    try {
      return Compaction.of(spark, files, folder(date))
          .map(done -> new Tidied(List.of(date), done.files(), done.bytes()))
          .orElse(Tidied.NOTHING);
    } catch (Exception e) {
      // Spark throws checked exceptions that it does not declare.
      LOG.warn("could not compact the night {}, which stays as it is", date, e);
      return Tidied.NOTHING;
    }
  }

  /**
   * Removes the tables of all nights but the newest, and of none that is compared with; what a
   * person reads and what later nights are compared with stays.
   *
   * @param keep how many nights keep tables, at least 1
   * @param needed nights whose tables stay in any case
   */
  public Tidied prune(int keep, Set<LocalDate> needed) throws IOException {
    Tidied sum = Tidied.NOTHING;
    for (LocalDate date : allButNewest(keep, needed)) {
      sum = sum.plus(prune(date));
    }
    return sum;
  }

  private List<LocalDate> allButNewest(int newest, Set<LocalDate> needed) throws IOException {
    List<LocalDate> dates = dates();
    return dates.subList(0, Math.max(0, dates.size() - newest)).stream()
        .filter(date -> !needed.contains(date))
        .toList();
  }

  private Tidied prune(LocalDate date) throws IOException {
    Tidied sum = Tidied.NOTHING;
    for (FileStatus entry : files.listStatus(folder(date))) {
      if (!KEPT.contains(entry.getPath().getName())) {
        ContentSummary size = files.getContentSummary(entry.getPath());
        files.delete(entry.getPath(), true);
        sum =
            sum.plus(
                new Tidied(
                    List.of(date),
                    new Tidied.Change(size.getFileCount(), 0),
                    new Tidied.Change(size.getLength(), 0)));
      }
    }
    return sum;
  }

  private Path folder(LocalDate date) {
    return new Path(root, date.toString());
  }
}
