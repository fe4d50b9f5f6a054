package ai.lockstep.jobs.decoding;

import ai.lockstep.udf.decode.DecodeRequest;
import java.io.IOException;
import java.io.Serializable;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.SparkEnv;
import org.apache.spark.deploy.SparkHadoopUtil;

/**
 * Which rows were being decoded, alone, when the process that did it died: an empty file for each
 * under the output folder, where the process that tries again finds it. Runs on executors;
 * serialised: yes.
 */
final class CrashMarks implements Serializable {

  private static final long serialVersionUID = 1;

  /** No table, and no entry that a folder is refused for. */
  private static final String FOLDER = ".crashes";

  private final String folder;

  CrashMarks(String outputDir) {
    this.folder = outputDir + "/" + FOLDER;
  }

  /** Whether a process died over a row. */
  boolean has(String configId, DecodeRequest row) throws IOException {
    return files().exists(mark(configId, row));
  }

  /** To be called before a row is decoded alone. */
  void set(String configId, DecodeRequest row) throws IOException {
    files().create(mark(configId, row), true).close();
  }

  /** To be called when a row did its process no harm. */
  void clear(String configId, DecodeRequest row) throws IOException {
    files().delete(mark(configId, row), false);
  }

  /** Forgets all of them. */
  void clearAll() throws IOException {
    files().delete(new Path(folder), true);
  }

  private Path mark(String configId, DecodeRequest row) {
    return new Path(folder, configId + "/" + URLEncoder.encode(row.id(), StandardCharsets.UTF_8));
  }

  /**
   * Made where it is needed, which is nearly never: every Spark task would have to read another.
   */
  private FileSystem files() throws IOException {
    return new Path(folder)
        .getFileSystem(SparkHadoopUtil.get().newConfiguration(SparkEnv.get().conf()));
  }
}
