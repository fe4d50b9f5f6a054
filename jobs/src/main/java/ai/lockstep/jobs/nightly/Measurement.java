package ai.lockstep.jobs.nightly;

import ai.lockstep.jobs.run.RunManifest;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What a night's run measures. Two that are equal would come to the same, but for the speed:
 * decoding depends on nothing else.
 *
 * @param code version or commit of lockstep
 * @param modelDigest of the checkpoint
 * @param datasetMd5 of the benchmark's file
 * @param tasks ids of its tasks that are decoded
 * @param samples of a task
 * @param configs what else decides results; not where checkpoint and file lie, whose digests tell
 *     more
 */
public record Measurement(
    String code,
    String modelDigest,
    String datasetMd5,
    Set<String> tasks,
    int samples,
    Set<String> configs) {

  /** Keys of a configuration that say where something lies, by their group. */
  private static final Map<String, List<String>> PLACES =
      Map.of(
          "model", List.of("path", "adapter", "hf_name", "revision"),
          "dataset", List.of("path"));

  public Measurement {
    tasks = Set.copyOf(tasks);
    configs = Set.copyOf(configs);
  }

  /**
   * What a run would measure.
   *
   * @param manifest the run's
   */
  public static Measurement of(RunManifest manifest, String code, Set<String> tasks, int samples) {
    return new Measurement(
        code,
        manifest.modelDigest(),
        manifest.datasetMd5(),
        tasks,
        samples,
        manifest.configs().values().stream()
            .map(Measurement::withoutPlaces)
            .collect(Collectors.toSet()));
  }

  /** What a night measured: the tasks of its first configuration, which are those of all. */
  public static Measurement of(NightResults night, RunManifest manifest) {
    NightResults.Configuration first = night.configurations().get(0);
    return of(
        manifest,
        night.code(),
        first.tasks().keySet(),
        first.tasks().values().stream().mapToInt(tally -> tally.samples()).max().orElse(0));
  }

  private static String withoutPlaces(JsonNode config) {
    JsonNode copy = config.deepCopy();
    PLACES.forEach(
        (group, keys) -> {
          if (copy.path(group) instanceof ObjectNode map) {
            map.remove(keys);
          }
        });
    return copy.toString();
  }
}
