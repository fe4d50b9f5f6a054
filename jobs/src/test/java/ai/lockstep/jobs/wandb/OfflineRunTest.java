package ai.lockstep.jobs.wandb;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import ai.lockstep.jobs.config.WandbConfig.Mode;
import ai.lockstep.jobs.tracking.TableData;
import ai.lockstep.jobs.wandb.WandbFile.Field;
import ai.lockstep.jobs.wandb.WandbFile.Message;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Field numbers are those of wandb/proto/wandb_internal.proto, written out once more. */
class OfflineRunTest {

  private static final Instant START = Instant.parse("2026-11-25T12:00:00.5Z");

  private static final RunEnvironment HERE =
      new RunEnvironment(
          "lockstep evaluate",
          List.of("limit=2", "decode=jacobi"),
          Optional.of("0123abc"),
          START,
          "Linux-6.1-amd64",
          "linux-amd64",
          "node7",
          "eva",
          "/home/eva",
          "/opt/java/bin/java",
          16);

  private static final WandbSettings SETTINGS =
      new WandbSettings(
          Mode.OFFLINE,
          "lockstep",
          Optional.of("team"),
          Optional.of("night"),
          Optional.empty(),
          List.of("dream", "tiny"),
          Optional.empty());

  @TempDir Path parent;
  private OfflineRun run;

  @BeforeEach
  void begin() throws IOException {
    run = begin(SETTINGS);
  }

  private OfflineRun begin(WandbSettings settings) throws IOException {
    return OfflineRun.begin(parent, "a1b2c3d4", "evaluate", "first", "0.1.0", settings, HERE);
  }

  private List<Field> records() throws IOException {
    return WandbFile.messages(Files.readAllBytes(run.folder().resolve("run-a1b2c3d4.wandb")));
  }

  private Message last(int kind) throws IOException {
    return records().stream()
        .filter(record -> record.number() == kind)
        .reduce((first, second) -> second)
        .orElseThrow()
        .message();
  }

  private static ObjectNode json(String text) {
    try {
      return (ObjectNode) new ObjectMapper().readTree(text);
    } catch (IOException e) {
      throw new IllegalArgumentException(e);
    }
  }

  private JsonNode file(String name) throws IOException {
    return new ObjectMapper().readTree(run.folder().resolve("files").resolve(name).toFile());
  }

  @Test
  void liesInAFolderThatSyncFinds() throws IOException {
    String time =
        DateTimeFormatter.ofPattern("yyyyMMdd_HHmmss")
            .format(LocalDateTime.ofInstant(START, ZoneId.systemDefault()));
    String name = "offline-run-" + time + "-a1b2c3d4";

    assertThat(run.folder()).isEqualTo(parent.resolve("wandb").resolve(name));
    assertThat(Files.readSymbolicLink(parent.resolve("wandb/latest-run"))).hasToString(name);
    assertThat(run.folder().resolve("logs/debug.log")).exists();
    assertThat(run.folder().resolve("logs/debug-internal.log")).exists();
  }

  @Test
  void liesInTheHiddenFolderWhereThereIsOne() throws IOException {
    Files.createDirectory(parent.resolve(".wandb"));

    assertThat(begin(SETTINGS).folder().getParent()).isEqualTo(parent.resolve(".wandb"));
  }

  @Test
  void beginsWithHeaderRunTelemetryAndEnvironment() throws IOException {
    assertThat(records()).extracting(Field::number).containsExactly(21, 17, 11, 26);
    assertThat(records().get(0).message().only(1).message().only(1).text())
        .isEqualTo("lockstep 0.1.0");
    Message telemetry = records().get(2).message();
    assertThat(telemetry.only(5).text()).isEqualTo("lockstep 0.1.0");
    assertThat(telemetry.only(13).text()).isEqualTo("linux-amd64");
  }

  @Test
  void theRunRecordSaysWhereItBelongs() throws IOException {
    Message record = last(17);

    assertThat(record.numbers()).containsExactly(1, 2, 3, 6, 7, 8, 10, 10, 13, 17, 21);
    assertThat(record.only(1).text()).isEqualTo("a1b2c3d4");
    assertThat(record.only(2).text()).isEqualTo("team");
    assertThat(record.only(3).text()).isEqualTo("lockstep");
    assertThat(record.only(6).text()).isEqualTo("night");
    assertThat(record.only(7).text()).isEqualTo("evaluate");
    assertThat(record.only(8).text()).isEqualTo("first");
    assertThat(record.all(10)).extracting(Field::text).containsExactly("dream", "tiny");
    assertThat(record.only(13).text()).isEqualTo("node7");
    Message start = record.only(17).message();
    assertThat(start.only(1).value()).isEqualTo(START.getEpochSecond());
    assertThat(start.only(2).value()).isEqualTo(500_000_000);
    assertThat(record.only(21).message().only(2).text()).isEqualTo("0123abc");
  }

  @Test
  void whatIsNotSetIsNotWritten() throws IOException {
    parent = parent.resolve("other");
    run =
        begin(
            new WandbSettings(
                Mode.OFFLINE,
                "lockstep",
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                List.of(),
                Optional.empty()));

    assertThat(last(17).numbers()).containsExactly(1, 3, 7, 8, 13, 17, 21);
  }

