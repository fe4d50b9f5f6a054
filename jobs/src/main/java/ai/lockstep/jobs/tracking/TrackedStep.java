package ai.lockstep.jobs.tracking;

import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A point of a series that a job measures as it goes.
 *
 * @param series in front of the measures' names, such as {@code train}
 * @param number of the step, from 1
 * @param measures by name, in the order to be shown
 * @param at when it was measured
 */
public record TrackedStep(String series, long number, Map<String, Double> measures, Instant at) {

  public TrackedStep {
    measures = new LinkedHashMap<>(measures);
  }

  /** The measures with the series in front: {@code train/loss}. */
  public Map<String, Double> named() {
    Map<String, Double> named = new LinkedHashMap<>();
    measures.forEach((name, value) -> named.put(series + "/" + name, value));
    return named;
  }

  /** What the measures are drawn over: {@code train/step}. */
  public String over() {
    return series + "/step";
  }
}
