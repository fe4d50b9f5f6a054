package ai.lockstep.udf.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import com.codahale.metrics.MetricRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A script stands in for NVIDIA's command. */
class NvidiaSmiTest {

  @TempDir Path folder;

  private NvidiaSmi answering(String script) throws IOException {
    Path command = Files.writeString(folder.resolve("nvidia-smi"), "#!/bin/sh\n" + script + "\n");
    assertThat(command.toFile().setExecutable(true)).isTrue();
    return new NvidiaSmi(command.toString());
  }

  @Test
  void readsTheGpuOfAnAddress() throws IOException {
    NvidiaSmi command = answering("[ \"$1\" = --id=3 ] && echo '15342, 97, 612.40'");

    assertThat(command.read("3")).contains(new NvidiaSmi.Reading(15342, 97, 612.4));
    assertThat(command.read("4")).isEmpty();
  }

  @Test
  void aValueThatTheGpuDoesNotTellIsNotANumber() {
    assertThat(NvidiaSmi.Reading.of("15342, 97, [N/A]\n"))
        .contains(new NvidiaSmi.Reading(15342, 97, Double.NaN));
  }

  @Test
  void aGpuThatIsThereHasMetrics() throws IOException {
    MetricRegistry registry = new MetricRegistry();

    GpuMetrics.register(registry, answering("echo '15342, 97, 612.40'"), "3");

    assertThat(registry.getGauges().keySet())
        .containsExactly(
            "gpu.3.memoryUsedMebibytes", "gpu.3.powerWatts", "gpu.3.utilizationPercent");
    assertThat(registry.getGauges().get("gpu.3.powerWatts").getValue()).isEqualTo(612.4);
  }

  @Test
  void aSamplerSeesEveryGpuOfTheMachineWithOneProcess() throws IOException {
    NvidiaSmi command =
        answering(
            "echo started >>\"$0.starts\"; echo '0, 15342, 7, 612.40'; echo '1, 15342, 17, 612.40'");

    try (GpuSampler sampler = GpuSampler.start(command, Duration.ofDays(1))) {
      assertThat(sampler.samples())
          .extracting(
              GpuSampler.Sample::address,
              GpuSampler.Sample::utilizationPercent,
              GpuSampler.Sample::memoryUsedMebibytes)
          .containsExactly(tuple("0", 7.0, 15342.0), tuple("1", 17.0, 15342.0));
      assertThat(folder.resolve("nvidia-smi.starts")).hasContent("started");
    }
  }

  @Test
  void readingsOfAReplicaBecomeMeansAndTheMostMemory() {
    GpuUse first = GpuUse.of("a", new NvidiaSmi.Reading(15000, 90, 600));
    GpuUse second = GpuUse.of("a", new NvidiaSmi.Reading(16000, 96, 660));
    GpuUse third = GpuUse.of("a", new NvidiaSmi.Reading(15500, 99, 630));
    GpuUse other = GpuUse.of("b", new NvidiaSmi.Reading(1, Double.NaN, 3));

    assertThat(GpuUse.merged(List.of(other, first, second, third)))
        .containsExactly(new GpuUse("a", 3, 95, 16000, 630), new GpuUse("b", 1, Double.NaN, 1, 3));
  }

  @Test
  void aSamplerSeesNothingWhereThereIsNoCommand() {
    try (GpuSampler sampler =
        GpuSampler.start(new NvidiaSmi(folder.resolve("none").toString()), Duration.ofDays(1))) {
      assertThat(sampler.samples()).isEmpty();
    }
  }

  @Test
  void aMachineWithoutTheCommandHasNone() {
    MetricRegistry registry = new MetricRegistry();

    GpuMetrics.register(registry, new NvidiaSmi(folder.resolve("nowhere").toString()), "0");

    assertThat(registry.getGauges()).isEmpty();
  }
}
