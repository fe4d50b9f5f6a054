package ai.lockstep.jobs.run;

import ai.lockstep.failure.LockstepException;
import ai.lockstep.jobs.config.Composition;
import ai.lockstep.jobs.config.RunConfig;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * One configuration of a run: as it was composed, and checked.
 *
 * @param composition where it comes from
 * @param config typed
 */
public record PlannedRun(Composition composition, RunConfig config) {

  /**
   * Checks every composition.
   *
   * @throws LockstepException when two of a sweep differ in nothing that decides results
   */
  public static List<PlannedRun> of(List<Composition> compositions) {
    List<PlannedRun> runs = new ArrayList<>();
    Map<String, Integer> jobOfConfig = new HashMap<>();
    for (Composition composition : compositions) {
      RunConfig config = RunConfig.of(composition);
      Integer earlier = jobOfConfig.putIfAbsent(config.configId(), runs.size());
      if (earlier != null) {
        throw LockstepException.user(
            "Cannot sweep: jobs #%d and #%d (%s) differ in nothing that decides results. Sweep over keys of model, decode or harness."
                .formatted(earlier, runs.size(), String.join(" ", composition.overrides())));
      }
      runs.add(new PlannedRun(composition, config));
    }
    return runs;
  }

  /** How a person tells the runs of a command apart: by the overrides that not all of them have. */
  public static List<String> labels(List<PlannedRun> runs) {
    List<String> shared = new ArrayList<>(runs.get(0).composition.overrides());
    runs.forEach(run -> shared.retainAll(run.composition.overrides()));
    List<String> labels = new ArrayList<>();
    for (PlannedRun run : runs) {
      List<String> own = new ArrayList<>(run.composition.overrides());
      own.removeAll(shared);
      labels.add(own.isEmpty() ? run.config.configId() : String.join(" ", own));
    }
    return labels;
  }

  /** Ids of the configurations, in their order. */
  public static List<String> configIds(List<PlannedRun> runs) {
    return runs.stream().map(run -> run.config.configId()).toList();
  }

  /** The resolved configuration as JSON, for executors and tables. */
  public String json() {
    return composition.resolved().toString();
  }
}
