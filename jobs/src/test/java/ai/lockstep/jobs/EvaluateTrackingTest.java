package ai.lockstep.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import ai.lockstep.jobs.decoding.DecodeInput;
import ai.lockstep.jobs.run.PlannedRun;
import ai.lockstep.jobs.tables.CompletionsTable;
import ai.lockstep.jobs.tables.MetricsTable;
import ai.lockstep.jobs.tables.Table;
import ai.lockstep.jobs.wandb.WandbFile;
import ai.lockstep.jobs.wandb.WandbFile.Field;
import ai.lockstep.jobs.wandb.WandbFile.Message;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** What a sweep of two configurations leaves for Weights &amp; Biases. */
@ExtendWith(LocalSpark.class)
class EvaluateTrackingTest {

  private static final int HISTORY = 2;
  private static final int SUMMARY = 3;
  private static final int CONFIG = 5;
  private static final int STATS = 7;
  private static final int EXIT = 18;

  @TempDir Path out;

  private JobRun evaluate(String... more) {
    return JobRun.of(EvaluateJob.DESCRIPTION, EvaluateJob::run, words(more));
  }

  private List<String> words(String... more) {
    List<String> words =
        new ArrayList<>(
            List.of(
                "output.dir=" + out.resolve("run"),
                "decode.r_length=6",
                "decode.a_length=10",
                "run.id=test",
                "tasks=0-1",
                "viz.enabled=false",
                "wandb.enabled=true"));
    words.addAll(List.of(more));
    return words;
  }

  private Path tracked() throws IOException {
    return out.resolve("run/wandb")
        .resolve(Files.readSymbolicLink(out.resolve("run/wandb/latest-run")));
  }

