package ai.lockstep.udf.spark;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * Watches the GPUs of this machine from the start until it is closed; a machine without GPUs, or
 * without NVIDIA's command, gives no samples.
 */
public final class GpuSampler implements AutoCloseable {

  private final NvidiaSmi nvidiaSmi;
  private final List<Sample> samples = new CopyOnWriteArrayList<>();
  private final ScheduledExecutorService timer;

  /**
   * What a GPU did at a moment; what it does not tell is NaN.
   *
   * @param at when it was asked
   * @param address of the GPU, from 0
   * @param utilizationPercent share of the last sample period in which a kernel ran, in 0..100
   * @param memoryUsedMebibytes memory in use, by all processes
   */
  public record Sample(
      Instant at, String address, double utilizationPercent, double memoryUsedMebibytes) {}

  private GpuSampler(NvidiaSmi nvidiaSmi, Duration period) {
    this.nvidiaSmi = nvidiaSmi;
    this.timer =
        Executors.newSingleThreadScheduledExecutor(
            task -> {
              Thread thread = new Thread(task, "lockstep-gpu-sampler");
              thread.setDaemon(true);
              return thread;
            });
    sample();
    if (!samples.isEmpty()) {
      timer.scheduleAtFixedRate(
          this::sample, period.toMillis(), period.toMillis(), TimeUnit.MILLISECONDS);
    }
  }

  /** Starts to watch. */
  public static GpuSampler start(Duration period) {
    return new GpuSampler(NvidiaSmi.onPath(), period);
  }

  static GpuSampler start(NvidiaSmi nvidiaSmi, Duration period) {
    return new GpuSampler(nvidiaSmi, period);
  }

  /** One process for all GPUs: on some machines a start takes longer than the reading. */
  private void sample() {
    Instant now = Instant.now();
    nvidiaSmi
        .readAll()
        .forEach(
            (address, reading) ->
                samples.add(
                    new Sample(
                        now,
                        address,
                        reading.utilizationPercent(),
                        reading.memoryUsedMebibytes())));
  }

  /** What was seen so far, in order of time. */
  public List<Sample> samples() {
    return List.copyOf(samples);
  }

  @Override
  public void close() {
    timer.shutdownNow();
  }
}
