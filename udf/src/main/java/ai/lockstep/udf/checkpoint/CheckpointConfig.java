package ai.lockstep.udf.checkpoint;

import ai.lockstep.failure.LockstepException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * What {@code config.json} says of a Dream checkpoint. Every value is read: the defaults of {@code
 * configuration_dream.py} (vocabulary 151,936, hidden 4,096) are not those of any published
 * checkpoint.
 *
 * @param vocabSize rows of the embedding and of the output head
 * @param hiddenSize width of the residual stream
 * @param intermediateSize width of the gated MLP
 * @param layers number of transformer layers
 * @param heads query heads
 * @param kvHeads key and value heads; divides {@code heads}
 * @param headSize width of a head; even, for the rotary halves
 * @param ropeTheta base of the rotary angles
 * @param rmsNormEps added to the mean square
 * @param maskId the mask token
 * @param padId the padding token
 * @param eosIds end tokens, at least one
 * @param maxPositions longest row the config allows
 * @param tiedHead whether the output head is the embedding
 */
public record CheckpointConfig(
    int vocabSize,
    int hiddenSize,
    int intermediateSize,
    int layers,
    int heads,
    int kvHeads,
    int headSize,
    double ropeTheta,
    double rmsNormEps,
    int maskId,
    int padId,
    List<Integer> eosIds,
    int maxPositions,
    boolean tiedHead) {

  private static final String FILE = "config.json";
  private static final String MODEL_TYPE = "Dream";

  private static final List<String> REQUIRED =
      List.of(
          "vocab_size",
          "hidden_size",
          "intermediate_size",
          "num_hidden_layers",
          "num_attention_heads",
          "num_key_value_heads",
          "rope_theta",
          "rms_norm_eps",
          "hidden_act",
          "mask_token_id",
          "pad_token_id",
          "eos_token_id",
          "max_position_embeddings",
          "tie_word_embeddings");

  private static final int FOLDER_ENTRIES_SHOWN = 5;

  public CheckpointConfig {
    eosIds = List.copyOf(eosIds);
  }

  /** Reads and checks a checkpoint folder's {@code config.json}. */
  public static CheckpointConfig read(Path folder) {
    Path file = folder.resolve(FILE);
    if (!Files.isDirectory(folder)) {
      throw cannotLoad(
          folder,
          "there is no such folder. Set model.path to a folder with config.json and the weights");
    }
    if (!Files.exists(file)) {
      throw cannotLoad(
          folder,
          "config.json is missing (the folder holds %s). Set model.path to a checkpoint folder"
              .formatted(listing(folder)));
    }
    JsonNode config;
    try {
      config = new ObjectMapper().readTree(file.toFile());
    } catch (IOException e) {
      throw LockstepException.user(
          "Cannot load Dream from %s: config.json is not JSON. Copy or download it again."
              .formatted(folder),
          e);
    }
    requireArchitecture(folder, config);
    int hiddenSize = config.get("hidden_size").asInt();
    int heads = config.get("num_attention_heads").asInt();
    CheckpointConfig read =
        new CheckpointConfig(
            config.get("vocab_size").asInt(),
            hiddenSize,
            config.get("intermediate_size").asInt(),
            config.get("num_hidden_layers").asInt(),
            heads,
            config.get("num_key_value_heads").asInt(),
            config.path("head_dim").asInt(heads == 0 ? 0 : hiddenSize / heads),
            config.get("rope_theta").asDouble(),
            config.get("rms_norm_eps").asDouble(),
            config.get("mask_token_id").asInt(),
            config.get("pad_token_id").asInt(),
            ids(config.get("eos_token_id")),
            config.get("max_position_embeddings").asInt(),
            config.get("tie_word_embeddings").asBoolean());
    read.requireConsistent(folder);

    return read;
  }

  /** Every tensor of the checkpoint by its name in the files, with its shape, in loading order. */
  public Map<String, long[]> tensorShapes() {
    long hidden = hiddenSize;
    long query = (long) heads * headSize;
    long keyValue = (long) kvHeads * headSize;
    Map<String, long[]> shapes = new LinkedHashMap<>();
    shapes.put("model.embed_tokens.weight", new long[] {vocabSize, hidden});
    for (int layer = 0; layer < layers; layer++) {
      String prefix = "model.layers." + layer + ".";
      shapes.put(prefix + "input_layernorm.weight", new long[] {hidden});
      shapes.put(prefix + "self_attn.q_proj.weight", new long[] {query, hidden});
      shapes.put(prefix + "self_attn.q_proj.bias", new long[] {query});
      shapes.put(prefix + "self_attn.k_proj.weight", new long[] {keyValue, hidden});
      shapes.put(prefix + "self_attn.k_proj.bias", new long[] {keyValue});
      shapes.put(prefix + "self_attn.v_proj.weight", new long[] {keyValue, hidden});
      shapes.put(prefix + "self_attn.v_proj.bias", new long[] {keyValue});
      shapes.put(prefix + "self_attn.o_proj.weight", new long[] {hidden, query});
      shapes.put(prefix + "post_attention_layernorm.weight", new long[] {hidden});
      shapes.put(prefix + "mlp.gate_proj.weight", new long[] {intermediateSize, hidden});
      shapes.put(prefix + "mlp.up_proj.weight", new long[] {intermediateSize, hidden});
      shapes.put(prefix + "mlp.down_proj.weight", new long[] {hidden, intermediateSize});
    }
    shapes.put("model.norm.weight", new long[] {hidden});
    if (!tiedHead) {
      shapes.put("lm_head.weight", new long[] {vocabSize, hidden});
    }

    return shapes;
  }

  private static void requireArchitecture(Path folder, JsonNode config) {
    String modelType = config.path("model_type").asText("");
    if (!modelType.equals(MODEL_TYPE)) {
      throw cannotLoad(
          folder,
          "config.json says model_type \"%s\"; only \"%s\" is known. Set model.path or model.hf_name to a Dream checkpoint"
              .formatted(modelType, MODEL_TYPE));
    }
    List<String> missing = REQUIRED.stream().filter(name -> !config.hasNonNull(name)).toList();
    if (!missing.isEmpty()) {
      throw cannotLoad(
          folder,
          "config.json lacks %s. Use the config.json that was published with the weights"
              .formatted(String.join(", ", missing)));
    }
    if (!config.get("hidden_act").asText().equals("silu")) {
      throw cannotLoad(
          folder,
          "config.json says hidden_act \"%s\"; only \"silu\" is known"
              .formatted(config.get("hidden_act").asText()));
    }
    if (config.hasNonNull("rope_scaling")) {
      throw cannotLoad(
          folder,
          "config.json asks for rope_scaling %s; only null is known"
              .formatted(config.get("rope_scaling")));
    }
  }

  private void requireConsistent(Path folder) {
    List<String> problems = new ArrayList<>();
    if (Stream.of(vocabSize, hiddenSize, intermediateSize, layers, heads, kvHeads, maxPositions)
        .anyMatch(size -> size < 1)) {
      problems.add("every size must be at least 1");
    } else if (heads % kvHeads != 0) {
      problems.add(
          "num_attention_heads=%d is no multiple of num_key_value_heads=%d"
              .formatted(heads, kvHeads));
    }
    if (headSize < 2 || headSize % 2 != 0) {
      problems.add("heads are %d wide, and must be even".formatted(headSize));
    }
    if (Stream.concat(Stream.of(maskId, padId), eosIds.stream())
        .anyMatch(id -> id < 0 || id >= vocabSize)) {
      problems.add(
          "mask, pad and eos ids %d, %d and %s do not all lie below vocab_size=%d"
              .formatted(maskId, padId, eosIds, vocabSize));
    }
    if (!problems.isEmpty()) {
      throw cannotLoad(
          folder, "config.json contradicts itself: %s".formatted(String.join("; ", problems)));
    }
  }

  private static List<Integer> ids(JsonNode value) {
    List<Integer> ids = new ArrayList<>();
    if (value.isArray()) {
      value.forEach(id -> ids.add(id.asInt(-1)));
    } else {
      ids.add(value.asInt(-1));
    }

    return ids;
  }

  private static String listing(Path folder) {
    try (Stream<Path> entries = Files.list(folder)) {
      List<String> names = entries.map(entry -> entry.getFileName().toString()).sorted().toList();
      if (names.isEmpty()) {
        return "nothing";
      }
      String shown =
          String.join(", ", names.subList(0, Math.min(names.size(), FOLDER_ENTRIES_SHOWN)));

      return names.size() > FOLDER_ENTRIES_SHOWN ? shown + ", ..." : shown;
    } catch (IOException e) {
      return "what cannot be listed";
    }
  }

  private static LockstepException cannotLoad(Path folder, String reason) {
    return LockstepException.user("Cannot load Dream from %s: %s.".formatted(folder, reason));
  }
}