  private static List<Path> files(Path folder, String ending) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      return files.filter(path -> path.toString().endsWith(ending)).toList();
    }
  }

  private List<Field> records() throws IOException {
    return WandbFile.messages(Files.readAllBytes(files(tracked(), ".wandb").get(0)));
  }

  private static List<Message> of(int kind, List<Field> records) {
    return records.stream().filter(record -> record.number() == kind).map(Field::message).toList();
  }

  private static List<Map<String, String>> rows(List<Field> records, String key) {
    return of(HISTORY, records).stream()
        .map(row -> row.items(1))
        .filter(items -> items.containsKey(key))
        .toList();
  }

  private static double sum(List<Map<String, String>> rows, String key) {
    return rows.stream().mapToDouble(row -> Double.parseDouble(row.get(key))).sum();
  }

  @Test
  void historyHasEveryShardAndEveryConfiguration(SparkSession spark) throws IOException {
    JobRun result = evaluate("-m", "decode.tau_a=0.5,0.9");

    assertThat(result.exitCode()).isZero();
    assertThat(result.output()).contains("Weights & Biases: wandb sync " + tracked());
    List<Field> records = records();
    String location = out.resolve("run").toString();
    List<Row> metrics = MetricsTable.TABLE.read(spark, location).collectAsList();
    List<Row> completions = CompletionsTable.TABLE.read(spark, location).collectAsList();

    List<Map<String, String>> configurations = rows(records, "config/index");
    assertThat(configurations)
        .extracting(row -> row.get("config/decode.tau_a"))
        .containsExactly("0.5", "0.9");
    JsonNode ids =
        new ObjectMapper().readTree(of(CONFIG, records).get(0).items(1).get("config_ids"));
    for (Row row : metrics) {
      int index = ids.get(0).textValue().equals(row.getAs(Table.PARTITION)) ? 0 : 1;
      for (String measure : List.of("pass_at_1_base", "tokens_per_pass", "fill_rate", "samples")) {
        assertThat(configurations.get(index))
            .containsEntry("config/" + measure, row.getAs(measure).toString());
      }
    }

    List<Map<String, String>> shards = rows(records, "shard/index");
    assertThat(shards).hasSize(files(out.resolve("run/completions"), ".parquet").size());
    assertThat(sum(shards, "shard/rows")).isEqualTo(4);
    assertThat(sum(shards, "shard/passes"))
        .isEqualTo(completions.stream().mapToInt(row -> row.getAs("nfe")).sum());
    assertThat(sum(shards, "shard/tokens"))
        .isEqualTo(
            completions.stream()
                .mapToInt(row -> row.<Integer>getAs("tokens_r") + row.<Integer>getAs("tokens_a"))
                .sum());
    assertThat(of(HISTORY, records))
        .extracting(row -> row.items(1).get("_step"))
        .containsExactlyElementsOf(
            IntStream.range(0, shards.size() + 3).mapToObj(Integer::toString).toList());

    Map<String, String> config = of(CONFIG, records).get(0).items(1);
    assertThat(new ObjectMapper().readTree(config.get("decode")).get("tau_a"))
        .hasToString("[0.5,0.9]");
    assertThat(of(CONFIG, records).get(1).items(1).get("provenance")).contains("Python 3.");
    assertThat(of(SUMMARY, records).get(0).items(1))
        .containsKeys(
            ids.get(0).textValue(), ids.get(1).textValue(), "samples_table", "metrics_table");
    assertThat(of(STATS, records)).hasSizeGreaterThanOrEqualTo(2);
    assertThat(of(EXIT, records).get(0).all(1)).isEmpty();
    samplesAreShown(rows(records, "samples_table").get(0));
  }

  /** The verdicts of every sample, and none of the tests. */
  private void samplesAreShown(Map<String, String> row) throws IOException {
    JsonNode value = new ObjectMapper().readTree(row.get("samples_table"));
    JsonNode table =
        new ObjectMapper()
            .readTree(tracked().resolve("files").resolve(value.get("path").textValue()).toFile());
    assertThat(value.get("nrows").intValue()).isEqualTo(4);
    assertThat(table.get("columns").toString())
        .contains("\"prompt\"", "\"answer\"", "\"base_status\"")
        .doesNotContain("input", "expected");
    List<String> tasks = new ArrayList<>();
    table.get("data").forEach(sample -> tasks.add(sample.get(1).textValue()));
    assertThat(tasks).containsExactly("Starter/0", "Starter/0", "Starter/1", "Starter/1");
  }

  @Test
  void picturesAndReportOfTheFolderAreShown() throws IOException {
    evaluate("tasks=0", "wandb.enabled=false");
    Path picture = out.resolve("run/viz/c1/Starter_0.0.png");
    Files.createDirectories(picture.getParent());
    ImageIO.write(new BufferedImage(7, 5, BufferedImage.TYPE_INT_RGB), "png", picture.toFile());
    Files.writeString(out.resolve("run/report.html"), "<p>done");

    assertThat(evaluate("tasks=0").exitCode()).isZero();

    assertThat(of(SUMMARY, records()).get(0).items(1)).containsEntry("samples", "1");
    Map<String, String> row = rows(records(), "samples_table").get(0);
    JsonNode image = new ObjectMapper().readTree(row.get("viz/c1/Starter_0.0.png"));
    assertThat(image.get("_type").textValue()).isEqualTo("image-file");
    assertThat(tracked().resolve("files").resolve(image.get("path").textValue()))
        .hasSameBinaryContentAs(picture);
    assertThat(new ObjectMapper().readTree(row.get("report.html")).get("_type").textValue())
        .isEqualTo("html-file");
  }

  @Test
  void onlineRunsWandbSyncThatIsOnThePath(SparkSession spark) throws IOException {
    evaluate("tasks=0", "wandb.enabled=false", "viz.enabled=false");
    Path command = out.resolve("bin/wandb");
    Files.createDirectories(command.getParent());
    Files.writeString(command, "#!/bin/sh\necho \"$@\" >" + out.resolve("called") + "\n");
    Files.setPosixFilePermissions(command, PosixFilePermissions.fromString("rwx------"));

    JobRun result =
        JobRun.of(
            EvaluateJob.DESCRIPTION,
            context -> {
              List<PlannedRun> runs = PlannedRun.of(context.compositions());
              DecodingRun<DecodeInput.Tasks> run =
                  DecodingRun.open(context, runs, DecodeInput::benchmark);
              Tracking.start(
                      context,
                      runs,
                      run.folder(),
                      Map.of("WANDB_MODE", "online", "PATH", "/nowhere:" + command.getParent()))
                  .finish(spark, run.metrics());
            },
            words("tasks=0"));

    assertThat(result.errors()).isEmpty();
    assertThat(result.output()).isEqualTo("Weights & Biases: synchronised " + tracked() + "\n");
    assertThat(out.resolve("called")).hasContent("sync " + tracked() + "\n");
  }

  @Test
  void aFailureOfTrackingIsNotTheJobs() throws IOException {
    Path file = Files.createFile(out.resolve("file"));

    JobRun result = evaluate("wandb.dir=" + file);

    assertThat(result.exitCode()).isZero();
    assertThat(result.output()).contains("pass@1 base").doesNotContain("Weights & Biases");
  }

  @Test
  void anUnknownModeIsTold() {
    JobRun result = evaluate("wandb.mode=cloud");

    assertThat(result.exitCode()).isEqualTo(2);
    assertThat(result.errors())
        .isEqualTo(
            "lockstep: Cannot run with wandb.mode=cloud: it must be one of offline, online, disabled.\n");
  }
}
