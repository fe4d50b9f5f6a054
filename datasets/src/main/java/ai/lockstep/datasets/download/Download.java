package ai.lockstep.datasets.download;

import java.net.URI;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * One file to fetch: from where, to where, and how to know that it is the right one.
 *
 * @param source an http or https address
 * @param target the finished file; its folder is made when missing. While it is being fetched the
 *     bytes are in {@code TARGET.incomplete} beside it
 * @param sha256 expected digest in lower-case hex, when known
 * @param bytes expected size, when known
 * @param bearerToken sent as {@code Authorization} to the source's own host and port only
 * @param remedy what the user can do when the file cannot be had, as the end of a sentence, such as
 *     {@code copy the file to this machine and set dataset.path=FILE}
 */
public record Download(
    URI source,
    Path target,
    Optional<String> sha256,
    OptionalLong bytes,
    Optional<String> bearerToken,
    String remedy) {

  private static final String SHA_256_HEX = "[0-9a-f]{64}";

  public Download {
    String scheme = String.valueOf(source.getScheme()).toLowerCase(Locale.ROOT);

    if (!(scheme.equals("http") || scheme.equals("https")) || source.getHost() == null) {
      throw new IllegalArgumentException("source must be an http(s) address, not " + source);
    }

    if (sha256.isPresent() && !sha256.get().matches(SHA_256_HEX)) {
      throw new IllegalArgumentException(
          "sha256 must be 64 lower-case hex digits, not " + sha256.get());
    }

    if (bytes.isPresent() && bytes.getAsLong() < 0) {
      throw new IllegalArgumentException("bytes must not be negative, not " + bytes.getAsLong());
    }
  }

  /** A file of which neither digest nor size is known, open to everyone. */
  public static Download of(URI source, Path target, String remedy) {
    return new Download(
        source, target, Optional.empty(), OptionalLong.empty(), Optional.empty(), remedy);
  }

  /** The same, accepted only with this digest. */
  public Download withSha256(String expectedSha256) {
    return new Download(source, target, Optional.of(expectedSha256), bytes, bearerToken, remedy);
  }

  /** The same, accepted only with this size. */
  public Download withBytes(long expectedBytes) {
    return new Download(
        source, target, sha256, OptionalLong.of(expectedBytes), bearerToken, remedy);
  }

  /** The same, asked for with an access token. */
  public Download withBearerToken(String token) {
    return new Download(source, target, sha256, bytes, Optional.of(token), remedy);
  }

  /** What the file is called in messages. */
  String name() {
    return target.getFileName().toString();
  }

  /** The address as it may be shown: without user, query and fragment, which can hold secrets. */
  String origin() {
    String port = source.getPort() < 0 ? "" : ":" + source.getPort();
    return source.getScheme() + "://" + source.getHost() + port + source.getPath();
  }

  @Override
  public String toString() {
    return "Download[" + origin() + " -> " + target + "]";
  }
}