  @Test
  void theEnvironmentRecordSaysHowItWasStarted() throws IOException {
    Message record = last(26);

    assertThat(record.numbers()).containsExactly(1, 3, 5, 5, 6, 9, 11, 12, 13, 14, 17, 199);
    assertThat(record.only(1).text()).isEqualTo("Linux-6.1-amd64");
    assertThat(record.all(5)).extracting(Field::text).containsExactly("limit=2", "decode=jacobi");
    assertThat(record.only(6).text()).isEqualTo("lockstep evaluate");
    assertThat(record.only(13).text()).isEqualTo("eva");
    assertThat(record.only(17).value()).isEqualTo(16);
    assertThat(record.only(199).text()).isEqualTo("a1b2c3d4");
  }

  @Test
  void configurationIsJsonByTopKey() throws IOException {
    run.config(json("{\"decode\": {\"tau_r\": 0.9, \"name\": \"grün\"}, \"limit\": null}"));

    assertThat(last(5).items(1))
        .isEqualTo(Map.of("decode", "{\"tau_r\":0.9,\"name\":\"grün\"}", "limit", "null"));
  }

  @Test
  void metricsNameWhatTheyAreDrawnOver() throws IOException {
    run.metrics(List.of("shard/tokens"), "shard/index");

    List<Field> records = records();
    Message step = records.get(4).message();
    assertThat(step.numbers()).containsExactly(1, 6);
    assertThat(step.only(1).text()).isEqualTo("shard/index");
    assertThat(step.only(6).message().numbers()).containsExactly(3);
    Message metric = records.get(5).message();
    assertThat(metric.only(1).text()).isEqualTo("shard/tokens");
    assertThat(metric.only(4).text()).isEqualTo("shard/index");
    assertThat(metric.only(6).message().numbers()).containsExactly(1, 3);
    assertThat(metric.only(6).message().only(3).value()).isEqualTo(1);
  }

  @Test
  void everyRowOfHistoryHasItsStepAndTimes() throws IOException {
    run.history(json("{\"loss\": 0.5}"), START.plusMillis(1500));
    run.history(json("{\"loss\": 0.25, \"n\": 3}"), START.plusSeconds(60));

    List<Message> rows =
        records().stream().filter(r -> r.number() == 2).map(Field::message).toList();
    assertThat(rows.get(0).items(1))
        .containsExactly(
            Map.entry("loss", "0.5"),
            Map.entry("_step", "0"),
            Map.entry("_runtime", "1.5"),
            Map.entry("_timestamp", "1.795608002E9"));
    assertThat(rows.get(0).only(2).message().fields()).isEmpty();
    assertThat(rows.get(1).items(1)).containsEntry("_step", "1").containsEntry("_runtime", "60.0");
    assertThat(rows.get(1).only(2).message().only(1).value()).isEqualTo(1);
  }

  @Test
  void aRowOfAnEarlierCommandCountsAtTheStart() throws IOException {
    run.history(json("{\"loss\": 0.5}"), START.minusSeconds(86_400));

    assertThat(last(2).items(1)).containsEntry("_runtime", "0.0");
  }

  @Test
  void notANumberStandsBareAsPythonWritesIt() throws IOException {
    ObjectNode row = JsonNodeFactory.instance.objectNode();
    run.history(row.put("nan", Double.NaN).put("inf", Double.NEGATIVE_INFINITY), START);

    assertThat(last(2).items(1)).containsEntry("nan", "NaN").containsEntry("inf", "-Infinity");
  }

  @Test
  void readingsHaveTheirTime() throws IOException {
    run.stats(Map.of("cpu", 12.5), START.plusSeconds(3));

    Message stats = last(7);
    assertThat(stats.only(2).message().only(1).value()).isEqualTo(START.getEpochSecond() + 3);
    assertThat(stats.items(3)).isEqualTo(Map.of("cpu", "12.5"));
  }

  @Test
  void aTableIsAFileThatHistoryNames() throws IOException {
    ObjectNode value =
        run.table(
            "samples",
            new TableData(
                List.of("task", "ok"),
                List.of(JsonNodeFactory.instance.arrayNode().add("Starter/0").add(true))));

    String content = "{\"columns\":[\"task\",\"ok\"],\"data\":[[\"Starter/0\",true]]}";
    assertThat(value)
        .isEqualTo(
            json(
                """
                {"_type": "table-file",
                 "sha256": "b24a9da4f2451edb8971d13c6d12fed88c5ef8f932152b2483e94524ec1ea0cb",
                 "size": 53,
                 "path": "media/table/samples_0_b24a9da4f2451edb8971.table.json",
                 "ncols": 2, "nrows": 1}"""));
    assertThat(run.folder().resolve("files").resolve(value.get("path").textValue()))
        .hasContent(content);
  }

