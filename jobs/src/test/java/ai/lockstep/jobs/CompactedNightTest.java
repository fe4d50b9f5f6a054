package ai.lockstep.jobs;

import static java.util.stream.Collectors.toList;
import static org.assertj.core.api.Assertions.assertThat;

import ai.lockstep.jobs.config.NightlyConfig;
import ai.lockstep.jobs.metrics.NamedQuery;
import ai.lockstep.jobs.nightly.Night;
import ai.lockstep.jobs.nightly.NightReview;
import ai.lockstep.jobs.nightly.Nights;
import ai.lockstep.jobs.nightly.Tidied;
import ai.lockstep.jobs.tables.CompletionsTable;
import ai.lockstep.jobs.tables.MetricsTable;
import ai.lockstep.jobs.tables.RunsTable;
import ai.lockstep.jobs.tables.ScoresTable;
import ai.lockstep.jobs.tables.StepsTable;
import ai.lockstep.jobs.tables.Table;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.apache.commons.io.FileUtils;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** A night of two samples a task, before and after it is compacted. */
@ExtendWith(LocalSpark.class)
class CompactedNightTest {

  @TempDir Path folder;

  private JobRun nightly() {
    return JobRun.of(
        NightlyJob.DESCRIPTION,
        context -> NightlyJob.run(context, Map.of()),
        List.of(
            "output.dir=" + folder,
            "nightly.date=2026-03-02",
            "tasks=0-2",
            "viz.enabled=false",
            "decode=lockstep",
            "decode.tau_a=0.9",
            "model.generation.n=2",
            "model.generation.temperature=0.7"));
  }

  /** The night of two days later came to the same. */
  private void aNightToCompare() throws IOException {
    Path other = folder.resolve("2026-03-04");
    FileUtils.copyDirectory(night().toFile(), other.toFile());
    String json = Files.readString(other.resolve("night.json"));
    Files.writeString(other.resolve("night.json"), json.replace("2026-03-02", "2026-03-04"));
  }

  private static NightReview review(Nights nights) throws IOException {
    List<Night> finished = nights.finished();
    return NightReview.of(
        finished.get(1).results(),
        finished,
        new NightlyConfig(
            LocalDate.of(2026, 3, 4),
            0,
            1,
            Optional.empty(),
            0.05,
            0.01,
            0.1,
            0.3,
            OptionalInt.empty(),
            OptionalInt.empty(),
            "NONE"));
  }

  private Path night() {
    return folder.resolve("2026-03-02");
  }

  /** Sums of floating-point numbers depend on the order of the rows, in the last digit. */
  private static int compare(double one, double other) {
    double allowed = 1e-12 * Math.max(1, Math.abs(one));
    return Math.abs(one - other) <= allowed ? 0 : Double.compare(one, other);
  }

  private Map<String, List<List<Object>>> answers(SparkSession spark) {
    for (Table table :
        List.of(
            RunsTable.TABLE,
            CompletionsTable.TABLE,
            StepsTable.TABLE,
            ScoresTable.TABLE,
            MetricsTable.TABLE)) {
      table.read(spark, night().toString()).createOrReplaceTempView(table.name());
    }
    Map<String, List<List<Object>>> answers = new TreeMap<>();
    for (NamedQuery query : NamedQuery.values()) {
      List<List<Object>> rows = new ArrayList<>();
      for (Row row : spark.sql(query.sql()).collectAsList()) {
        rows.add(IntStream.range(0, row.size()).mapToObj(row::get).collect(toList()));
      }
      answers.put(query.spelling(), rows);
    }
    return answers;
  }

  private List<String> completions(SparkSession spark) {
    return CompletionsTable.TABLE
        .read(spark, night().toString())
        .drop(CompletionsTable.PER_TOKEN.toArray(String[]::new))
        .orderBy("input_index", "sample_index")
        .toJSON()
        .collectAsList();
  }

  @Test
  void answersEveryQueryAsBeforeAndIsComparedWithAsBefore(SparkSession spark) throws IOException {
    assertThat(nightly().exitCode()).isZero();
    aNightToCompare();
    Nights nights = Nights.in(folder.toString(), new Configuration());
    NightReview review = review(nights);
    assertThat(review.comparedWith()).containsExactly(LocalDate.of(2026, 3, 2));
    Map<String, List<List<Object>>> answers = answers(spark);
    List<String> completions = completions(spark);
    byte[] night = Files.readAllBytes(night().resolve("night.json"));

    Tidied tidied = nights.compact(spark, 1, Set.of());

    assertThat(tidied.toString()).startsWith("1 night, 2026-03-02: ");
    assertThat(tidied.bytes().after()).isLessThan(tidied.bytes().before());
    assertThat(answers(spark))
        .usingRecursiveComparison()
        .withComparatorForType(CompactedNightTest::compare, Double.class)
        .isEqualTo(answers);
    assertThat(completions(spark)).isEqualTo(completions).hasSize(6);
    JobRun asked =
        JobRun.of(
            () ->
                SqlJob.exitCode(
                    "SELECT count(*) AS n FROM completions WHERE token_ids IS NULL",
                    "output.dir=" + night()));
    assertThat(asked.errors()).isEmpty();
    assertThat(asked.output()).isEqualTo("n\n6\n");
    assertThat(night().resolve("night.json")).hasBinaryContent(night);

    assertThat(review(nights)).isEqualTo(review);

    // A night that is run again is not decoded again for its tokens.
    JobRun rerun = nightly();
    assertThat(rerun.exitCode()).as(rerun.errors()).isZero();
    assertThat(completions(spark)).isEqualTo(completions);
    assertThat(night().resolve("compaction.json")).doesNotExist();

    JobRun shown = JobRun.of(() -> ShowJob.exitCode(night().toString(), "Starter/0"));
    assertThat(shown.exitCode()).isEqualTo(2);
    assertThat(shown.errors())
        .isEqualTo(
            "lockstep: Cannot show task=Starter/0 of %s: the night was compacted, and its tokens are gone. Choose one of the newest nights; nightly.full_nights says how many keep theirs.\n"
                .formatted(night()));
    JobRun report =
        JobRun.of(ReportJob.DESCRIPTION, ReportJob::run, List.of("output.dir=" + night()));
    assertThat(report.exitCode()).as(report.errors()).isZero();
    assertThat(report.output())
        .contains(
            "missing: The night was compacted: how samples were filled is not known any more.\n");
  }
}
