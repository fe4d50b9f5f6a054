package ai.lockstep.udf.checkpoint;

import ai.lockstep.failure.LockstepException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The tensors of a checkpoint folder, from one {@code model.safetensors} or from the shards that
 * {@code model.safetensors.index.json} lists. Holds no open file; bytes are mapped when asked for.
 */
public final class Weights {

  private static final String INDEX = "model.safetensors.index.json";
  private static final String SINGLE = "model.safetensors";

  private static final Pattern LAYER = Pattern.compile("\\.layers\\.(\\d+)\\.");

  private final Path folder;
  private final Map<String, StoredTensor> tensors;

  private Weights(Path folder, Map<String, StoredTensor> tensors) {
    this.folder = folder;
    this.tensors = tensors;
  }

  /** Reads the headers of all files. */
  public static Weights open(Path folder) {
    Map<String, StoredTensor> tensors = new LinkedHashMap<>();
    for (Path file : files(folder)) {
      tensors.putAll(SafetensorsFile.read(file));
    }

    return new Weights(folder, tensors);
  }

  /** Reads the header of one file, whatever it is called. */
  public static Weights ofFile(Path file) {
    return new Weights(file, SafetensorsFile.read(file));
  }

  /** The safetensors files of a checkpoint folder, in the order of their names; all exist. */
  static List<Path> files(Path folder) {
    Path index = folder.resolve(INDEX);
    if (!Files.exists(index)) {
      Path single = folder.resolve(SINGLE);
      if (!Files.exists(single)) {
        throw LockstepException.user(
            "Cannot load Dream from %s: neither %s nor %s is there. Set model.path to a folder with the weights in safetensors."
                .formatted(folder, SINGLE, INDEX));
      }

      return List.of(single);
    }

    List<String> names = shards(index);
    List<String> missing =
        names.stream().filter(name -> !Files.exists(folder.resolve(name))).toList();
    if (!missing.isEmpty()) {
      throw LockstepException.user(
          "Cannot load Dream from %s: %s %s %s missing (listed in %s). Copy or download %s there."
              .formatted(
                  folder,
                  missing.size() == 1 ? "shard" : "shards",
                  String.join(", ", missing),
                  missing.size() == 1 ? "is" : "are",
                  INDEX,
                  missing.size() == 1 ? "it" : "them"));
    }

    return names.stream().map(folder::resolve).toList();
  }

  /** File names an index refers to, sorted. */
  static List<String> shards(Path index) {
    TreeSet<String> names = new TreeSet<>();
    try {
      JsonNode map = new ObjectMapper().readTree(index.toFile()).path("weight_map");
      map.forEach(name -> names.add(name.asText()));
    } catch (IOException e) {
      throw LockstepException.user(
          "Cannot read %s: it is not JSON. Copy or download it again.".formatted(index), e);
    }
    // A name with a folder in it could lead out of the checkpoint.
    if (names.isEmpty() || names.stream().anyMatch(name -> name.contains("/"))) {
      throw LockstepException.user(
          "Cannot read %s: its weight_map names no files beside it. Copy or download it again."
              .formatted(index));
    }

    return List.copyOf(names);
  }

  /** Names of all tensors. */
  public List<String> names() {
    return List.copyOf(tensors.keySet());
  }

  /** The tensor of that name. */
  public StoredTensor tensor(String name) {
    StoredTensor tensor = tensors.get(name);
    if (tensor == null) {
      throw LockstepException.user(
          "Cannot load Dream from %s: tensor %s is missing. Copy or download the weights again."
              .formatted(folder, name));
    }

    return tensor;
  }

  /**
   * Checks that every tensor is there in its shape; further tensors are ignored. One error names
   * everything that is wrong, what is wrong alike in several layers once: {@code
   * model.layers.{0-27}.mlp.up_proj.weight is missing}.
   *
   * @param shapes the shape of every tensor needed
   */
  public void require(Map<String, long[]> shapes) {
    Map<String, List<Integer>> problems = new LinkedHashMap<>();
    shapes.forEach(
        (name, shape) -> {
          String problem = problem(name, shape);
          if (!problem.isEmpty()) {
            Matcher layer = LAYER.matcher(name);
            List<Integer> layers =
                problems.computeIfAbsent(
                    layer.replaceFirst(".layers.{}.") + problem, key -> new ArrayList<>());
            if (layer.reset().find()) {
              layers.add(Integer.valueOf(layer.group(1)));
            }
          }
        });
    if (!problems.isEmpty()) {
      List<String> lines = new ArrayList<>();
      problems.forEach((problem, layers) -> lines.add(problem.replace("{}", ranges(layers))));
      throw LockstepException.user(
          "Cannot load Dream from %s: the weights do not fit config.json: %s. Use config.json and weights of one checkpoint."
              .formatted(folder, String.join(", ", lines)));
    }
  }

  /** What is wrong with a tensor, as the end of a sentence; empty if nothing is. */
  private String problem(String name, long[] shape) {
    StoredTensor tensor = tensors.get(name);
    if (tensor == null) {
      return " is missing";
    }

    return Arrays.equals(tensor.shape(), shape)
        ? ""
        : " is %s instead of %s".formatted(Arrays.toString(tensor.shape()), Arrays.toString(shape));
  }

  /** Ascending numbers: {@code 4}, or {@code {0-3, 7}}. */
  private static String ranges(List<Integer> layers) {
    List<String> ranges = new ArrayList<>();
    for (int i = 0; i < layers.size(); i++) {
      int first = layers.get(i);
      while (i + 1 < layers.size() && layers.get(i + 1) == layers.get(i) + 1) {
        i++;
      }
      ranges.add(layers.get(i) == first ? "" + first : first + "-" + layers.get(i));
    }

    return layers.size() == 1 ? ranges.get(0) : "{%s}".formatted(String.join(", ", ranges));
  }
}
