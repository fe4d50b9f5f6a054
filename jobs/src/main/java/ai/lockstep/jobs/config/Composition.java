package ai.lockstep.jobs.config;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A composed configuration and how it came about.
 *
 * <p>The trees are copied on the way in and out, so a composition does not change.
 */
public final class Composition {

  private final String configName;
  private final Map<String, String> choices;
  private final List<String> overrides;
  private final ObjectNode tree;
  private final ObjectNode resolved;

  Composition(
      String configName,
      Map<String, String> choices,
      List<String> overrides,
      ObjectNode tree,
      ObjectNode resolved) {
    this.configName = configName;
    this.choices = Map.copyOf(choices);
    this.overrides = List.copyOf(overrides);
    this.tree = tree.deepCopy();
    this.resolved = resolved.deepCopy();
  }

  /** The primary file, without suffix. */
  public String configName() {
    return configName;
  }

  /** The chosen option of each group, sorted by group: {@code decode -> lockstep}. */
  public Map<String, String> choices() {
    return new TreeMap<>(choices);
  }

  /** The overrides, as they were typed. */
  public List<String> overrides() {
    return overrides;
  }

  /** Whether an override names the key. */
  public boolean sets(String key) {
    return overrides.stream().anyMatch(text -> ConfigOverride.parse(text).key().equals(key));
  }

  /** The merged tree with interpolations as they were written. */
  public ObjectNode tree() {
    return tree.deepCopy();
  }

  /** The merged tree with interpolations resolved; {@code ???} where a value is still missing. */
  public ObjectNode resolved() {
    return resolved.deepCopy();
  }

  /** What {@code --cfg job} prints. */
  public String yaml() {
    return YamlText.write(tree);
  }

  /** What {@code --cfg job --resolve} prints. */
  public String resolvedYaml() {
    return YamlText.write(resolved);
  }
}
