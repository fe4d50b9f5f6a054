package ai.lockstep.datasets.download;

import ai.lockstep.failure.LockstepException;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.channels.UnresolvedAddressException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Fetches files over HTTP(S).
 *
 * <p>A file is written beside its target as {@code TARGET.incomplete}, resumed there after a cut
 * (also by a later process), checked against size and digest, and only then renamed to the target.
 * Resuming happens when the server gave a strong entity tag, which is sent along as {@code
 * If-Range}, or when the digest is known and would notice a mixture; otherwise the file starts
 * over.
 *
 * <p>Redirects are followed here and not by the JDK's client, because a storage server that a hub
 * points to must not receive the hub's access token.
 *
 * <p>Safe for use by several threads.
 */
public final class Downloader {

  private static final Duration CONNECT_LIMIT = Duration.ofSeconds(20);

  /** For the headers of an answer, and for every pause inside a body. */
  private static final Duration STALL_LIMIT = Duration.ofSeconds(60);

  /** As many as browsers of today follow in the hubs' worst case, and a stop for a loop. */
  private static final int MAX_REDIRECTS = 10;

  private static final int PIECE_BYTES = 1 << 16;

  private static final Pattern CONTENT_RANGE = Pattern.compile("bytes (?:(\\d+)-\\d+|\\*)/(\\d+)");

  private final HttpClient client;
  private final RetryPolicy retryPolicy;
  private final Duration stallLimit;

  /** A downloader that tries as often as the policy says. */
  public Downloader(RetryPolicy retryPolicy) {
    this(retryPolicy, STALL_LIMIT);
  }

  Downloader(RetryPolicy retryPolicy, Duration stallLimit) {
    this.client =
        HttpClient.newBuilder()
            .followRedirects(HttpClient.Redirect.NEVER)
            .connectTimeout(CONNECT_LIMIT)
            .build();
    this.retryPolicy = retryPolicy;
    this.stallLimit = stallLimit;
  }

  /**
   * Makes sure that the target is there. A target that already has the expected size and digest
   * (any content, where neither is known) is left alone and nothing is asked of the network.
   *
   * @return the target
   * @throws LockstepException of category environment when the server or the disk fails, or the
   *     bytes are not the expected ones (they are removed then); of category user when the server
   *     says that the file does not exist or is not for this user
   */
  public Path fetch(Download download, ProgressListener listener) {
    if (isComplete(download)) {
      return download.target();
    }

    try (PartialFile partial = PartialFile.open(download.target())) {
      // Another process may have finished the file between the look above and the lock.
      if (isComplete(download)) {
        partial.discard();
        return download.target();
      }

      transfer(download, partial, listener);
      verify(download, partial);
      partial.publish();
      return download.target();
    }
  }

  private static boolean isComplete(Download download) {
    Path target = download.target();

    try {
      return Files.isRegularFile(target)
          && (download.bytes().isEmpty() || Files.size(target) == download.bytes().getAsLong())
          && (download.sha256().isEmpty() || sha256(target).equals(download.sha256().get()));
    } catch (IOException e) {
      throw unreadable(target, e);
    }
  }

  private void transfer(Download download, PartialFile partial, ProgressListener listener) {
    int failures = 0;

    while (true) {
      long bytesBefore = partial.bytes();

      try {
        attempt(download, partial, listener);
        return;
      } catch (IOException e) {
        failures = partial.bytes() > bytesBefore ? 1 : failures + 1;

        if (isUnknownHost(e)) {
          throw unknownHost(download, e);
        }

        if (failures >= retryPolicy.attempts()) {
          throw gaveUp(download, failures, e);
        }

        pause(download, retryPolicy.pauseAfter(failures));
      }
    }
  }

  /** One request; returns when the body has come to its end. An IOException is worth a retry. */
  private void attempt(Download download, PartialFile partial, ProgressListener listener)
      throws IOException {
    if (partial.bytes() > 0 && partial.etag().isEmpty() && download.sha256().isEmpty()) {
      partial.restart(Optional.empty());
    }

    if (partial.bytes() > 0
        && download.bytes().isPresent()
        && download.bytes().getAsLong() == partial.bytes()) {
      return;
    }

    HttpResponse<InputStream> response = request(download, partial);

    try (InputStream body = response.body()) {
      int status = response.statusCode();

      if (status == 416 && hasAllBytes(response, partial)) {
        return;
      }

      if (status == 416) {
        partial.restart(Optional.empty());
        throw new IOException("the server cannot resume the file");
      }

      OptionalLong totalBytes =
          status == 206 ? resume(response, partial) : start(download, response, partial);
      requireExpectedSize(download, totalBytes);
      requireSpace(download, partial, totalBytes);
      copy(body, partial, totalBytes, listener);
    }
  }

