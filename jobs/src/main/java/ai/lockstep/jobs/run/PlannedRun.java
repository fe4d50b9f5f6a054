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
            "Cannot sweep: jobs #%d and #%d (%s) differ in nothing that decides results. Sweep over keys of model, decode, harness or dataset."
                .formatted(earlier, runs.size(), String.join(" ", composition.overrides())));
      }
      runs.add(new PlannedRun(composition, config));
    }
    return runs;
  }

  /** The resolved configuration as JSON, for executors and tables. */
  public String json() {
    return composition.resolved().toString();
  }
}
