package ai.lockstep.udf.spark;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.apache.spark.SparkConf;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks NVIDIA's command about GPUs.
 *
 * @param command name or path of nvidia-smi
 */
public record NvidiaSmi(String command) {

  private static final Logger LOG = LoggerFactory.getLogger(NvidiaSmi.class);
  private static final String FIELDS = "memory.used,utilization.gpu,power.draw";

  /** A driver in trouble may never answer; a metric is not worth waiting longer. */
  private static final long TIMEOUT_SECONDS = 5;

  /**
   * What a GPU does now; a value that it does not tell is NaN.
   *
   * @param memoryUsedMebibytes memory in use, by all processes
   * @param utilizationPercent share of the last sample period in which a kernel ran, in 0..100
   * @param powerWatts drawn now
   */
  record Reading(double memoryUsedMebibytes, double utilizationPercent, double powerWatts) {

    /** Parses a line of {@code --format=csv,noheader,nounits}. */
    static Optional<Reading> of(String line) {
      List<String> values = List.of(line.strip().split("\\s*,\\s*"));
      return values.size() == 3
          ? Optional.of(
              new Reading(number(values.get(0)), number(values.get(1)), number(values.get(2))))
          : Optional.empty();
    }

    private static double number(String text) {
      try {
        return Double.parseDouble(text);
      } catch (NumberFormatException e) {
        return Double.NaN;
      }
    }
  }

  /** The command that the machine finds by its name. */
  public static NvidiaSmi onPath() {
    return new NvidiaSmi("nvidia-smi");
  }

  /** The one that {@code spark.lockstep.nvidiaSmi} names, or that of the path. */
  static NvidiaSmi of(SparkConf spark) {
    return new NvidiaSmi(spark.get("spark.lockstep.nvidiaSmi", onPath().command));
  }

  /** Reads a GPU; empty where the command or the GPU is absent. */
  Optional<Reading> read(String address) {
    return query(FIELDS, "--id=" + address).flatMap(Reading::of);
  }

  /** Reads every GPU with one process, by address; empty where the command or GPUs are absent. */
  Map<String, Reading> readAll() {
    Map<String, Reading> readings = new LinkedHashMap<>();
    query("index," + FIELDS)
        .ifPresent(
            lines ->
                lines
                    .lines()
                    .map(line -> line.split(",", 2))
                    .filter(parts -> parts.length == 2)
                    .forEach(
                        parts ->
                            Reading.of(parts[1])
                                .ifPresent(reading -> readings.put(parts[0].strip(), reading))));
    return readings;
  }

  /**
   * A line of values without units for each GPU.
   *
   * @param fields comma-separated, as {@code nvidia-smi --help-query-gpu} names them
   * @param more options
   * @return empty where the command is absent or has no answer
   */
  public Optional<String> query(String fields, String... more) {
    List<String> words = new ArrayList<>(List.of(command));
    words.addAll(List.of(more));
    words.add("--query-gpu=" + fields);
    words.add("--format=csv,noheader,nounits");
    try {
      Process process =
          new ProcessBuilder(words).redirectError(ProcessBuilder.Redirect.DISCARD).start();
      try {
        // A line a GPU is far smaller than a pipe's buffer: the command never waits for its reader.
        if (!process.waitFor(TIMEOUT_SECONDS, TimeUnit.SECONDS) || process.exitValue() != 0) {
          return Optional.empty();
        }
        return Optional.of(
            new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8));
      } finally {
        process.destroyForcibly();
      }
    } catch (IOException e) {
      LOG.debug("no {} here", command, e);
      return Optional.empty();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Optional.empty();
    }
  }
}
