package ai.lockstep.jobs.run;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.apache.hadoop.fs.ChecksumException;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocatedFileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RemoteIterator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Parquet parts whose end is missing: a machine that stops may leave a file that was renamed and
 * not yet on the disk. One of them makes a whole table unreadable. Driver only.
 */
final class TornParts {

  private static final Logger LOG = LoggerFactory.getLogger(TornParts.class);

  private static final String ENDING = ".parquet";

  /** A Parquet file ends with its footer's length and these letters, and begins with them. */
  private static final byte[] MAGIC = "PAR1".getBytes(StandardCharsets.US_ASCII);

  private static final int SHORTEST = 3 * MAGIC.length;

  /** An object store answers many at once. */
  private static final int THREADS = 16;

  private TornParts() {}

  /**
   * Renames torn parts below a folder so that no reader takes them for data; their rows count as
   * not there.
   */
  static void setAside(FileSystem files, Path folder) throws IOException {
    for (Path part : torn(files, parts(files, folder))) {
      Path aside = new Path(part.getParent(), "." + part.getName() + ".torn");
      LOG.warn("{} has no end: a machine stopped while writing it; its rows are done again", part);
      if (!files.rename(part, aside)) {
        throw new IOException("cannot rename %s to %s".formatted(part, aside));
      }
    }
  }

  private static List<FileStatus> parts(FileSystem files, Path folder) throws IOException {
    List<FileStatus> parts = new ArrayList<>();
    RemoteIterator<LocatedFileStatus> all = files.listFiles(folder, true);
    while (all.hasNext()) {
      FileStatus file = all.next();
      String within = file.getPath().toString().substring(folder.toString().length());
      if (within.endsWith(ENDING) && !within.contains("/_") && !within.contains("/.")) {
        parts.add(file);
      }
    }
    return parts;
  }

  private static List<Path> torn(FileSystem files, List<FileStatus> parts) throws IOException {
    ExecutorService threads = Executors.newFixedThreadPool(THREADS);
    try {
      List<Future<Boolean>> whole = new ArrayList<>();
      parts.forEach(part -> whole.add(threads.submit(() -> isWhole(files, part))));
      List<Path> torn = new ArrayList<>();
      for (int i = 0; i < parts.size(); i++) {
        if (!whole.get(i).get()) {
          torn.add(parts.get(i).getPath());
        }
      }
      return torn;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while looking at the tables", e);
    } catch (ExecutionException e) {
      throw new IOException("cannot look at the tables: " + e.getCause().getMessage(), e);
    } finally {
      threads.shutdownNow();
    }
  }

  private static boolean isWhole(FileSystem files, FileStatus part) throws IOException {
    if (part.getLen() < SHORTEST) {
      return false;
    }
    byte[] end = new byte[MAGIC.length];
    try (FSDataInputStream in = files.open(part.getPath())) {
      in.readFully(part.getLen() - MAGIC.length, end);
    } catch (ChecksumException e) {
      // Spark's executors leave checksums beside parts on local disks.
      LOG.debug("torn part {}", part.getPath(), e);
      return false;
    }
    return Arrays.equals(end, MAGIC);
  }
}
