package ai.lockstep.jobs.report;

import static org.apache.spark.sql.functions.col;

import ai.lockstep.failure.LockstepException;
import ai.lockstep.jobs.config.RunConfig;
import ai.lockstep.jobs.run.RunFolder;
import ai.lockstep.jobs.run.RunManifest;
import ai.lockstep.jobs.tables.CompletionsTable;
import ai.lockstep.jobs.tables.Table;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;

/** Finds a sample of a run and shows in the terminal how it was filled. Driver only. */
public final class ShowStage {

  /** A long sample is played faster: all of it takes about so long. */
  private static final Duration WHOLE = Duration.ofSeconds(10);

  private static final Duration FASTEST = Duration.ofMillis(60);
  private static final Duration SLOWEST = Duration.ofMillis(400);
  private static final int NAMED = 5;

  private ShowStage() {}

  /**
   * Shows a sample.
   *
   * @param location the run's folder
   * @param task task id
   * @param sample sample within the task, from 0
   * @param wanted a configuration's id or label, or the beginning of one; empty for the first
   * @param rest a resolved configuration, for what the manifest does not keep
   * @throws LockstepException when there is no such run, configuration, task or sample
   */
  public static void show(
      SparkSession spark,
      String location,
      String task,
      int sample,
      Optional<String> wanted,
      ObjectNode rest) {
    RunManifest manifest = RunFolder.manifest(location, spark.sessionState().newHadoopConf());
    Map.Entry<String, String> configuration = configuration(manifest, wanted);
    Dataset<Row> rows =
        CompletionsTable.TABLE
            .read(spark, location)
            .where(col(Table.PARTITION).equalTo(configuration.getKey()))
            .where("status = 'ok'");
    Row row =
        rows
            .where(col("task_id").equalTo(task).and(col("sample_index").equalTo(sample)))
            .takeAsList(1)
            .stream()
            .findFirst()
            .orElseThrow(() -> unknown(rows, task, sample));
    if (row.getAs("token_ids") == null) {
      throw LockstepException.user(
          "Cannot show task=%s of %s: the night was compacted, and its tokens are gone. Choose one of the newest nights; nightly.full_nights says how many keep theirs."
              .formatted(task, location));
    }
    RunConfig config = RunConfig.of(manifest.config(configuration.getKey(), rest));
    TokenTexts texts =
        TokenTexts.of(
            config, new LinkedHashSet<>(row.<Integer>getList(row.fieldIndex("token_ids"))));
    texts.missing().ifPresent(System.err::println);
    FillOrder order = FillOrder.of(row, texts);
    if (manifest.configs().size() > 1) {
      System.out.println(configuration.getValue());
    }
    new FillPlayer(order, screen()).show(System.out, delay(order.passes().size()));
  }

  private static Map.Entry<String, String> configuration(
      RunManifest manifest, Optional<String> wanted) {
    List<Map.Entry<String, String>> found =
        manifest.labels().entrySet().stream()
            .sorted(Map.Entry.comparingByValue())
            .filter(
                one ->
                    wanted.isEmpty()
                        || one.getKey().startsWith(wanted.get())
                        || one.getValue().contains(wanted.get()))
            .toList();
    if (found.isEmpty()) {
      throw LockstepException.user(
          "Cannot show config=%s: the run's configurations are %s."
              .formatted(
                  wanted.orElseThrow(),
                  String.join(", ", manifest.labels().values().stream().sorted().toList())));
    }
    return found.get(0);
  }

  private static LockstepException unknown(Dataset<Row> rows, String task, int sample) {
    List<String> tasks =
        rows.where(col("sample_index").equalTo(sample))
            .orderBy("input_index")
            .select("task_id")
            .limit(NAMED)
            .as(Encoders.STRING())
            .collectAsList();
    return LockstepException.user(
        tasks.isEmpty()
            ? "Cannot show sample=%d: no task of the run has one. Try sample=0.".formatted(sample)
            : "Cannot show task=%s: the run has decoded no such task with sample=%d; its tasks begin with %s."
                .formatted(task, sample, String.join(", ", tasks)));
  }

  private static Duration delay(int passes) {
    Duration even = WHOLE.dividedBy(Math.max(1, passes));
    return even.compareTo(FASTEST) < 0 ? FASTEST : even.compareTo(SLOWEST) > 0 ? SLOWEST : even;
  }

  /** The terminal behind standard output; https://no-color.org for NO_COLOR. */
  private static FillPlayer.Screen screen() {
    try (Terminal terminal =
        TerminalBuilder.builder()
            .system(true)
            .systemOutput(TerminalBuilder.SystemOutput.SysOut)
            .dumb(true)
            .build()) {
      boolean dumb =
          terminal.getType().startsWith(Terminal.TYPE_DUMB)
              || "dumb".equals(System.getenv("TERM"))
              || System.console() == null;
      String noColor = System.getenv("NO_COLOR");
      int columns = dumb || terminal.getWidth() < 1 ? columns() : terminal.getWidth();
      return new FillPlayer.Screen(
          columns,
          terminal.getHeight() < 1 ? 24 : terminal.getHeight(),
          dumb || (noColor != null && !noColor.isEmpty())
              ? FillPlayer.Screen.Colour.NO
              : FillPlayer.Screen.Colour.YES,
          dumb ? FillPlayer.Screen.Moves.NO : FillPlayer.Screen.Moves.YES);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What a shell says where no terminal does. */
  private static int columns() {
    String columns = System.getenv("COLUMNS");
    return columns != null && columns.matches("[1-9][0-9]{0,3}") ? Integer.parseInt(columns) : 100;
  }
}
