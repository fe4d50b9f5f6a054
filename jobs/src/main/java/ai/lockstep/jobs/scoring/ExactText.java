package ai.lockstep.jobs.scoring;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * Text in a form that Spark carries unharmed. A string column turns a lone surrogate into a
 * question mark, and a program that Python refuses would become one that passes.
 */
final class ExactText {

  private ExactText() {}

  /** The text's UTF-16 units, big end first, for a binary column. */
  static byte[] bytes(String text) {
    ByteBuffer bytes = ByteBuffer.allocate(text.length() * Character.BYTES);
    bytes.asCharBuffer().put(text);
    return bytes.array();
  }

  /** The text that {@link #bytes} was given. */
  static String of(byte[] bytes) {
    return ByteBuffer.wrap(bytes).asCharBuffer().toString();
  }

  /** Hex SHA-256 of the text in UTF-8; in UTF-16 where a lone surrogate leaves it without UTF-8. */
  static String sha256(String text) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      digest.update(utf8(text));
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every JVM has SHA-256", e);
    }
  }

  private static ByteBuffer utf8(String text) {
    try {
      // A new encoder reports what String.getBytes would replace.
      return StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(text));
    } catch (CharacterCodingException e) {
      return ByteBuffer.wrap(bytes(text));
    }
  }
}
