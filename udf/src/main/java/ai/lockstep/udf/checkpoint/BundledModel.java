package ai.lockstep.udf.checkpoint;

import ai.lockstep.failure.LockstepException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Lays a model that ships inside the jar down in the cache folder, once per content.
 *
 * <p>The folder is named by a digest of the content, each file appears by an atomic rename, and all
 * writers write the same bytes: processes that unpack at the same time do not disturb each other,
 * and an interrupted one is completed by the next.
 */
final class BundledModel {

  private static final String ROOT = "/ai/lockstep/udf/models/";

  /** What a hub folder may hold. Resources cannot be listed, so the names are tried. */
  private static final List<String> FILES =
      List.of(
          "config.json",
          "generation_config.json",
          "model.safetensors",
          "tokenizer.json",
          "vocab.json",
          "merges.txt",
          "added_tokens.json",
          "special_tokens_map.json",
          "tokenizer_config.json",
          "README.md");

  private static final int DIGEST_CHARACTERS = 16;

  /**
   * A model laid down.
   *
   * @param folder where its files are
   * @param digest of all names and contents
   */
  record Unpacked(Path folder, String digest) {}

  private BundledModel() {}

  /**
   * Unpacks a bundled model below {@code cache/models}.
   *
   * @param cache the cache folder of lockstep
   */
  static Unpacked unpack(String name, Path cache) {
    Map<String, byte[]> files = new LinkedHashMap<>();
    try {
      for (String file : FILES) {
        try (InputStream resource =
            BundledModel.class.getResourceAsStream(ROOT + name + "/" + file)) {
          if (resource != null) {
            files.put(file, resource.readAllBytes());
          }
        }
      }
      if (!files.containsKey("config.json")) {
        throw LockstepException.user(
            "Cannot load the bundled model %s: this build of lockstep has none of that name. Set model.path or model.hf_name instead."
                .formatted(name));
      }
      String digest = digest(files);
      Path folder = cache.resolve("models").resolve(name + "-" + digest);
      Files.createDirectories(folder);
      for (Map.Entry<String, byte[]> file : files.entrySet()) {
        write(folder.resolve(file.getKey()), file.getValue());
      }

      return new Unpacked(folder, digest);
    } catch (IOException e) {
      throw LockstepException.environment(
          "Cannot unpack the bundled model %s to %s (%s). Make the folder writable or set LOCKSTEP_CACHE to one that is."
              .formatted(name, cache, e),
          e);
    }
  }

  private static void write(Path target, byte[] content) throws IOException {
    if (Files.exists(target) && Files.size(target) == content.length) {
      return;
    }

    Path temporary =
        Files.createTempFile(target.getParent(), target.getFileName().toString(), ".part");
    try {
      Files.write(temporary, content);
      Files.move(
          temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(temporary);
    }
  }

  private static String digest(Map<String, byte[]> files) {
    MessageDigest sha256;
    try {
      sha256 = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every JDK has SHA-256", e);
    }
    files.forEach(
        (name, content) -> {
          sha256.update((name + "\n" + content.length + "\n").getBytes(StandardCharsets.UTF_8));
          sha256.update(content);
        });

    return HexFormat.of().formatHex(sha256.digest()).substring(0, DIGEST_CHARACTERS);
  }
}