  private HttpResponse<InputStream> request(Download download, PartialFile partial)
      throws IOException {
    URI uri = download.source();

    for (int redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
      HttpResponse<InputStream> response = send(download, requestTo(uri, download, partial));
      Optional<String> location = response.headers().firstValue("Location");

      if (!isRedirect(response.statusCode()) || location.isEmpty()) {
        return response;
      }

      response.body().close();
      uri = redirected(download, uri, location.get());
    }

    throw LockstepException.environment(
        cannotDownload(download)
            + "the server redirects more than "
            + MAX_REDIRECTS
            + " times; "
            + download.remedy()
            + ".");
  }

  private HttpRequest requestTo(URI uri, Download download, PartialFile partial) {
    HttpRequest.Builder request = HttpRequest.newBuilder(uri).timeout(stallLimit).GET();
    request.header("User-Agent", "lockstep");

    if (isSameOrigin(uri, download.source())) {
      download.bearerToken().ifPresent(token -> request.header("Authorization", "Bearer " + token));
    }

    if (partial.bytes() > 0) {
      request.header("Range", "bytes=" + partial.bytes() + "-");
      partial.etag().ifPresent(etag -> request.header("If-Range", etag));
    }

    return request.build();
  }

  private HttpResponse<InputStream> send(Download download, HttpRequest request)
      throws IOException {
    try {
      return client.send(request, HttpResponse.BodyHandlers.ofInputStream());
    } catch (InterruptedException e) {
      throw interrupted(download, e);
    }
  }

  private static boolean isRedirect(int status) {
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
  }

  private static URI redirected(Download download, URI from, String location) {
    URI to;

    try {
      to = from.resolve(location);
    } catch (IllegalArgumentException e) {
      throw badRedirect(download);
    }

    boolean staysSecure = "https".equals(to.getScheme()) || "http".equals(from.getScheme());

    if (!staysSecure || to.getHost() == null) {
      throw badRedirect(download);
    }

    return to;
  }

  private static boolean isSameOrigin(URI one, URI other) {
    return one.getScheme().equalsIgnoreCase(other.getScheme())
        && one.getHost().equalsIgnoreCase(other.getHost())
        && one.getPort() == other.getPort();
  }

  private static boolean hasAllBytes(HttpResponse<?> response, PartialFile partial) {
    Matcher range = contentRange(response);
    return range.matches() && Long.parseLong(range.group(2)) == partial.bytes();
  }

  /** The rest follows what is on disk. */
  private static OptionalLong resume(HttpResponse<?> response, PartialFile partial)
      throws IOException {
    Matcher range = contentRange(response);

    if (!range.matches()
        || range.group(1) == null
        || Long.parseLong(range.group(1)) != partial.bytes()) {
      partial.restart(Optional.empty());
      throw new IOException("the server resumed at a place that was not asked for");
    }

    return OptionalLong.of(Long.parseLong(range.group(2)));
  }

  private static Matcher contentRange(HttpResponse<?> response) {
    return CONTENT_RANGE.matcher(response.headers().firstValue("Content-Range").orElse(""));
  }

  /** The whole file follows, unless the server says why not. */
  private static OptionalLong start(
      Download download, HttpResponse<?> response, PartialFile partial) throws IOException {
    int status = response.statusCode();

    switch (status) {
      case 200:
        partial.restart(response.headers().firstValue("ETag").filter(Downloader::isStrong));
        return response.headers().firstValueAsLong("Content-Length");
      case 401, 403:
        throw LockstepException.user(
            cannotDownload(download)
                + "the server refuses access (status "
                + status
                + "); give an access token that may read it, or "
                + download.remedy()
                + ".");
      case 404, 410:
        throw LockstepException.user(
            cannotDownload(download)
                + "the server has no such file (status "
                + status
                + "); check the name and the version, or "
                + download.remedy()
                + ".");
      default:
        if (status == 408 || status == 429 || status >= 500) {
          throw new IOException("the server answered with status " + status);
        }

        throw LockstepException.environment(
            cannotDownload(download)
                + "the server answered with status "
                + status
                + "; "
                + download.remedy()
                + ".");
    }
  }

  /** RFC 9110, 13.1.5: If-Range takes strong validators only. */
  private static boolean isStrong(String etag) {
    return !etag.startsWith("W/");
  }

  private static void requireExpectedSize(Download download, OptionalLong totalBytes) {
    if (download.bytes().isPresent()
        && totalBytes.isPresent()
        && download.bytes().getAsLong() != totalBytes.getAsLong()) {
      throw wrongSize(download, totalBytes.getAsLong());
    }
  }

