package ai.lockstep.jobs.wandb;

import ai.lockstep.udf.spark.NvidiaSmi;
import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Readings of the driver's machine under the names that W&amp;B's own client uses: load in percent
 * of all processors, memory in percent and MB, and for every NVIDIA GPU its load, memory,
 * temperature and power as {@code nvidia-smi} tells them.
 */
final class SystemMetrics {

  private static final Logger LOG = LoggerFactory.getLogger(SystemMetrics.class);

  private static final double PERCENT = 100;
  private static final double MEBI = 1024.0 * 1024;
  private static final Path PROCESS = Path.of("/proc/self/status");
  private static final Path MEMORY = Path.of("/proc/meminfo");

  private static final String GPU_FIELDS =
      "index,utilization.gpu,utilization.memory,memory.used,memory.total,temperature.gpu,power.draw";

  private final OperatingSystemMXBean system =
      (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

  /** Reads everything that can be read. */
  Map<String, Double> read() {
    Map<String, Double> readings = new TreeMap<>();
    double total = system.getTotalMemorySize();
    // Linux fills free memory with files that it gives up on demand; that is available too.
    double free = bytes(MEMORY, "MemAvailable:").orElse(system.getFreeMemorySize());
    put(readings, "cpu", system.getCpuLoad() * PERCENT);
    put(readings, "proc.cpu", system.getProcessCpuLoad() * PERCENT);
    put(readings, "proc.cpu.threads", ManagementFactory.getThreadMXBean().getThreadCount());
    put(readings, "memory_percent", (total - free) / total * PERCENT);
    put(readings, "proc.memory.availableMB", free / MEBI);
    readMemory(readings, total);
    readDisk(readings);
    NvidiaSmi.onPath().query(GPU_FIELDS).ifPresent(answer -> readings.putAll(gpuReadings(answer)));
    return readings;
  }

  /** Java gives a negative number or NaN where it does not know. */
  private static void put(Map<String, Double> readings, String name, double value) {
    if (value >= 0) {
      readings.put(name, value);
    }
  }

  private static void readMemory(Map<String, Double> readings, double total) {
    bytes(PROCESS, "VmRSS:")
        .ifPresent(
            resident -> {
              put(readings, "proc.memory.rssMB", resident / MEBI);
              put(readings, "proc.memory.percent", resident / total * PERCENT);
            });
  }

  /** A line of a file of Linux that is given in kB; other systems have no such file. */
  private static OptionalDouble bytes(Path file, String name) {
    if (!Files.isReadable(file)) {
      return OptionalDouble.empty();
    }
    try {
      return Files.readAllLines(file, StandardCharsets.UTF_8).stream()
          .filter(line -> line.startsWith(name))
          .mapToDouble(line -> Double.parseDouble(line.replaceAll("[^0-9]", "")) * 1024)
          .findFirst();
    } catch (IOException e) {
      LOG.debug("no {}", file, e);
      return OptionalDouble.empty();
    }
  }

  private static void readDisk(Map<String, Double> readings) {
    try {
      FileStore root = Files.getFileStore(Path.of("/"));
      double used = root.getTotalSpace() - root.getUnallocatedSpace();
      put(readings, "disk./.usagePercent", used / root.getTotalSpace() * PERCENT);
      put(readings, "disk./.usageGB", used / MEBI / 1024);
    } catch (IOException e) {
      LOG.debug("no disk readings", e);
    }
  }

  /** Reads nvidia-smi's lines; what a GPU does not tell ({@code [N/A]}) is left out. */
  static Map<String, Double> gpuReadings(String lines) {
    Map<String, Double> readings = new TreeMap<>();
    for (String line : lines.lines().toList()) {
      String[] cells = line.split(",");
      if (cells.length != 7) {
        continue;
      }
      String gpu = "gpu." + cells[0].strip() + ".";
      double used = number(cells[3]);
      put(readings, gpu + "gpu", number(cells[1]));
      put(readings, gpu + "memory", number(cells[2]));
      put(readings, gpu + "memoryAllocatedBytes", used * MEBI);
      put(readings, gpu + "memoryAllocated", used / number(cells[4]) * PERCENT);
      put(readings, gpu + "temp", number(cells[5]));
      put(readings, gpu + "powerWatts", number(cells[6]));
    }
    return readings;
  }

  private static double number(String cell) {
    try {
      return Double.parseDouble(cell.strip());
    } catch (NumberFormatException e) {
      return Double.NaN;
    }
  }
}
