package ai.lockstep.jobs.grpo;

import static org.apache.spark.sql.functions.col;

import ai.lockstep.jobs.config.RlConfig;
import ai.lockstep.jobs.run.RunFolder;
import ai.lockstep.jobs.tables.GrpoTable;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.DataFrameWriter;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SaveMode;
import org.apache.spark.sql.SparkSession;

/**
 * The rows of {@code grpo} as trainers read them, under {@code trainers/} in a run's folder. Their
 * readers take single files, not Spark's folders, so each file is written aside and renamed.
 * Executors write; nothing passes through the driver.
 *
 * <ul>
 *   <li>{@code verl/}: Parquet, one row a task; the reward function, the agent loop and a check
 *       beside it
 *   <li>{@code flat/}: Parquet, one row a sample, for TRL and OpenRLHF
 *   <li>{@code dllm_rl/}: a JSON list with {@code step_map}, for dLLM-RL
 * </ul>
 */
public final class TrainerFiles {

  /** Where the files go within a run's folder. */
  public static final String FOLDER = "trainers";

  /** Readers load a file whole; this many samples of 1,000 tokens are some 100 MB. */
  private static final int SAMPLES_PER_FILE = 20_000;

  /** datasets and pyarrow read a row group at a time. */
  private static final long ROW_GROUP_BYTES = 16L << 20;

  private static final List<String> VERL_SCRIPTS =
      List.of("reward.py", "agent_loop.py", "agent_loop.yaml", "check.py");

  private final SparkSession spark;
  private final RunFolder folder;
  private final RlConfig rl;

  private TrainerFiles(SparkSession spark, RunFolder folder, RlConfig rl) {
    this.spark = spark;
    this.folder = folder;
    this.rl = rl;
  }

  /** Writes all files anew from the folder's table {@code grpo}. */
  public static void write(SparkSession spark, RunFolder folder, RlConfig rl) throws IOException {
    Dataset<Row> grpo = GrpoTable.TABLE.read(spark, folder.location());
    grpo.createOrReplaceTempView("grpo");
    int files = (int) Math.max(1, (grpo.count() + SAMPLES_PER_FILE - 1) / SAMPLES_PER_FILE);
    TrainerFiles trainers = new TrainerFiles(spark, folder, rl);
    trainers.parquet("verl", GroupQuery.VERL, files);
    for (String script : VERL_SCRIPTS) {
      folder.write(
          "%s/verl/%s".formatted(FOLDER, script),
          GroupQuery.resource(script).getBytes(StandardCharsets.UTF_8));
    }
    trainers.parquet("flat", GroupQuery.FLAT, files);
    trainers.jsonList("dllm_rl", GroupQuery.DLLM_RL);
  }

  private void parquet(String view, GroupQuery query, int files) throws IOException {
    DataFrameWriter<Row> writer =
        inOrder(query, files)
            .write()
            .option("parquet.block.size", ROW_GROUP_BYTES)
            .option("mapreduce.fileoutputcommitter.marksuccessfuljobs", "false")
            .mode(SaveMode.Overwrite);
    Path aside = aside(view);
    writer.parquet(aside.toString());
    publish(aside, view, "parquet");
  }

  private void jsonList(String view, GroupQuery query) throws IOException {
    Path aside = aside(view);
    inOrder(query, 1)
        .as(Encoders.STRING())
        .mapPartitions(new JsonList(), Encoders.STRING())
        .write()
        .option("mapreduce.fileoutputcommitter.marksuccessfuljobs", "false")
        .mode(SaveMode.Overwrite)
        .text(aside.toString());
    publish(aside, view, "json");
  }

  /** The query's rows by task and sample, without the column that says so. */
  private Dataset<Row> inOrder(GroupQuery query, int files) {
    boolean drop = rl.zeroSpread() == RlConfig.ZeroSpread.DROP;
    Dataset<Row> rows = query.run(spark, Map.of("drop_zero_spread", drop));
    Dataset<Row> ordered =
        files == 1
            ? rows.coalesce(1).sortWithinPartitions("place")
            : rows.repartitionByRange(files, col("place")).sortWithinPartitions("place");
    return ordered.drop("place");
  }

  /** Puts the lines of a partition between brackets. Runs on executors; serialised. */
  private record JsonList() implements MapPartitionsFunction<String, String> {

    @Override
    public Iterator<String> call(Iterator<String> objects) {
      return new Iterator<>() {
        private boolean opened;
        private boolean closed;

        @Override
        public boolean hasNext() {
          return !closed;
        }

        @Override
        public String next() {
          if (!opened) {
            opened = true;
            return "[";
          }
          if (!objects.hasNext()) {
            closed = true;
            return "]";
          }
          String object = objects.next();
          return objects.hasNext() ? object + "," : object;
        }
      };
    }
  }

  private Path aside(String view) {
    return new Path(folder.location(), "%s/.%s.tmp".formatted(FOLDER, view));
  }

  /** Renames Spark's part files to stable names, in order, over those of an earlier command. */
  private void publish(Path aside, String view, String ending) throws IOException {
    FileSystem files = aside.getFileSystem(spark.sessionState().newHadoopConf());
    Path target = new Path(new Path(folder.location(), FOLDER), view);
    files.mkdirs(target);
    for (FileStatus old : matching(files, new Path(target, "rollouts-*." + ending))) {
      files.delete(old.getPath(), false);
    }
    FileStatus[] parts = matching(files, new Path(aside, "part-*"));
    Arrays.sort(parts);
    for (int number = 0; number < parts.length; number++) {
      Path to = new Path(target, "rollouts-%05d.%s".formatted(number, ending));
      if (!files.rename(parts[number].getPath(), to)) {
        throw new IOException("cannot rename %s to %s".formatted(parts[number].getPath(), to));
      }
    }
    files.delete(aside, true);
  }

  private static FileStatus[] matching(FileSystem files, Path pattern) throws IOException {
    FileStatus[] found = files.globStatus(pattern);
    return found == null ? new FileStatus[0] : found;
  }
}
