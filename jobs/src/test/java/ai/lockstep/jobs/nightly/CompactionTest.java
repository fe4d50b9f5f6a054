package ai.lockstep.jobs.nightly;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.lockstep.jobs.LocalSpark;
import ai.lockstep.jobs.tables.MetricsTable;
import ai.lockstep.jobs.tables.StepsTable;
import ai.lockstep.jobs.tables.Table;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.apache.commons.io.FileUtils;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.FilterFileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Compacting a night of two tables in six files, and being killed over it. */
@ExtendWith(LocalSpark.class)
class CompactionTest {

  @TempDir java.nio.file.Path folder;
  private java.nio.file.Path night;
  private SparkSession spark;
  private FileSystem local;

  @BeforeEach
  void aNightInManyFiles(SparkSession session) throws IOException {
    spark = session;
    local = FileSystem.getLocal(new Configuration());
    local.setWriteChecksum(false);
    night = folder.resolve("2026-03-02");
    for (int file = 0; file < 4; file++) {
      int nfe = 3 - file;
      append(
          StepsTable.TABLE,
          List.of(
              StepsTable.TABLE
                  .row()
                  .set("task_id", "Starter/0")
                  .set("sample_index", 0)
                  .set("nfe", nfe)
                  .set("sweep", 1)
                  .set("blocks", "R")
                  .set("masks_before", 8)
                  .set("committed", nfe)
                  .set("forced", 0)
                  .set("wall_micros", 7L)
                  .set(Table.PARTITION, "a")
                  .build()));
    }
    for (String config : List.of("a", "b")) {
      append(
          MetricsTable.TABLE,
          List.of(
              MetricsTable.TABLE
                  .row()
                  .set("run_id", "nightly")
                  .set("dataset", "starter")
                  .set("tasks", 1)
                  .set("samples", 1L)
                  .set("failed_rows", 0L)
                  .set("tampered", 0L)
                  .set("unjudged", 0L)
                  .set(Table.PARTITION, config)
                  .build()));
    }
  }

  private void append(Table table, List<Row> rows) {
    table.append(spark.createDataFrame(rows, table.schema()).coalesce(1), night.toString());
  }

  private List<String> rows(java.nio.file.Path where) {
    List<String> rows = new ArrayList<>();
    for (Table table : List.of(StepsTable.TABLE, MetricsTable.TABLE)) {
      rows.addAll(table.read(spark, where.toString()).toJSON().collectAsList());
    }
    return rows.stream().sorted().toList();
  }

  private static List<String> files(java.nio.file.Path where) throws IOException {
    try (Stream<java.nio.file.Path> all = Files.walk(where)) {
      return all.filter(Files::isRegularFile)
          .map(file -> where.relativize(file).toString().replaceAll("part-.*", "part"))
          .sorted()
          .toList();
    }
  }

  @Test
  void everyConfigurationOfATableIsOneFileAfterwards() throws IOException {
    List<String> before = rows(night);
    assertThat(files(night)).hasSize(6);

    Compaction done = Compaction.of(spark, local, new Path(night.toString())).orElseThrow();

    assertThat(files(night))
        .containsExactly(
            "compaction.json",
            "metrics/config_id=a/part",
            "metrics/config_id=b/part",
            "steps/config_id=a/part");
    assertThat(rows(night)).isEqualTo(before);
    assertThat(done.files()).isEqualTo(new Tidied.Change(6, 3));
    assertThat(done.bytes().after()).isLessThan(done.bytes().before());
    assertThat(night.resolve("compaction.json"))
        .content()
        .contains("\"files_before\" : 6,", "\"bytes_after\" : " + done.bytes().after());
    assertThat(Compaction.of(spark, local, new Path(night.toString()))).isEmpty();
  }

  /** Every change of the folder may be the last one. */
  @Test
  void aNightCanBeReadWheneverACompactionIsKilledAndTheNextOneEndsIt() throws IOException {
    List<String> whole = rows(night);
    List<List<String>> leftBehind = new ArrayList<>();
    java.nio.file.Path start = night;
    boolean finished = false;
    int changes = 0;
    for (int kill = 0; !finished; kill++) {
      java.nio.file.Path copy = folder.resolve("killed-" + kill);
      FileUtils.copyDirectory(start.toFile(), copy.toFile());
      Path place = new Path(copy.toString());
      Dying dying = new Dying(local, changes);
      try {
        Compaction.of(spark, dying, place);
        finished = true;
      } catch (IOException killed) {
        assertThat(killed).hasMessage("killed");
      }
      leftBehind.add(files(copy));
      assertThat(rows(copy)).as("kill %d", kill).isEqualTo(whole);
      changes++;
      if (start == night && Files.exists(copy.resolve(".compacted/compaction.json"))) {
        // The tables need not be written again and again.
        start = folder.resolve("written");
        FileUtils.copyDirectory(copy.toFile(), start.toFile());
        changes = 0;
      }

      Compaction.of(spark, local, place);

      assertThat(rows(copy)).as("ended after kill %d", kill).isEqualTo(whole);
      assertThat(files(copy)).containsExactlyElementsOf(files(folder.resolve("killed-0")));
    }
    // The copies were made, the tables were exchanged one by one, the old ones were removed.
    assertThat(leftBehind.stream().distinct()).hasSizeGreaterThan(6);
  }

  @Test
  void aNightWithATornFileStaysAsItIs() throws IOException {
    java.nio.file.Path part;
    try (Stream<java.nio.file.Path> all = Files.walk(night.resolve("steps"))) {
      part = all.filter(file -> file.toString().endsWith(".parquet")).findFirst().orElseThrow();
    }
    Files.write(part, new byte[] {1, 2, 3});
    List<String> before = files(night);

    assertThatThrownBy(() -> Compaction.of(spark, local, new Path(night.toString())));

    Compaction.settle(local, new Path(night.toString()));
    assertThat(files(night)).isEqualTo(before);
  }

  /** Allows so many changes; from then on, none. */
  private static final class Dying extends FilterFileSystem {

    private int left;

    private Dying(FileSystem files, int changes) {
      super(files);
      left = changes;
    }

    private void change() throws IOException {
      if (left-- <= 0) {
        throw new IOException("killed");
      }
    }

    @Override
    public boolean rename(Path from, Path to) throws IOException {
      change();
      return super.rename(from, to);
    }

    @Override
    public boolean delete(Path path, boolean recursive) throws IOException {
      change();
      return super.delete(path, recursive);
    }

    @Override
    public FSDataOutputStream create(Path path, boolean overwrite) throws IOException {
      change();
      return super.create(path, overwrite);
    }
  }
}