  @Test
  void aPictureHasItsSize() throws IOException {
    ByteArrayOutputStream png = new ByteArrayOutputStream();
    ImageIO.write(new BufferedImage(7, 5, BufferedImage.TYPE_INT_RGB), "png", png);

    ObjectNode value = run.media("viz/c1/Starter_0.0.png", png.toByteArray()).orElseThrow();

    assertThat(value.get("_type").textValue()).isEqualTo("image-file");
    assertThat(value.get("format").textValue()).isEqualTo("png");
    assertThat(value.get("width").intValue()).isEqualTo(7);
    assertThat(value.get("height").intValue()).isEqualTo(5);
    assertThat(value.get("path").textValue())
        .matches("media/images/viz/c1/Starter_0\\.0_0_[0-9a-f]{20}\\.png");
    assertThat(run.folder().resolve("files").resolve(value.get("path").textValue()))
        .hasBinaryContent(png.toByteArray());
  }

  @Test
  void animationsAndPagesHaveTypesOfTheirOwn() throws IOException {
    ByteArrayOutputStream gif = new ByteArrayOutputStream();
    ImageIO.write(new BufferedImage(2, 2, BufferedImage.TYPE_INT_RGB), "gif", gif);

    assertThat(run.media("a.gif", gif.toByteArray()).orElseThrow().get("_type").textValue())
        .isEqualTo("video-file");
    assertThat(
            run.media("report.html", "<p>".getBytes(UTF_8)).orElseThrow().get("_type").textValue())
        .isEqualTo("html-file");
    assertThat(run.media("notes.txt", new byte[0])).isEmpty();
  }

  @Test
  void endsWithSummaryFilesExitFinalAndFooter() throws IOException {
    run.config(json("{\"limit\": 2}"));
    run.history(json("{\"loss\": 0.5}"), START.plusSeconds(1));
    ObjectNode table = run.table("t", new TableData(List.of("a"), List.of()));
    run.output("pass@1\n 0.5\n", START.plusSeconds(2));

    run.end(json("{\"pass_at_1\": 0.5}"), 4, START.plusSeconds(62));

    List<Field> records = records();
    assertThat(records)
        .extracting(Field::number)
        .containsExactly(21, 17, 11, 26, 5, 2, 13, 13, 3, 6, 6, 18, 20, 22);
    assertThat(records.get(6).message().only(1).value()).isEqualTo(1);
    assertThat(records.get(7).message().only(3).text()).isEqualTo(" 0.5\n");
    assertThat(last(3).items(1))
        .containsExactly(
            Map.entry("pass_at_1", "0.5"),
            Map.entry("_step", "0"),
            Map.entry("_runtime", "62.0"),
            Map.entry("_timestamp", "1.7956080625E9"),
            Map.entry("_wandb.runtime", "62"));
    assertThat(records.get(9).message().all(1))
        .extracting(file -> file.message().only(1).text())
        .containsExactly("config.yaml", "wandb-metadata.json", "wandb-summary.json", "output.log");
    Message media = records.get(10).message().only(1).message();
    assertThat(media.only(1).text()).isEqualTo(table.get("path").textValue());
    assertThat(media.only(2).value()).isEqualTo(1);
    assertThat(media.only(3).value()).isEqualTo(2);
    assertThat(records.get(11).message().only(1).value()).isEqualTo(4);
    assertThat(records.get(11).message().only(2).value()).isEqualTo(62);
    assertThat(records.get(12).bytes()).isEmpty();
    assertThat(records.get(13).bytes()).isEmpty();
  }

  @Test
  void leavesTheFilesThatTheRunsPageShows() throws IOException {
    run.config(json("{\"decode\": {\"tau_r\": 0.9}}"));
    run.output("pass@1\n", START);
    run.end(json("{\"pass_at_1\": 0.5}"), 0, START.plusSeconds(62));

    Path files = run.folder().resolve("files");
    assertThat(files.resolve("config.yaml")).hasContent("---\ndecode:\n  value:\n    tau_r: 0.9\n");
    assertThat(file("wandb-summary.json"))
        .isEqualTo(json("{\"pass_at_1\": 0.5, \"_wandb\": {\"runtime\": 62}}"));
    assertThat(file("wandb-metadata.json").get("args"))
        .isEqualTo(json("{\"a\": [\"limit=2\", \"decode=jacobi\"]}").get("a"));
    assertThat(files.resolve("output.log")).hasContent("pass@1\n");
  }

  @Test
  void aRunThatIsCutOffKeepsEveryRecordSoFar() throws IOException {
    run.history(json("{\"loss\": 0.5}"), START);

    // Nothing was closed: this is what a killed driver leaves.
    assertThat(records()).extracting(Field::number).endsWith(2);
  }

  @Test
  void readingsAfterTheEndAreDropped() throws IOException {
    run.end(json("{}"), 0, START.plusSeconds(1));
    run.stats(Map.of("cpu", 1.0), START.plusSeconds(2));

    assertThat(records()).extracting(Field::number).endsWith(22).doesNotContain(7);
  }

  @Test
  void idsAreEightLettersAndDigits() {
    assertThat(OfflineRun.newId()).matches("[0-9a-z]{8}").isNotEqualTo(OfflineRun.newId());
  }
}
