package ai.lockstep.jobs.profile;

import static org.assertj.core.api.Assertions.assertThat;

import ai.lockstep.jobs.profile.ConfigurationProfile.Span;
import ai.lockstep.jobs.tables.MetricsTable;
import ai.lockstep.jobs.tables.Table;
import ai.lockstep.udf.replica.ReplicaLoad;
import ai.lockstep.udf.spark.GpuSampler;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

class ConfigurationProfileTest {

  private static final Instant START = Instant.parse("2026-01-02T03:04:00Z");
  private static final Span DECODING = new Span(START, START.plusSeconds(10));
  private static final Span SCORING = new Span(START.plusSeconds(10), START.plusSeconds(12));

  private static GpuSampler.Sample sample(
      int second, String address, double percent, double mebibytes) {
    return new GpuSampler.Sample(START.plusSeconds(second), address, percent, mebibytes);
  }

  private static ConfigurationProfile profile(GpuSampler.Sample... gpus) {
    return ConfigurationProfile.of(
        "steps=5",
        4,
        MetricsTable.TABLE
            .row()
            .set("run_id", "test")
            .set("dataset", "starter")
            .set(Table.PARTITION, "c1")
            .set("tasks", 4)
            .set("samples", 4L)
            .set("failed_rows", 0L)
            .set("tampered", 0L)
            .set("unjudged", 0L)
            .build(),
        ReplicaLoad.NONE,
        1,
        DECODING,
        SCORING,
        List.of(gpus));
  }

  private static List<String> heading(ConfigurationProfile profile) {
    return List.of(
        ConfigurationProfile.table(List.of(profile))
            .lines()
            .findFirst()
            .orElseThrow()
            .split("  +"));
  }

  @Test
  void aGpusUseIsTheMeanAndItsMemoryTheMostWhileDecoding() {
    ConfigurationProfile profile =
        profile(
            sample(1, "0", 100, 15000),
            sample(1, "1", 50, 14000),
            sample(9, "0", 90, 15500),
            sample(9, "1", 40, 14000),
            sample(11, "0", 0, 20000)); // while scoring

    assertThat(profile.gpuPercent()).contains(70.0);
    assertThat(profile.gpuMebibytes()).contains(15500.0);
    assertThat(heading(profile)).endsWith("scoring s", "gpu %", "gpu MiB");
    assertThat(ConfigurationProfile.table(List.of(profile))).endsWith("  2.00     70    15500\n");
  }

  @Test
  void whatAGpuDoesNotTellIsAbsent() {
    ConfigurationProfile profile = profile(sample(1, "0", Double.NaN, 15000));

    assertThat(profile.gpuPercent()).isEmpty();
    assertThat(profile.gpuMebibytes()).contains(15000.0);
    assertThat(heading(profile)).endsWith("gpu %", "gpu MiB");
  }

  @Test
  void withoutGpusThereAreNoColumnsForThem() {
    assertThat(heading(profile()))
        .endsWith("decode s", "model s", "java s", "waiting s", "scoring s");
  }
}
