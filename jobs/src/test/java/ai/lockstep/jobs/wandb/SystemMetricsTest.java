package ai.lockstep.jobs.wandb;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;

class SystemMetricsTest {

  @Test
  void readsNvidiaSmisLines() {
    assertThat(SystemMetrics.gpuReadings("0, 87, 41, 20390, 81559, 52, 310.25\n"))
        .isEqualTo(
            Map.of(
                "gpu.0.gpu", 87.0,
                "gpu.0.memory", 41.0,
                "gpu.0.memoryAllocatedBytes", 20390.0 * 1_048_576,
                "gpu.0.memoryAllocated", 20390.0 / 81559 * 100,
                "gpu.0.temp", 52.0,
                "gpu.0.powerWatts", 310.25));
  }

  @Test
  void leavesOutWhatAGpuDoesNotTell() {
    assertThat(SystemMetrics.gpuReadings("1, [N/A], [N/A], 100, 200, 40, [N/A]\nno devices\n"))
        .containsOnlyKeys("gpu.1.memoryAllocated", "gpu.1.memoryAllocatedBytes", "gpu.1.temp");
  }

  @Test
  void readsThisMachine() {
    Map<String, Double> readings = new SystemMetrics().read();

    assertThat(readings.get("memory_percent")).isBetween(0.0, 100.0);
    assertThat(readings.get("proc.cpu.threads")).isGreaterThanOrEqualTo(1);
    assertThat(readings.get("disk./.usagePercent")).isBetween(0.0, 100.0);
  }
}
