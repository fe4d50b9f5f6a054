package ai.lockstep.jobs.run;

import ai.lockstep.failure.LockstepException;
import ai.lockstep.jobs.config.ConfigDigest;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/**
 * What must be the same for a command to go on with an output folder.
 *
 * @param job the job that made the folder
 * @param runId {@code run.id} of the first command; later ones go on under it
 * @param dataset {@code dataset.name}, or {@code prompts}
 * @param datasetMd5 MD5 of the input file; more tasks of the same file may be added later
 * @param inputMd5 digest of the samples that are scored; empty when there are none
 * @param modelDigest digest of the checkpoint; empty when nothing is decoded
 * @param configs config id to the part of the configuration that decides results
 * @param labels config id to what a person tells the configurations apart by, see {@link
 *     PlannedRun#labels}; may be left out, and nothing that must be the same
 */
public record RunManifest(
    @JsonProperty("job") String job,
    @JsonProperty("run_id") String runId,
    @JsonProperty("dataset") String dataset,
    @JsonProperty("dataset_md5") String datasetMd5,
    @JsonProperty("input_md5") String inputMd5,
    @JsonProperty("model_digest") String modelDigest,
    @JsonProperty("configs") Map<String, JsonNode> configs,
    @JsonProperty("labels") Map<String, String> labels) {

  private static final ObjectMapper JSON = new ObjectMapper();

  public RunManifest {
    configs = new TreeMap<>(configs);
    Map<String, String> all = new TreeMap<>();
    configs.keySet().forEach(id -> all.put(id, id));
    // Earlier manifests have none.
    all.putAll(Objects.requireNonNullElse(labels, Map.of()));
    labels = all;
  }

  /** The manifest of a command that is about to run. */
  public static RunManifest of(
      String job, List<PlannedRun> runs, String dataset, String datasetMd5, String modelDigest) {
    Map<String, JsonNode> configs = new TreeMap<>();
    Map<String, String> labels = new TreeMap<>();
    List<String> names = PlannedRun.labels(runs);
    for (int i = 0; i < runs.size(); i++) {
      String id = runs.get(i).config().configId();
      configs.put(id, ConfigDigest.deciding(runs.get(i).composition().resolved()));
      labels.put(id, names.get(i));
    }
    return new RunManifest(
        job, runs.get(0).config().id(), dataset, datasetMd5, "", modelDigest, configs, labels);
  }

  /**
   * Reads the manifest of an earlier run.
   *
   * @throws LockstepException when the file cannot be read or is not a manifest
   */
  public static RunManifest read(Path file) {
    try (InputStream in = Files.newInputStream(file)) {
      return read(in, file.toString());
    } catch (IOException e) {
      throw LockstepException.environment("Cannot read %s: %s.".formatted(file, e.getMessage()), e);
    }
  }

  static RunManifest read(InputStream in, String location) throws IOException {
    try {
      return JSON.readValue(in, RunManifest.class);
    } catch (JacksonException e) {
      throw LockstepException.user(
          "Cannot read %s: it is not a lockstep manifest. Choose another folder."
              .formatted(location),
          e);
    }
  }

  /**
   * A configuration as it was, as far as it decides results.
   *
   * @param configId one of {@code configs}
   * @param rest a resolved configuration that the other keys are taken from
   */
  public ObjectNode config(String configId, ObjectNode rest) {
    ObjectNode whole = rest.deepCopy();
    merge(whole, (ObjectNode) configs.get(configId));
    // Another decoder has other keys: nothing of the rest's may stay.
    whole.set("decode", configs.get(configId).path("decode").deepCopy());
    return whole;
  }

  private static void merge(ObjectNode into, ObjectNode from) {
    for (Map.Entry<String, JsonNode> field : from.properties()) {
      JsonNode before = into.get(field.getKey());
      if (before instanceof ObjectNode map && field.getValue() instanceof ObjectNode value) {
        merge(map, value);
      } else {
        into.set(field.getKey(), field.getValue().deepCopy());
      }
    }
  }

  /** For a command that scores samples. */
  public RunManifest withInputMd5(String newInputMd5) {
    return new RunManifest(
        job, runId, dataset, datasetMd5, newInputMd5, modelDigest, configs, labels);
  }

  /** What differs, as {@code key was x and is y}; empty when {@code now} continues this run. */
  List<String> differences(RunManifest now) {
    List<String> differences = new ArrayList<>();
    compare(differences, "job", job, now.job);
    compare(differences, "dataset.name", dataset, now.dataset);
    compare(differences, "the dataset's MD5", datasetMd5, now.datasetMd5);
    compare(differences, "the samples' MD5", inputMd5, now.inputMd5);
    compare(differences, "the model's digest", modelDigest, now.modelDigest);
    if (!configs.keySet().equals(now.configs.keySet())) {
      Map<String, String> before = leaves(configs.values());
      Map<String, String> after = leaves(now.configs.values());
      TreeMap<String, String> keys = new TreeMap<>(before);
      keys.putAll(after);
      for (String key : keys.keySet()) {
        compare(
            differences,
            key,
            before.getOrDefault(key, "absent"),
            after.getOrDefault(key, "absent"));
      }
    }
    return differences;
  }

  private static void compare(List<String> differences, String key, String before, String now) {
    if (!Objects.equals(before, now)) {
      differences.add("%s was %s and is %s".formatted(key, before, now));
    }
  }

  /** Dotted keys to values; the values of several configurations are joined by commas. */
  private static Map<String, String> leaves(Iterable<JsonNode> configs) {
    Map<String, String> leaves = new TreeMap<>();
    for (JsonNode config : configs) {
      collect(leaves, "", config);
    }
    return leaves;
  }

  private static void collect(Map<String, String> leaves, String prefix, JsonNode node) {
    if (!node.isObject()) {
      String value = node.isTextual() ? node.asText() : node.toString();
      leaves.merge(
          prefix,
          value,
          (all, one) -> List.of(all.split(",")).contains(one) ? all : all + "," + one);
      return;
    }
    for (Map.Entry<String, JsonNode> field : node.properties()) {
      String key = prefix.isEmpty() ? field.getKey() : prefix + "." + field.getKey();
      collect(leaves, key, field.getValue());
    }
  }
}
