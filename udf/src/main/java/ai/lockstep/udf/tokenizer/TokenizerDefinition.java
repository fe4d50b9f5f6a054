package ai.lockstep.udf.tokenizer;

import ai.lockstep.failure.LockstepException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * The {@code tokenizer.json} of a checkpoint: its own, or one put together from {@code vocab.json},
 * {@code merges.txt}, {@code added_tokens.json} and {@code tokenizer_config.json}, because the hub
 * folders of the Dream family have no {@code tokenizer.json} and generic converters fail on them
 * (DreamLM/Dream issue 81).
 *
 * <p>Source: Dream's {@code tokenization_dream.py}. Known difference: the slow class normalises
 * before it splits off added tokens, so that U+0338 directly after one fuses with its last
 * character; here the added token stays.
 */
final class TokenizerDefinition {

  /** Pieces that BPE works on; a digit is a piece of its own. */
  private static final String PIECES =
      "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}"
          + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

  /** Qwen2.5's added tokens that are ordinary text when special tokens are skipped. */
  private static final Set<String> NOT_SPECIAL =
      Set.of(
          "<tool_call>",
          "</tool_call>",
          "<|fim_prefix|>",
          "<|fim_middle|>",
          "<|fim_suffix|>",
          "<|fim_pad|>",
          "<|repo_name|>",
          "<|file_sep|>");

  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

  private TokenizerDefinition() {}

  /** Reads a tokenizer.json, or reads or builds the one of a checkpoint folder. */
  static JsonNode of(Path location) {
    if (Files.isRegularFile(location)) {
      return read(location);
    }
    Path ready = location.resolve("tokenizer.json");

    return Files.exists(ready) ? read(ready) : build(location);
  }

  /** Puts a definition together from the files of the slow tokenizer. */
  static ObjectNode build(Path folder) {
    List<String> missing =
        List.of("vocab.json", "merges.txt").stream()
            .filter(name -> !Files.exists(folder.resolve(name)))
            .toList();
    if (!missing.isEmpty()) {
      throw LockstepException.user(
          "Cannot load the tokenizer from %s: there is no tokenizer.json, and %s to build one from %s missing. Copy the tokenizer's files from the hub there."
              .formatted(
                  folder, String.join(" and ", missing), missing.size() == 1 ? "is" : "are"));
    }
    ObjectNode definition = JSON.objectNode();
    definition.put("version", "1.0");
    definition.putNull("truncation");
    definition.putNull("padding");
    definition.set("added_tokens", addedTokens(folder));
    definition.putObject("normalizer").put("type", "NFC");
    ObjectNode preTokenizer = definition.putObject("pre_tokenizer");
    preTokenizer.put("type", "Sequence");
    ArrayNode steps = preTokenizer.putArray("pretokenizers");
    ObjectNode split = steps.addObject();
    split.put("type", "Split");
    split.putObject("pattern").put("Regex", PIECES);
    split.put("behavior", "Isolated");
    split.put("invert", false);
    steps.add(byteLevel());
    definition.set("post_processor", byteLevel());
    definition.set("decoder", byteLevel());
    definition.set("model", model(folder));

    return definition;
  }

  private static ObjectNode byteLevel() {
    return JSON.objectNode()
        .put("type", "ByteLevel")
        .put("add_prefix_space", false)
        .put("trim_offsets", false)
        .put("use_regex", false);
  }

  private static ObjectNode model(Path folder) {
    ObjectNode model = JSON.objectNode();
    model.put("type", "BPE");
    model.putNull("dropout");
    model.putNull("unk_token");
    model.put("continuing_subword_prefix", "");
    model.put("end_of_word_suffix", "");
    model.put("fuse_unk", false);
    model.put("byte_fallback", false);
    model.set("vocab", read(folder.resolve("vocab.json")));
    ArrayNode merges = model.putArray("merges");
    for (String line : readLines(folder.resolve("merges.txt"))) {
      merges.add(line);
    }

    return model;
  }

  /** The merges in order, without the version line and the empty last one. */
  private static List<String> readLines(Path file) {
    try {
      // Not String.lines(): a merge may hold a lone carriage return's neighbour, never a newline.
      List<String> lines = List.of(Files.readString(file).split("\n"));
      return lines.stream()
          .filter(line -> !line.isEmpty())
          .skip(lines.get(0).startsWith("#version:") ? 1 : 0)
          .toList();
    } catch (IOException e) {
      throw unreadable(file, e);
    }
  }

  private static ArrayNode addedTokens(Path folder) {
    Path configFile = folder.resolve("tokenizer_config.json");
    JsonNode decoder =
        Files.exists(configFile)
            ? read(configFile).path("added_tokens_decoder")
            : JSON.objectNode();
    Map<Integer, String> tokens = new TreeMap<>();
    decoder
        .properties()
        .forEach(
            entry ->
                tokens.put(
                    Integer.valueOf(entry.getKey()), entry.getValue().path("content").asText()));
    Path addedFile = folder.resolve("added_tokens.json");
    if (Files.exists(addedFile)) {
      read(addedFile)
          .properties()
          .forEach(entry -> tokens.put(entry.getValue().asInt(), entry.getKey()));
    }
    ArrayNode added = JSON.arrayNode();
    tokens.forEach(
        (id, content) -> {
          boolean special =
              decoder
                  .path(String.valueOf(id))
                  .path("special")
                  .asBoolean(!NOT_SPECIAL.contains(content));
          added
              .addObject()
              .put("id", id)
              .put("content", content)
              .put("single_word", false)
              .put("lstrip", false)
              .put("rstrip", false)
              .put("normalized", false)
              .put("special", special);
        });

    return added;
  }

  private static JsonNode read(Path file) {
    try {
      return new ObjectMapper().readTree(file.toFile());
    } catch (IOException e) {
      throw unreadable(file, e);
    }
  }

  private static LockstepException unreadable(Path file, IOException cause) {
    return LockstepException.user(
        "Cannot read %s of the tokenizer. Copy or download it again.".formatted(file), cause);
  }
}
