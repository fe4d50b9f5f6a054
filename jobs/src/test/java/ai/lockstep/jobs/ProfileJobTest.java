package ai.lockstep.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.StreamSupport;
import javax.imageio.ImageIO;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** The whole job on two tasks and short blocks. */
@ExtendWith(LocalSpark.class)
class ProfileJobTest {

  static final String PLANNED_ONLY =
      "planned only: nothing was written. Leave out plan=true to run it.\n";

  @TempDir Path folder;
  private Path out;

  @BeforeEach
  void takeSession(SparkSession session) {
    out = folder.resolve("out");
  }

  private JobRun profile(String... more) {
    List<String> words =
        new ArrayList<>(
            List.of(
                "output.dir=" + out,
                "limit=2",
                "decode.r_length=4",
                "decode.a_length=8",
                "model.generation.steps=1,6"));
    words.addAll(List.of(more));
    return JobRun.of(ProfileJob.DESCRIPTION, ProfileJob::run, words);
  }

  @Test
  void aPlanDoesNothing() {
    JobRun result = profile("plan=true");

    assertThat(result.errors()).isEmpty();
    assertThat(result.exitCode()).isZero();
    assertThat(result.output()).contains("decoding 4 rows: ").endsWith(PLANNED_ONLY);
    assertThat(out).doesNotExist();
  }

  private JsonNode json(String file) throws IOException {
    return new ObjectMapper().readTree(out.resolve(file).toFile());
  }

  @Test
  void saysWhereTheTimeWent() throws IOException {
    JobRun result = profile();

    assertThat(result.errors()).isEmpty();
    assertThat(result.exitCode()).isZero();
    assertThat(result.output().lines().map(line -> line.split(" ")[0]))
        .containsSubsequence("config", "model.generation.steps=1", "model.generation.steps=6");
    JsonNode profiles = json("profile.json");
    assertThat(profiles).hasSize(2);
    // One sweep is a pass for each block.
    assertThat(profiles.get(0).get("passes_per_row").asDouble()).isEqualTo(2);
    assertThat(profiles.get(1).get("passes_per_row").asDouble()).isGreaterThan(2);
    for (JsonNode profile : profiles) {
      assertThat(profile.get("rows").asInt()).isEqualTo(2);
      assertThat(profile.get("model_seconds").asDouble()).isPositive();
      assertThat(profile.get("java_seconds").asDouble()).isNotNegative();
      double parts =
          profile.get("model_seconds").asDouble()
              + profile.get("java_seconds").asDouble()
              + profile.get("waiting_seconds").asDouble();
      assertThat(parts)
          .isGreaterThanOrEqualTo(
              profile.get("decode_seconds").asDouble() * profile.get("replicas").asInt() - 1e-9);
    }
    List<JsonNode> events =
        StreamSupport.stream(json("trace.json").get("traceEvents").spliterator(), false).toList();
    assertThat(events)
        .filteredOn(event -> event.path("cat").asText().equals("row"))
        .hasSize(4)
        .allSatisfy(event -> assertThat(event.get("dur").asLong()).isPositive())
        .extracting(event -> event.get("name").asText())
        .containsOnly("Starter/0#0", "Starter/1#0");
    assertThat(events)
        .extracting(event -> event.get("name").asText())
        .contains("decoding model.generation.steps=1", "scoring model.generation.steps=6");
    assertThat(out.resolve("1/.hydra/overrides.yaml"))
        .content()
        .contains("\n- model.generation.steps=6\n");
    assertThat(ImageIO.read(out.resolve("profile.png").toFile()).getWidth()).isEqualTo(1280);

    JobRun again = profile();

    assertThat(again.exitCode()).isEqualTo(2);
    assertThat(again.errors())
        .isEqualTo(
            "lockstep: Cannot profile in %s: it holds decoded rows, and only decoding can be timed. Choose another output.dir.\n"
                .formatted(out));
  }
}
