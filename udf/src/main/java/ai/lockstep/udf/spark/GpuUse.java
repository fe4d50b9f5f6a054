package ai.lockstep.udf.spark;

import java.io.Serializable;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;

/**
 * What the GPU of a replica did, by readings taken while it decoded. What the GPU never told is
 * NaN.
 *
 * @param replica its name
 * @param readings how many these figures are of
 * @param utilizationPercent mean share of a sample period in which a kernel ran, in 0..100
 * @param memoryUsedMebibytes most memory in use, by all processes
 * @param powerWatts mean draw
 */
public record GpuUse(
    String replica,
    int readings,
    double utilizationPercent,
    double memoryUsedMebibytes,
    double powerWatts)
    implements Serializable {

  static GpuUse of(String replica, NvidiaSmi.Reading reading) {
    return new GpuUse(
        replica,
        1,
        reading.utilizationPercent(),
        reading.memoryUsedMebibytes(),
        reading.powerWatts());
  }

  /** One for each replica, by name. */
  public static List<GpuUse> merged(Collection<GpuUse> uses) {
    Map<String, GpuUse> merged = new TreeMap<>();
    uses.forEach(use -> merged.merge(use.replica, use, GpuUse::plus));
    return List.copyOf(merged.values());
  }

  /** A GPU tells a value always or never. */
  private GpuUse plus(GpuUse other) {
    return new GpuUse(
        replica,
        readings + other.readings,
        mean(other, GpuUse::utilizationPercent),
        Math.max(memoryUsedMebibytes, other.memoryUsedMebibytes),
        mean(other, GpuUse::powerWatts));
  }

  private double mean(GpuUse other, ToDoubleFunction<GpuUse> value) {
    return (readings * value.applyAsDouble(this) + other.readings * value.applyAsDouble(other))
        / (readings + other.readings);
  }
}
