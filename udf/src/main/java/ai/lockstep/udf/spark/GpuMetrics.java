package ai.lockstep.udf.spark;

import com.codahale.metrics.Gauge;
import com.codahale.metrics.MetricRegistry;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.ToDoubleFunction;

/** A GPU's memory, utilisation and power as Spark metrics; none where it cannot be read. */
final class GpuMetrics {

  /** The gauges of one report share a reading. */
  private static final long FRESH_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final NvidiaSmi nvidiaSmi;
  private final String address;
  private Optional<NvidiaSmi.Reading> reading;
  private long readNanos;

  private GpuMetrics(NvidiaSmi nvidiaSmi, String address) {
    this.nvidiaSmi = nvidiaSmi;
    this.address = address;
    this.reading = nvidiaSmi.read(address);
    this.readNanos = System.nanoTime();
  }

  /** Registers {@code gpu.ADDRESS.*}, or nothing on a machine that has no such GPU. */
  static void register(MetricRegistry registry, NvidiaSmi nvidiaSmi, String address) {
    GpuMetrics gpu = new GpuMetrics(nvidiaSmi, address);
    if (gpu.reading.isEmpty()) {
      return;
    }
    String prefix = "gpu." + address + ".";
    registry.register(
        prefix + "memoryUsedMebibytes", gpu.gauge(NvidiaSmi.Reading::memoryUsedMebibytes));
    registry.register(
        prefix + "utilizationPercent", gpu.gauge(NvidiaSmi.Reading::utilizationPercent));
    registry.register(prefix + "powerWatts", gpu.gauge(NvidiaSmi.Reading::powerWatts));
  }

  private Gauge<Double> gauge(ToDoubleFunction<NvidiaSmi.Reading> value) {
    return () -> current().map(value::applyAsDouble).orElse(Double.NaN);
  }

  private synchronized Optional<NvidiaSmi.Reading> current() {
    if (System.nanoTime() - readNanos > FRESH_NANOS) {
      reading = nvidiaSmi.read(address);
      readNanos = System.nanoTime();
    }
    return reading;
  }
}
