package ai.lockstep.jobs.tracking;

import ai.lockstep.jobs.run.PlannedRun;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/**
 * A command as trackers see it when it starts.
 *
 * @param job its name
 * @param overrides as they were typed
 * @param runId {@code run.id}
 * @param location the run's folder
 * @param runs its configurations, one unless it is a sweep
 * @param started when
 */
public record TrackedRun(
    String job,
    List<String> overrides,
    String runId,
    String location,
    List<PlannedRun> runs,
    Instant started) {

  public TrackedRun {
    overrides = List.copyOf(overrides);
    runs = List.copyOf(runs);
  }

  /** Whether the command, given once more, does nothing but report; a training is refused. */
  public boolean isRepeatable() {
    return !job.equals("train");
  }

  /** Ids of the configurations, in their order. */
  public List<String> configIds() {
    return PlannedRun.configIds(runs);
  }

  /** What tells the configurations apart, in their order. */
  public List<String> labels() {
    return PlannedRun.labels(runs);
  }

  /** All configurations in one tree, see {@link SweepConfig#merged}. */
  public ObjectNode mergedConfig() {
    return SweepConfig.merged(resolved());
  }

  /** Dotted keys in which the configurations differ, with one value each. */
  public Map<String, List<JsonNode>> differences() {
    return SweepConfig.differences(resolved());
  }

  private List<ObjectNode> resolved() {
    return runs.stream().map(run -> run.composition().resolved()).toList();
  }
}
