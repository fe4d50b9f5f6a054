package ai.lockstep.jobs.run;

import ai.lockstep.failure.LockstepException;
import java.io.IOException;
import java.io.OutputStream;
import java.util.UUID;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileAlreadyExistsException;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * Writes files that are there whole or not at all: to a temporary name first, which is renamed when
 * everything is written. An older file stays until then.
 */
public final class WholeFile {

  private WholeFile() {}

  /** What a file holds. */
  @FunctionalInterface
  public interface Content {
    /** Writes everything to a stream that the caller closes. */
    void writeTo(OutputStream out) throws IOException;
  }

  /**
   * Writes a file that belongs to no claimed folder, such as a picture of a run that ended long
   * ago.
   *
   * @throws LockstepException (environment) when it cannot be written
   */
  public static void write(String location, Configuration hadoop, Content content) {
    Path target = new Path(location);
    try {
      FileSystem files = target.getFileSystem(hadoop);
      // No .crc beside files that people open.
      files.setWriteChecksum(false);
      files.mkdirs(target.getParent());
      write(files, target, content);
    } catch (IOException e) {
      throw LockstepException.environment(
          "Cannot write %s: %s. Make its folder writable; what was there before is unchanged."
              .formatted(location, RunFolder.reason(e)),
          e);
    }
  }

  /** Writes a file; what goes wrong is for the caller to say. */
  public static void write(FileSystem files, Path target, Content content) throws IOException {
    Path temporary =
        new Path(
            target.getParent(), temporary(target.getName()) + "." + UUID.randomUUID() + ".tmp");
    boolean renamed = false;
    try {
      try (OutputStream out = files.create(temporary, true)) {
        content.writeTo(out);
      }
      renamed = rename(files, temporary, target);
    } finally {
      if (!renamed) {
        files.delete(temporary, false);
      }
    }
    if (!renamed) {
      throw new IOException("cannot rename %s to %s".formatted(temporary, target));
    }
  }

  /** How the temporary names of a file begin; a killed process may leave one. */
  static String temporary(String name) {
    return "." + name;
  }

  /** Local file systems replace in one step; others have no such thing, and refuse. */
  private static boolean rename(FileSystem files, Path from, Path to) throws IOException {
    try {
      if (files.rename(from, to)) {
        return true;
      }
    } catch (FileAlreadyExistsException e) {
      // The same refusal, in words.
    }
    files.delete(to, false);
    return files.rename(from, to);
  }
}
