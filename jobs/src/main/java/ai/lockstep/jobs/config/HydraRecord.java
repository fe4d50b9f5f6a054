package ai.lockstep.jobs.config;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The files by which Hydra's users find out later what a run was started with. */
public final class HydraRecord {

  private HydraRecord() {}

  /**
   * The files of one job.
   *
   * @param job name of the command, such as {@code evaluate}
   * @return text by path below the run's folder: {@code .hydra/config.yaml} (the composed
   *     configuration, from which {@code --config-dir .hydra} composes the same again), {@code
   *     .hydra/hydra.yaml} and {@code .hydra/overrides.yaml}
   */
  public static Map<String, String> files(String job, Composition composition) {
    Map<String, String> files = new LinkedHashMap<>();
    files.put(".hydra/config.yaml", composition.yaml());
    files.put(".hydra/hydra.yaml", hydra(job, composition));
    files.put(".hydra/overrides.yaml", YamlText.write(list(composition.overrides())));
    return files;
  }

  /** The text of {@code multirun.yaml}: what was typed, and the overrides of each job. */
  public static String multirun(String job, List<String> overrides, List<List<String>> jobs) {
    ObjectNode root = JsonNodeFactory.instance.objectNode();
    ObjectNode hydra = root.putObject("hydra");
    hydra.put("mode", "MULTIRUN");
    hydra.putObject("job").put("name", job);
    hydra.putObject("overrides").set("task", list(overrides));
    ArrayNode all = root.putArray("jobs");
    jobs.forEach(one -> all.add(list(one)));
    return YamlText.write(root);
  }

  private static String hydra(String job, Composition composition) {
    ObjectNode root = JsonNodeFactory.instance.objectNode();
    ObjectNode hydra = root.putObject("hydra");
    ObjectNode described = hydra.putObject("job");
    described.put("name", job);
    described.put("config_name", composition.configName());
    described.put("override_dirname", String.join(",", composition.overrides()));
    hydra.putObject("overrides").set("task", list(composition.overrides()));
    ObjectNode choices = hydra.putObject("runtime").putObject("choices");
    composition.choices().forEach(choices::put);
    return YamlText.write(root);
  }

  private static ArrayNode list(List<String> texts) {
    ArrayNode list = JsonNodeFactory.instance.arrayNode();
    texts.forEach(list::add);
    return list;
  }
}
