package ai.lockstep.datasets;

import ai.lockstep.failure.LockstepException;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * A benchmark family. It decides how a task's JSON arguments become Python values and which special
 * oracles apply, so it is a property of the task, read off its id.
 */
public enum Suite {
  /** HumanEval+, task ids {@code HumanEval/0..163}. */
  HUMANEVAL("humanevalplus", "HumanEval/"),
  /** MBPP+, task ids {@code Mbpp/2..809} with gaps. */
  MBPP("mbppplus", "Mbpp/"),
  /** The suite that comes with lockstep, task ids {@code Starter/0..}; plain JSON arguments. */
  STARTER("starter", "Starter/");

  private final String datasetName;
  private final String taskIdPrefix;

  Suite(String datasetName, String taskIdPrefix) {
    this.datasetName = datasetName;
    this.taskIdPrefix = taskIdPrefix;
  }

  /**
   * The suite that {@code dataset.name} names.
   *
   * @throws LockstepException of category user for a name that no suite has
   */
  public static Suite named(String datasetName) {
    return Arrays.stream(values())
        .filter(suite -> suite.datasetName.equals(datasetName))
        .findFirst()
        .orElseThrow(
            () ->
                LockstepException.user(
                    "Cannot use dataset.name="
                        + datasetName
                        + ": the benchmarks are "
                        + Arrays.stream(values())
                            .map(Suite::datasetName)
                            .collect(Collectors.joining(", "))
                        + "."));
  }

  /** The suite that a task id belongs to, judged by its prefix. */
  public static Optional<Suite> ofTask(String taskId) {
    return Arrays.stream(values())
        .filter(suite -> taskId.startsWith(suite.taskIdPrefix))
        .findFirst();
  }

  /** The spelling of {@code dataset.name}. */
  public String datasetName() {
    return datasetName;
  }

  /** What every task id of the suite starts with, slash included. */
  public String taskIdPrefix() {
    return taskIdPrefix;
  }
}
