package ai.lockstep.jobs.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.lockstep.failure.LockstepException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunFolderTest {

  @TempDir Path folder;
  private String location;

  @BeforeEach
  void chooseAFolder() {
    location = folder.resolve("run").toString();
  }

  private static RunManifest manifest(String configId, String config) throws IOException {
    JsonNode node = new ObjectMapper().readTree(config);
    return new RunManifest(
        "evaluate", "night-1", "starter", "md5", "", "sha", Map.of(configId, node), Map.of());
  }

  private void claim(RunManifest manifest) {
    RunFolder.claim(location, manifest, new Configuration()).close();
  }

  @Test
  void aNewFolderGetsAManifestAndNothingElse() throws IOException {
    claim(manifest("a", "{\"decode\":{\"tau_r\":0.9}}"));

    try (var files = Files.list(Path.of(location))) {
      assertThat(
              files
                  .map(file -> file.getFileName().toString())
                  .filter(name -> !name.startsWith(".")))
          .containsExactly("lockstep.json");
    }
  }

  private void writeARow() throws IOException {
    Files.createDirectories(Path.of(location, "completions", "config_id=a"));
  }

  @Test
  void theSameRunGoesOn() throws IOException {
    claim(manifest("a", "{\"decode\":{\"tau_r\":0.9}}"));
    claim(manifest("a", "{\"decode\":{\"tau_r\":0.9}}"));
  }

  @Test
  void anotherConfigurationIsRefusedWithWhatDiffers() throws IOException {
    claim(manifest("a", "{\"decode\":{\"tau_r\":0.9,\"mode\":\"jacobi\"}}"));
    writeARow();
    RunManifest changed = manifest("b", "{\"decode\":{\"tau_r\":0.8,\"mode\":\"jacobi\"}}");

    assertThatThrownBy(() -> claim(changed))
        .isInstanceOf(LockstepException.class)
        .hasMessage(
            "Cannot write to output.dir=%s: it holds run night-1, and decode.tau_r was 0.9 and is 0.8. Repeat that run's settings to go on with it, or choose another output.dir."
                .formatted(location));
  }

  @Test
  void aRunThatFailedBeforeItsFirstRowIsTakenOver() throws IOException {
    claim(manifest("a", "{\"decode\":{\"tau_r\":0.9}}"));
    Files.createDirectories(Path.of(location, "completions", "_temporary", "0"));
    Files.createDirectories(Path.of(location, ".hydra"));
    claim(manifest("b", "{\"decode\":{\"tau_r\":0.8}}"));
    writeARow();
    RunManifest first = manifest("a", "{\"decode\":{\"tau_r\":0.9}}");

    assertThatThrownBy(() -> claim(first))
        .hasMessage(
            "Cannot write to output.dir=%s: it holds run night-1, and decode.tau_r was 0.8 and is 0.9. Repeat that run's settings to go on with it, or choose another output.dir."
                .formatted(location));
  }

  @Test
  void whatAKilledCommandLeavesIsNoObstacle() throws IOException {
    Files.createDirectories(Path.of(location));
    Files.writeString(Path.of(location, ".lockstep.json.1f0c.tmp"), "{\"job\":");

    claim(manifest("a", "{}"));

    assertThat(Path.of(location, "lockstep.json")).exists();
  }

  @Test
  void aManifestThatIsNoneIsRefused() throws IOException {
    Files.createDirectories(Path.of(location));
    Files.writeString(Path.of(location, "lockstep.json"), "{\"job\":");
    RunManifest manifest = manifest("a", "{}");

    assertThatThrownBy(() -> claim(manifest))
        .hasMessage(
            "Cannot read %s/lockstep.json: it is not a lockstep manifest. Choose another folder."
                .formatted(location));
  }

  @Test
  void anotherDatasetIsRefused() throws IOException {
    claim(manifest("a", "{}"));
    writeARow();
    RunManifest changed =
        new RunManifest(
            "evaluate",
            "night-1",
            "starter",
            "other",
            "",
            "sha",
            Map.of("a", new ObjectMapper().readTree("{}")),
            Map.of());

    assertThatThrownBy(() -> claim(changed))
        .hasMessage(
            "Cannot write to output.dir=%s: it holds run night-1, and the dataset's MD5 was md5 and is other. Repeat that run's settings to go on with it, or choose another output.dir."
                .formatted(location));
  }

  @Test
  void aFolderWithOtherFilesIsRefused() throws IOException {
    Files.createDirectories(Path.of(location));
    Files.writeString(Path.of(location, "thesis.tex"), "years of work");
    RunManifest manifest = manifest("a", "{}");

    assertThatThrownBy(() -> claim(manifest))
        .hasMessage(
            "Cannot write to output.dir=%s: it holds thesis.tex, which is not of a lockstep run. Choose an empty or a new folder."
                .formatted(location));
  }

  @Test
  void aFileIsRefused() throws IOException {
    Files.writeString(Path.of(location), "not a folder");
    RunManifest manifest = manifest("a", "{}");

    assertThatThrownBy(() -> claim(manifest))
        .hasMessage(
            "Cannot write to output.dir=%s: it is a file. Choose a folder.".formatted(location));
  }

  @Test
  void partsWithoutAnEndAreSetAside() throws IOException {
    claim(manifest("a", "{\"decode\":{\"tau_r\":0.9}}"));
    Path partition = Files.createDirectories(Path.of(location, "completions", "config_id=a"));
    Path unfinished = Files.createDirectories(Path.of(location, "completions", "_temporary", "0"));
    Files.writeString(partition.resolve("part-0.parquet"), "PAR1 rows footer PAR1");
    Files.writeString(partition.resolve("part-1.parquet"), "PAR1 rows, and then the power went");
    Files.writeString(partition.resolve("part-2.parquet"), "");
    Files.writeString(unfinished.resolve("part-3.parquet"), "PAR1");

    claim(manifest("a", "{\"decode\":{\"tau_r\":0.9}}"));

    try (var files = Files.list(partition)) {
      assertThat(files.map(file -> file.getFileName().toString()))
          .containsExactlyInAnyOrder(
              "part-0.parquet", ".part-1.parquet.torn", ".part-2.parquet.torn");
    }
    assertThat(unfinished.resolve("part-3.parquet")).exists();
  }

  /** As Spark's executors write on a local disk, with a checksum beside every part. */
  @Test
  void aTornPartThatHasAChecksumIsSetAside() throws IOException {
    claim(manifest("a", "{\"decode\":{\"tau_r\":0.9}}"));
    Path part = Path.of(location, "completions", "config_id=a", "part-0.parquet");
    try (FileSystem checked = FileSystem.newInstanceLocal(new Configuration());
        OutputStream out = checked.create(new org.apache.hadoop.fs.Path(part.toUri()))) {
      out.write("PAR1 rows footer PAR1".getBytes(StandardCharsets.US_ASCII));
    }
    assertThat(part.resolveSibling(".part-0.parquet.crc")).exists();
    try (FileChannel torn = FileChannel.open(part, StandardOpenOption.WRITE)) {
      torn.truncate(torn.size() - 5);
    }

    claim(manifest("a", "{\"decode\":{\"tau_r\":0.9}}"));

    assertThat(part).doesNotExist();
    assertThat(part.resolveSibling(".part-0.parquet.torn")).exists();
  }
}
