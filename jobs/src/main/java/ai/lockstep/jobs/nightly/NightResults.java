package ai.lockstep.jobs.nightly;

import ai.lockstep.harness.estimate.TaskTally;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.time.LocalDate;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What a night measured.
 *
 * @param date of the night
 * @param runId names the run in its tables
 * @param dataset {@code dataset.name}
 * @param datasetMd5 of the benchmark's file
 * @param model name of the checkpoint
 * @param modelDigest of the checkpoint
 * @param code version or commit of lockstep
 * @param failedRows samples that could not be decoded
 * @param unjudged samples whose sandbox was lost
 * @param configurations one at least
 */
public record NightResults(
    @JsonProperty("date") LocalDate date,
    @JsonProperty("run_id") String runId,
    @JsonProperty("dataset") String dataset,
    @JsonProperty("dataset_md5") String datasetMd5,
    @JsonProperty("model") String model,
    @JsonProperty("model_digest") String modelDigest,
    @JsonProperty("code") String code,
    @JsonProperty("failed_rows") long failedRows,
    @JsonProperty("unjudged") long unjudged,
    @JsonProperty("configurations") List<Configuration> configurations) {

  public NightResults {
    configurations = List.copyOf(configurations);
  }

  /**
   * What one configuration of the sweep came to.
   *
   * @param label the overrides that tell it apart; the same configuration has the same every night
   * @param configId digest of all that decides results
   * @param tests {@code plus}, or {@code base} when only those ran
   * @param tasks task id to its judged samples, of those that were judged
   * @param tokensPerPass committed tokens over passes; empty when nothing was decoded
   * @param tokensPerSecond tokens in front of eos over seconds of decoding; empty as above
   */
  public record Configuration(
      @JsonProperty("label") String label,
      @JsonProperty("config_id") String configId,
      @JsonProperty("tests") String tests,
      @JsonProperty("tasks") Map<String, TaskTally> tasks,
      @JsonProperty("tokens_per_pass") Optional<Double> tokensPerPass,
      @JsonProperty("tokens_per_second") Optional<Double> tokensPerSecond) {

    public Configuration {
      tasks = new TreeMap<>(tasks);
    }

    /** Mean over the tasks of the share of right samples; 0 without tasks. */
    double passAt1() {
      return tasks.values().stream().mapToDouble(TaskTally::rate).average().orElse(0);
    }
  }

  /** The configuration with that label. */
  Optional<Configuration> labelled(String label) {
    return configurations.stream().filter(one -> one.label.equals(label)).findFirst();
  }

  /** Whether everything was decoded and judged. */
  boolean isWhole() {
    return failedRows == 0 && unjudged == 0;
  }

  /** Whether both measured the same model on the same tasks. */
  boolean isComparable(NightResults other) {
    return dataset.equals(other.dataset)
        && datasetMd5.equals(other.datasetMd5)
        && model.equals(other.model);
  }
}
