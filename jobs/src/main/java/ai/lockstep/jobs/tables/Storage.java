package ai.lockstep.jobs.tables;

import java.io.IOException;
import java.io.UncheckedIOException;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.SparkSession;

/** Looks at output folders on any file system that Hadoop knows (driver only). */
final class Storage {

  private Storage() {}

  static boolean exists(SparkSession spark, String location) {
    Path path = new Path(location);
    try {
      FileSystem files = path.getFileSystem(spark.sessionState().newHadoopConf());
      return files.exists(path);
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot look at " + location, e);
    }
  }

  /** Bytes of all files in a folder; 0 when there is none. */
  static long bytes(SparkSession spark, String location) {
    Path path = new Path(location);
    try {
      FileSystem files = path.getFileSystem(spark.sessionState().newHadoopConf());
      return files.exists(path) ? files.getContentSummary(path).getLength() : 0;
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot look at " + location, e);
    }
  }
}
