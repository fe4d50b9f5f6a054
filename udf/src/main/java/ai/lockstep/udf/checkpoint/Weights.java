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

/**
 * The tensors of a checkpoint folder, from one {@code model.safetensors} or from the shards that
 * {@code model.safetensors.index.json} lists. Holds no open file; bytes are mapped when asked for.
 */
public final class Weights {

  private static final String INDEX = "model.safetensors.index.json";
  private static final String SINGLE = "model.safetensors";

  /** A wrong checkpoint lacks hundreds of tensors; nobody reads more names than this. */
  private static final int MAX_PROBLEMS_SHOWN = 8;

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
   * Checks that every tensor is there in its shape; further tensors are ignored.
   *
   * @param shapes the shape of every tensor needed
   */
  public void require(Map<String, long[]> shapes) {
    List<String> problems = new ArrayList<>();
    shapes.forEach(
        (name, shape) -> {
          StoredTensor tensor = tensors.get(name);
          if (tensor == null) {
            problems.add(name + " is missing");
          } else if (!Arrays.equals(tensor.shape(), shape)) {
            problems.add(
                "%s is %s instead of %s"
                    .formatted(name, Arrays.toString(tensor.shape()), Arrays.toString(shape)));
          }
        });
    if (!problems.isEmpty()) {
      int shown = Math.min(problems.size(), MAX_PROBLEMS_SHOWN);
      String rest =
          problems.size() > shown ? " and %d more".formatted(problems.size() - shown) : "";
      throw LockstepException.user(
          "Cannot load Dream from %s: the weights do not fit config.json: %s%s. Use config.json and weights of one checkpoint."
              .formatted(folder, String.join(", ", problems.subList(0, shown)), rest));
    }
  }
}
