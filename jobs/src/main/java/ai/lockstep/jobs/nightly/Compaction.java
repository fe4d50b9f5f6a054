package ai.lockstep.jobs.nightly;

import ai.lockstep.jobs.run.WholeFile;
import ai.lockstep.jobs.tables.CompletionsTable;
import ai.lockstep.jobs.tables.MetricsTable;
import ai.lockstep.jobs.tables.RunsTable;
import ai.lockstep.jobs.tables.ScoresTable;
import ai.lockstep.jobs.tables.StepsTable;
import ai.lockstep.jobs.tables.Table;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.URI;
import java.nio.channels.FileChannel;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.hadoop.fs.ContentSummary;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocatedFileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RemoteIterator;
import org.apache.spark.sql.SparkSession;

/**
 * Makes a night's tables small: each becomes one file a configuration, and {@code completions}
 * loses its columns per token ({@link CompletionsTable#PER_TOKEN}), which read as null from then
 * on. No row goes, and no figure that a named query, the history or a comparison asks for; sums of
 * floating-point numbers may differ in the last digit, as the rows are sorted. Driver only.
 *
 * <p>A kill at any moment leaves a night that can be read: the new tables are written to a folder
 * beside the old ones, a record in that folder says that all of them are there, and only then each
 * takes its old one's place. {@link Table#read} finds a table in either place. {@link #settle} ends
 * what was begun. This rests on renaming a folder being one step: so on local disks, NFS and HDFS.
 *
 * @param files of the tables, before and after
 * @param bytes of these files
 */
record Compaction(Tidied.Change files, Tidied.Change bytes) {

  /** In the folder of a night that was compacted. */
  static final String RECORD = "compaction.json";

  private static final String OLD = "old-";

  private static final List<Table> TABLES =
      List.of(
          RunsTable.TABLE,
          CompletionsTable.TABLE,
          StepsTable.TABLE,
          ScoresTable.TABLE,
          MetricsTable.TABLE);

  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  /**
   * Compacts a night, unless that is done.
   *
   * @param night its folder
   * @return what that changed; empty when there was nothing to do
   */
  static Optional<Compaction> of(SparkSession spark, FileSystem files, Path night)
      throws IOException {
    settle(files, night);
    List<Table> tables = present(files, night);
    if (tables.isEmpty() || files.exists(new Path(night, RECORD))) {
      return Optional.empty();
    }
    Path beside = new Path(night, Table.REPLACEMENTS);
    for (Table table : tables) {
      table.copyCompactly(spark, night.toString(), beside.toString(), without(table));
      requireAllRows(spark, table, night, beside);
    }
    bringToDisk(files, beside);
    Compaction compaction = measured(files, tables, night, beside);
    byte[] record = compaction.json(tables);
    WholeFile.write(files, new Path(beside, RECORD), out -> out.write(record));
    settle(files, night);
    return Optional.of(compaction);
  }

  private static List<Table> present(FileSystem files, Path night) throws IOException {
    List<Table> present = new ArrayList<>();
    for (Table table : TABLES) {
      if (files.exists(new Path(night, table.name()))) {
        present.add(table);
      }
    }
    return present;
  }

  private static List<String> without(Table table) {
    return table == CompletionsTable.TABLE ? CompletionsTable.PER_TOKEN : List.of();
  }

  /** Reads the footers only. */
  private static void requireAllRows(SparkSession spark, Table table, Path night, Path beside)
      throws IOException {
    long before = table.read(spark, night.toString()).count();
    long after = table.read(spark, beside.toString()).count();
    if (before != after) {
      throw new IOException(
          "the copy of %s has %d rows of %d".formatted(table.name(), after, before));
    }
  }

  /** The old tables go: a machine that stops then must not have the new ones in memory only. */
  private static void bringToDisk(FileSystem files, Path folder) throws IOException {
    RemoteIterator<LocatedFileStatus> all = files.listFiles(folder, true);
    while (all.hasNext()) {
      URI file = all.next().getPath().toUri();
      // Other file systems have a file on their machines when it is closed.
      if ("file".equals(file.getScheme())) {
        try (FileChannel channel =
            FileChannel.open(java.nio.file.Path.of(file), StandardOpenOption.WRITE)) {
          channel.force(true);
        }
      }
    }
  }

  private static Compaction measured(FileSystem files, List<Table> tables, Path night, Path beside)
      throws IOException {
    Compaction sum = new Compaction(new Tidied.Change(0, 0), new Tidied.Change(0, 0));
    for (Table table : tables) {
      ContentSummary before = files.getContentSummary(new Path(night, table.name()));
      ContentSummary after = files.getContentSummary(new Path(beside, table.name()));
      sum =
          sum.plus(
              new Compaction(
                  new Tidied.Change(before.getFileCount(), after.getFileCount()),
                  new Tidied.Change(before.getLength(), after.getLength())));
    }
    return sum;
  }

  /**
   * Brings a night on which a compaction was interrupted back to one set of tables: the new ones
   * where all of them had been written, else the old ones.
   */
  static void settle(FileSystem files, Path night) throws IOException {
    Path beside = new Path(night, Table.REPLACEMENTS);
    Path record = new Path(beside, RECORD);
    if (files.exists(record)) {
      for (Table table : TABLES) {
        Path replacement = new Path(beside, table.name());
        if (files.exists(replacement)) {
          exchange(files, new Path(night, table.name()), replacement);
        }
      }
      move(files, record, new Path(night, RECORD));
    }
    files.delete(beside, true);
  }

  private static void exchange(FileSystem files, Path table, Path replacement) throws IOException {
    if (files.exists(table)) {
      // Not deleted in place: a reader would see a part of it.
      move(files, table, new Path(replacement.getParent(), OLD + table.getName()));
    }
    move(files, replacement, table);
  }

  private static void move(FileSystem files, Path from, Path to) throws IOException {
    if (!files.rename(from, to)) {
      throw new IOException("cannot rename %s to %s".formatted(from, to));
    }
  }

  Compaction plus(Compaction other) {
    return new Compaction(files.plus(other.files), bytes.plus(other.bytes));
  }

  private byte[] json(List<Table> tables) {
    ObjectNode record = JSON.createObjectNode();
    record.put("files_before", files.before()).put("files_after", files.after());
    record.put("bytes_before", bytes.before()).put("bytes_after", bytes.after());
    ObjectNode left = record.putObject("columns_left_out");
    for (Table table : tables) {
      ArrayNode columns = left.putArray(table.name());
      without(table).forEach(columns::add);
    }
    try {
      return JSON.writeValueAsBytes(record);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("A record is plain data", e);
    }
  }
}