  private static void requireSpace(
      Download download, PartialFile partial, OptionalLong totalBytes) {
    long missingBytes = totalBytes.orElse(0) - partial.bytes();
    long freeBytes;

    try {
      freeBytes = Files.getFileStore(partial.path()).getUsableSpace();
    } catch (IOException unknown) {
      // Some file systems do not tell; the write itself will.
      return;
    }

    if (missingBytes > freeBytes) {
      throw LockstepException.environment(
          cannotDownload(download)
              + missingBytes
              + " bytes are missing and only "
              + freeBytes
              + " are free in "
              + partial.path().toAbsolutePath().getParent()
              + "; free disk space or name another folder.");
    }
  }

  private void copy(
      InputStream body, PartialFile partial, OptionalLong totalBytes, ProgressListener listener)
      throws IOException {
    byte[] piece = new byte[PIECE_BYTES];

    try (StallGuard guard = new StallGuard(body, stallLimit)) {
      for (int count = read(body, piece, guard); count >= 0; count = read(body, piece, guard)) {
        partial.append(piece, count);
        listener.advanced(partial.bytes(), totalBytes);
      }
    }

    if (totalBytes.isPresent() && partial.bytes() < totalBytes.getAsLong()) {
      throw new IOException("the connection was cut");
    }
  }

  private int read(InputStream body, byte[] piece, StallGuard guard) throws IOException {
    try {
      int count = body.read(piece);
      guard.moved();
      return count;
    } catch (IOException e) {
      if (guard.stalled()) {
        throw new IOException("no data came for " + stallLimit.toMillis() + " ms", e);
      }

      throw e;
    }
  }

  private static void verify(Download download, PartialFile partial) {
    if (download.bytes().isPresent() && download.bytes().getAsLong() != partial.bytes()) {
      partial.discard();
      throw wrongSize(download, partial.bytes());
    }

    if (download.sha256().isEmpty()) {
      return;
    }

    String actual = sha256(partial.path());

    if (!actual.equals(download.sha256().get())) {
      partial.discard();
      throw LockstepException.environment(
          cannotDownload(download)
              + "its SHA-256 is "
              + actual
              + " where "
              + download.sha256().get()
              + " is expected; the file was removed, try again or "
              + download.remedy()
              + ".");
    }
  }

  private static String sha256(Path path) {
    try (InputStream in = Files.newInputStream(path)) {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      byte[] piece = new byte[PIECE_BYTES];

      for (int count = in.read(piece); count >= 0; count = in.read(piece)) {
        digest.update(piece, 0, count);
      }

      return HexFormat.of().formatHex(digest.digest());
    } catch (IOException e) {
      throw unreadable(path, e);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  private static void pause(Download download, Duration pause) {
    try {
      Thread.sleep(pause.toMillis());
    } catch (InterruptedException e) {
      throw interrupted(download, e);
    }
  }

  /** The JDK's client reports a name without an address as a ConnectException caused by this. */
  private static boolean isUnknownHost(Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof UnresolvedAddressException) {
        return true;
      }
    }

    return false;
  }

  private static LockstepException unknownHost(Download download, IOException e) {
    return LockstepException.environment(
        cannotDownload(download)
            + "this machine cannot find the host "
            + download.source().getHost()
            + "; connect it to the network, or "
            + download.remedy()
            + ".",
        e);
  }

  private static LockstepException gaveUp(Download download, int failures, IOException e) {
    return LockstepException.environment(
        cannotDownload(download)
            + "tried "
            + failures
            + (failures == 1 ? " time" : " times")
            + ", last failure: "
            + reason(e)
            + "; try again later, or "
            + download.remedy()
            + ".",
        e);
  }

  /** The JDK's client gives a refused connection no message. */
  private static String reason(IOException e) {
    if (e.getMessage() != null) {
      return e.getMessage();
    }

    return e instanceof ConnectException ? "nothing answers there" : e.getClass().getSimpleName();
  }

  private static LockstepException badRedirect(Download download) {
    return LockstepException.environment(
        cannotDownload(download)
            + "the server redirects to an address that lockstep does not follow; "
            + download.remedy()
            + ".");
  }

  private static LockstepException wrongSize(Download download, long actualBytes) {
    return LockstepException.environment(
        cannotDownload(download)
            + "it has "
            + actualBytes
            + " bytes where "
            + download.bytes().orElseThrow()
            + " are expected; "
            + download.remedy()
            + ".");
  }

  private static LockstepException interrupted(Download download, InterruptedException e) {
    Thread.currentThread().interrupt();
    return LockstepException.environment(
        cannotDownload(download) + "it was interrupted; start again to resume it.", e);
  }

  private static LockstepException unreadable(Path path, IOException e) {
    return LockstepException.environment(
        "Cannot read " + path + ": " + e.getMessage() + "; check its permissions.", e);
  }

  private static String cannotDownload(Download download) {
    return "Cannot download " + download.name() + " from " + download.origin() + ": ";
  }
}
