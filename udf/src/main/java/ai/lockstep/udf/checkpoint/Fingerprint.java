package ai.lockstep.udf.checkpoint;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/**
 * Tells contents of checkpoint folders apart without reading 15 GB: a SHA-256 over config.json and,
 * for every weights file, its name, its size, its beginning and pieces spread over the rest.
 * Training changes every tensor, so a sample sees it; it is no protection against forgery.
 */
final class Fingerprint {

  private static final int PIECES = 64;
  private static final int PIECE_BYTES = 64 * 1024;
  private static final int CHARACTERS = 16;

  private Fingerprint() {}

  /** The fingerprint of a checkpoint folder. */
  static String of(Path folder) {
    return digest(folder.resolve("config.json"), Weights.files(folder));
  }

  /** The fingerprint of an adapter folder. */
  static String ofAdapter(Path folder) {
    return digest(
        folder.resolve("adapter_config.json"),
        List.of(folder.resolve("adapter_model.safetensors")));
  }

  /** The fingerprint of a model that is one file. */
  static String ofFile(Path file) {
    return digest(new byte[0], List.of(file));
  }

  private static String digest(Path config, List<Path> weights) {
    try {
      return digest(Files.readAllBytes(config), weights);
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot read " + config, e);
    }
  }

  private static String digest(byte[] config, List<Path> weights) {
    try {
      MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
      sha256.update(config);
      for (Path file : weights) {
        sample(file, sha256);
      }

      return HexFormat.of().formatHex(sha256.digest()).substring(0, CHARACTERS);
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot read the weights in " + weights, e);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every JDK has SHA-256", e);
    }
  }

  private static void sample(Path file, MessageDigest sha256) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      long size = channel.size();
      sha256.update((file.getFileName() + "\n" + size + "\n").getBytes(StandardCharsets.UTF_8));
      long stride = Math.max(PIECE_BYTES, size / PIECES);
      ByteBuffer piece = ByteBuffer.allocate(PIECE_BYTES);
      for (long position = 0; position < size; position += stride) {
        piece.clear();
        while (piece.hasRemaining() && channel.read(piece, position + piece.position()) >= 0) {
          // A read may be short of the piece.
        }
        sha256.update(piece.flip());
      }
    }
  }
}
