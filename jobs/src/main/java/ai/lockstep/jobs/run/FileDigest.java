package ai.lockstep.jobs.run;

import ai.lockstep.failure.LockstepException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.stream.Stream;

/** Tells whether an input is the one that an earlier command had. */
public final class FileDigest {

  private FileDigest() {}

  /** Hex MD5 of a file's bytes, or of all files of a folder in the order of their paths. */
  public static String md5(Path fileOrFolder) {
    try (Stream<Path> found = Files.walk(fileOrFolder)) {
      MessageDigest digest = MessageDigest.getInstance("MD5");
      for (Path file : found.filter(Files::isRegularFile).sorted().toList()) {
        try (OutputStream out = new DigestOutputStream(OutputStream.nullOutputStream(), digest)) {
          Files.copy(file, out);
        }
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (IOException e) {
      throw LockstepException.environment(
          "Cannot read %s: %s.".formatted(fileOrFolder, e.getMessage()), e);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every JVM has MD5", e);
    }
  }
}
