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
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A LoRA adapter as PEFT saves it ({@code adapter_config.json}, {@code adapter_model.safetensors}),
 * to be merged into the weights when they are loaded: W + scale * B A, in float32.
 *
 * <p>Source: huggingface/peft, {@code tuners/lora/layer.py}: scale = alpha / r, or alpha / sqrt(r)
 * with rank-stabilised LoRA. What would change the sum in any other way (DoRA, trained biases,
 * whole modules, a rank per layer) is refused.
 */
public final class LoraAdapter {

  private static final String CONFIG = "adapter_config.json";
  private static final String TENSORS = "adapter_model.safetensors";

  /** PEFT wraps the model twice: {@code base_model.model.} stands before the model's own names. */
  private static final Pattern FACTOR =
      Pattern.compile("base_model\\.model\\.(.+)\\.lora_([AB])(?:\\.default)?\\.weight");

  /**
   * What is added to one weight.
   *
   * @param a [rank, in]
   * @param b [out, rank]
   * @param scale what B A is multiplied by
   */
  public record Update(StoredTensor a, StoredTensor b, double scale) {}

  private final Path folder;
  private final Map<String, Update> updates;

  private LoraAdapter(Path folder, Map<String, Update> updates) {
    this.folder = folder;
    this.updates = updates;
  }

  /**
   * Reads an adapter and checks it against the checkpoint it is to be merged into.
   *
   * @param shapes the checkpoint's tensors, from {@link CheckpointConfig#tensorShapes}
   */
  public static LoraAdapter read(Path folder, Map<String, long[]> shapes) {
    for (String name : List.of(CONFIG, TENSORS)) {
      if (!Files.exists(folder.resolve(name))) {
        throw cannotMerge(
            folder, "%s is missing. Set model.adapter to a folder saved by PEFT".formatted(name));
      }
    }
    double scale = scale(folder);
    Map<String, StoredTensor> a = new LinkedHashMap<>();
    Map<String, StoredTensor> b = new LinkedHashMap<>();
    List<String> problems = new ArrayList<>();
    SafetensorsFile.read(folder.resolve(TENSORS))
        .forEach(
            (name, tensor) -> {
              Matcher factor = FACTOR.matcher(name);
              if (!factor.matches()) {
                problems.add(name + " is no LoRA factor");
              } else {
                (factor.group(2).equals("A") ? a : b).put(factor.group(1) + ".weight", tensor);
              }
            });
    Map<String, Update> updates = new LinkedHashMap<>();
    a.forEach(
        (weight, factor) -> {
          StoredTensor other = b.remove(weight);
          if (other == null) {
            problems.add(weight + " has lora_A but no lora_B");
          } else if (!fits(shapes.get(weight), factor, other)) {
            problems.add("%s does not take %s and %s".formatted(weight, factor, other));
          } else {
            updates.put(weight, new Update(factor, other, scale));
          }
        });
    b.keySet().forEach(weight -> problems.add(weight + " has lora_B but no lora_A"));
    if (updates.isEmpty() && problems.isEmpty()) {
      problems.add("it holds no tensors");
    }
    if (!problems.isEmpty()) {
      throw cannotMerge(
          folder,
          "%s%s. Use an adapter that was trained on this checkpoint"
              .formatted(
                  problems.get(0),
                  problems.size() > 1 ? " and %d more".formatted(problems.size() - 1) : ""));
    }

    return new LoraAdapter(folder, updates);
  }

  /** Where the adapter lies. */
  public Path folder() {
    return folder;
  }

  /** The updates by the name of the weight they are added to. */
  public Map<String, Update> updates() {
    return Map.copyOf(updates);
  }

  private static double scale(Path folder) {
    JsonNode config;
    try {
      config = new ObjectMapper().readTree(folder.resolve(CONFIG).toFile());
    } catch (IOException e) {
      throw cannotMerge(folder, CONFIG + " is not JSON. Copy or download it again");
    }
    if (!config.path("peft_type").asText().equals("LORA")) {
      throw cannotMerge(
          folder,
          "peft_type is \"%s\"; only \"LORA\" is known"
              .formatted(config.path("peft_type").asText()));
    }
    List<String> unknown = new ArrayList<>();
    for (String flag : List.of("use_dora", "fan_in_fan_out")) {
      if (config.path(flag).asBoolean()) {
        unknown.add(flag);
      }
    }
    for (String collection : List.of("rank_pattern", "alpha_pattern", "modules_to_save")) {
      if (!config.path(collection).isEmpty()) {
        unknown.add(collection);
      }
    }
    if (!config.path("bias").asText("none").equals("none")) {
      unknown.add("bias");
    }
    if (!unknown.isEmpty()) {
      throw cannotMerge(
          folder,
          "it uses %s, which cannot be merged here. Merge it with PEFT and set model.path to the result"
              .formatted(String.join(", ", unknown)));
    }
    int rank = config.path("r").asInt();
    if (rank < 1 || !config.path("lora_alpha").isNumber()) {
      throw cannotMerge(folder, CONFIG + " lacks r or lora_alpha");
    }
    double alpha = config.get("lora_alpha").asDouble();

    return config.path("use_rslora").asBoolean() ? alpha / Math.sqrt(rank) : alpha / rank;
  }

  private static boolean fits(long @Nullable [] weight, StoredTensor a, StoredTensor b) {
    if (weight == null || weight.length != 2) {
      return false;
    }
    long[] left = b.shape();
    long[] right = a.shape();

    return left.length == 2
        && right.length == 2
        && left[1] == right[0]
        && Arrays.equals(weight, new long[] {left[0], right[1]});
  }

  private static LockstepException cannotMerge(Path folder, String reason) {
    return LockstepException.user("Cannot merge the adapter at %s: %s.".formatted(folder, reason));
  }
}
