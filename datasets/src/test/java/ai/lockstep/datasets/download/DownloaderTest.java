package ai.lockstep.datasets.download;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.lockstep.failure.FailureCategory;
import ai.lockstep.failure.LockstepException;
import com.sun.net.httpserver.Headers;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class DownloaderTest {

  private static final byte[] CONTENT =
      "0123456789".repeat(20_000).getBytes(StandardCharsets.US_ASCII);
  private static final byte[] OLDER_CONTENT =
      "abcdefghij".repeat(20_000).getBytes(StandardCharsets.US_ASCII);
  private static final int CUT = 70_000;
  private static final String ETAG = "\"v2\"";
  private static final String REMEDY = "copy the file here";

  private final Downloader downloader = new Downloader(new RetryPolicy(3, Duration.ZERO));

  @TempDir private Path folder;
  private Path target;
  private Path partial;

  @BeforeEach
  void nameFiles() {
    target = folder.resolve("new").resolve("tasks.gz");
    partial = folder.resolve("new").resolve("tasks.gz.incomplete");
  }

  @Nested
  class AFile {

    @Test
    void arrivesUnderItsNameWithNothingElseBesideIt() {
      try (TestServer server = TestServer.answering(TestServer.content(CONTENT, ETAG))) {
        Path fetched = downloader.fetch(from(server), ProgressListener.NONE);

        assertThat(fetched).isEqualTo(target).hasBinaryContent(CONTENT);
        assertThat(target.getParent()).isDirectoryNotContaining(file -> !file.equals(target));
      }
    }

    @Test
    void isReportedPieceByPiece() {
      try (TestServer server = TestServer.answering(TestServer.content(CONTENT, ETAG))) {
        List<Long> done = new ArrayList<>();
        List<OptionalLong> totals = new ArrayList<>();

        downloader.fetch(
            from(server),
            (doneBytes, totalBytes) -> {
              done.add(doneBytes);
              totals.add(totalBytes);
            });

        assertThat(done).isSorted().endsWith((long) CONTENT.length);
        assertThat(totals).containsOnly(OptionalLong.of(CONTENT.length));
      }
    }

    @Test
    void isLeftAloneWhenItIsAlreadyThere() throws IOException {
      try (TestServer server = TestServer.answering(TestServer.content(CONTENT, ETAG))) {
        write(target, CONTENT);

        downloader.fetch(
            from(server).withBytes(CONTENT.length).withSha256(sha256(CONTENT)),
            ProgressListener.NONE);

        assertThat(server.requests()).isEmpty();
      }
    }

    @Test
    void isReplacedWhenItsDigestIsAnother() throws IOException {
      try (TestServer server = TestServer.answering(TestServer.content(CONTENT, ETAG))) {
        write(target, OLDER_CONTENT);

        downloader.fetch(from(server).withSha256(sha256(CONTENT)), ProgressListener.NONE);

        assertThat(target).hasBinaryContent(CONTENT);
      }
    }
  }

  @Nested
  class ACutConnection {

    @Test
    void isResumedWhereItWasCut() {
      try (TestServer server =
          TestServer.answering(
              TestServer.cutAfter(CUT, CONTENT, ETAG), TestServer.content(CONTENT, ETAG))) {
        downloader.fetch(from(server), ProgressListener.NONE);

        assertThat(target).hasBinaryContent(CONTENT);
        Headers second = server.requests().get(1);
        assertThat(second.getFirst("Range")).matches("bytes=[1-9][0-9]*-");
        assertThat(second.getFirst("If-Range")).isEqualTo(ETAG);
      }
    }

    @Test
    void isResumedByALaterProcess() throws IOException {
      try (TestServer server = TestServer.answering(TestServer.content(CONTENT, ETAG))) {
        write(partial, firstBytes(CONTENT, CUT));
        Files.writeString(folder.resolve("new").resolve("tasks.gz.incomplete.etag"), ETAG);

        downloader.fetch(from(server), ProgressListener.NONE);

        assertThat(target).hasBinaryContent(CONTENT);
        assertThat(server.requests())
            .singleElement()
            .extracting(headers -> headers.getFirst("Range"))
            .isEqualTo("bytes=" + CUT + "-");
      }
    }

    @Test
    void startsOverWhenTheRemoteFileHasChanged() throws IOException {
      try (TestServer server = TestServer.answering(TestServer.content(CONTENT, ETAG))) {
        write(partial, firstBytes(OLDER_CONTENT, CUT));
        Files.writeString(folder.resolve("new").resolve("tasks.gz.incomplete.etag"), "\"v1\"");

        downloader.fetch(from(server), ProgressListener.NONE);

        assertThat(target).hasBinaryContent(CONTENT);
      }
    }

    @Test
    void startsOverWhenNothingCouldTellAMixtureFromTheFile() throws IOException {
      try (TestServer server = TestServer.answering(TestServer.content(CONTENT, "W/\"weak\""))) {
        write(partial, firstBytes(OLDER_CONTENT, CUT));

        downloader.fetch(from(server), ProgressListener.NONE);

        assertThat(target).hasBinaryContent(CONTENT);
        assertThat(server.requests().get(0).getFirst("Range")).isNull();
      }
    }

    @Test
    void needsNoBytesWhenAllHadArrived() throws IOException {
      try (TestServer server = TestServer.answering(TestServer.content(CONTENT, ETAG))) {
        write(partial, CONTENT);

        downloader.fetch(from(server).withSha256(sha256(CONTENT)), ProgressListener.NONE);

        assertThat(target).hasBinaryContent(CONTENT);
        assertThat(server.requests()).hasSize(1);
      }
    }

    @Test
    void startsOverWhenMoreHadArrivedThanThereIs() throws IOException {
      try (TestServer server = TestServer.answering(TestServer.content(CONTENT, ETAG))) {
        write(
            partial,
            (new String(CONTENT, StandardCharsets.US_ASCII) + "more")
                .getBytes(StandardCharsets.US_ASCII));

        downloader.fetch(from(server).withSha256(sha256(CONTENT)), ProgressListener.NONE);

        assertThat(target).hasBinaryContent(CONTENT);
      }
    }

    @Test
    void countsTriesAnewAfterEveryTryThatBroughtBytes() {
      TestServer.Answer resumedAndCut =
          exchange -> {
            String range = exchange.getRequestHeaders().getFirst("Range");
            int first = Integer.parseInt(range.substring("bytes=".length(), range.length() - 1));
            exchange.getResponseHeaders().set("ETag", ETAG);
            exchange
                .getResponseHeaders()
                .set(
                    "Content-Range",
                    "bytes " + first + "-" + (CONTENT.length - 1) + "/" + CONTENT.length);
            exchange.sendResponseHeaders(206, CONTENT.length - first);
            exchange.getResponseBody().write(CONTENT, first, 20_000);
            exchange.getResponseBody().flush();
          };

      try (TestServer server =
          TestServer.answering(
              TestServer.cutAfter(CUT, CONTENT, ETAG),
              resumedAndCut,
              resumedAndCut,
              resumedAndCut,
              resumedAndCut,
              TestServer.content(CONTENT, ETAG))) {
        downloader.fetch(from(server), ProgressListener.NONE);

        assertThat(target).hasBinaryContent(CONTENT);
      }
    }
  }

  @Nested
  class AServer {

    @Test
    void isAskedAgainWhenItIsBusy() {
      try (TestServer server =
          TestServer.answering(
              TestServer.status(503), TestServer.status(429), TestServer.content(CONTENT, ETAG))) {
        downloader.fetch(from(server), ProgressListener.NONE);

        assertThat(target).hasBinaryContent(CONTENT);
        assertThat(server.requests()).hasSize(3);
      }
    }

    @Test
    void isGivenUpWhenItStaysBusy() {
      try (TestServer server = TestServer.answering(TestServer.status(503))) {
        assertFails(
            from(server),
            FailureCategory.ENVIRONMENT,
            "Cannot download tasks.gz from "
                + server.uri("/tasks.gz")
                + ": tried 3 times, last failure: the server answered with status 503;"
                + " try again later, or copy the file here.");
        assertThat(server.requests()).hasSize(3);
      }
    }

    @Test
    void isGivenUpWhenItIsDown() {
      TestServer server = TestServer.answering(TestServer.status(200));
      URI uri = server.uri("/tasks.gz");
      server.close();

      assertFails(
          Download.of(uri, target, REMEDY),
          FailureCategory.ENVIRONMENT,
          "Cannot download tasks.gz from "
              + uri
              + ": tried 3 times, last failure: nothing answers there;"
              + " try again later, or copy the file here.");
    }

    @Test
    void isGivenUpAtOnceWhenNobodyKnowsItsName() {
      assertFails(
          Download.of(URI.create("http://host.invalid/tasks.gz"), target, REMEDY),
          FailureCategory.ENVIRONMENT,
          "Cannot download tasks.gz from http://host.invalid/tasks.gz: this machine cannot find"
              + " the host host.invalid; connect it to the network, or copy the file here.");
    }

    @Test
    void isGivenUpWhenItFallsSilent() {
      CountDownLatch testIsOver = new CountDownLatch(1);
      TestServer.Answer silent =
          exchange -> {
            exchange.sendResponseHeaders(200, CONTENT.length);
            exchange.getResponseBody().write(CONTENT, 0, CUT);
            exchange.getResponseBody().flush();
            await(testIsOver);
          };
      Downloader impatient =
          new Downloader(new RetryPolicy(1, Duration.ZERO), Duration.ofMillis(200));

      try (TestServer server = TestServer.answering(silent)) {
        assertThatThrownBy(() -> impatient.fetch(from(server), ProgressListener.NONE))
            .isInstanceOf(LockstepException.class)
            .hasMessage(
                "Cannot download tasks.gz from "
                    + server.uri("/tasks.gz")
                    + ": tried 1 time, last failure: no data came for 200 ms;"
                    + " try again later, or copy the file here.");
        testIsOver.countDown();
      }
    }

    @Test
    void thatHasNoSuchFileIsNotAskedAgain() {
      try (TestServer server = TestServer.answering(TestServer.status(404))) {
        assertFails(
            from(server),
            FailureCategory.USER,
            "Cannot download tasks.gz from "
                + server.uri("/tasks.gz")
                + ": the server has no such file (status 404); check the name and the version,"
                + " or copy the file here.");
        assertThat(server.requests()).hasSize(1);
      }
    }

    @Test
    void thatRefusesAccessIsNotAskedAgain() {
      for (int status : new int[] {401, 403}) {
        try (TestServer server = TestServer.answering(TestServer.status(status))) {
          assertFails(
              from(server).withBearerToken("secret"),
              FailureCategory.USER,
              "Cannot download tasks.gz from "
                  + server.uri("/tasks.gz")
                  + ": the server refuses access (status "
                  + status
                  + "); give an access token that may read it, or copy the file here.");
          assertThat(server.requests()).hasSize(1);
        }
      }
    }

    @Test
    void thatAnswersStrangelyIsNotAskedAgain() {
      try (TestServer server = TestServer.answering(TestServer.status(418))) {
        assertFails(
            from(server),
            FailureCategory.ENVIRONMENT,
            "Cannot download tasks.gz from "
                + server.uri("/tasks.gz")
                + ": the server answered with status 418; copy the file here.");
      }
    }
  }

  @Nested
  class AnAccessToken {

    @Test
    void isSentToTheSource() {
      try (TestServer server = TestServer.answering(TestServer.content(CONTENT, ETAG))) {
        downloader.fetch(from(server).withBearerToken("secret"), ProgressListener.NONE);

        assertThat(server.requests().get(0).getFirst("Authorization")).isEqualTo("Bearer secret");
      }
    }

    @Test
    void followsARedirectOnTheSameHost() {
      try (TestServer server =
          TestServer.answering(
              TestServer.redirect(URI.create("/elsewhere")), TestServer.content(CONTENT, ETAG))) {
        downloader.fetch(from(server).withBearerToken("secret"), ProgressListener.NONE);

        assertThat(server.requests().get(1).getFirst("Authorization")).isEqualTo("Bearer secret");
      }
    }

    @Test
    void isNotShownToAnotherHost() {
      try (TestServer storage = TestServer.answering(TestServer.content(CONTENT, ETAG));
          TestServer hub =
              TestServer.answering(TestServer.redirect(storage.uriUnderOtherHostName("/blob")))) {
        downloader.fetch(from(hub).withBearerToken("secret"), ProgressListener.NONE);

        assertThat(target).hasBinaryContent(CONTENT);
        assertThat(storage.requests().get(0).containsKey("Authorization")).isFalse();
      }
    }

    @Test
    void isNotShownToAnotherPort() {
      try (TestServer storage = TestServer.answering(TestServer.content(CONTENT, ETAG));
          TestServer hub = TestServer.answering(TestServer.redirect(storage.uri("/blob")))) {
        downloader.fetch(from(hub).withBearerToken("secret"), ProgressListener.NONE);

        assertThat(storage.requests().get(0).containsKey("Authorization")).isFalse();
      }
    }

    @Test
    void isNotPartOfTheDownloadsText() {
      Download download =
          Download.of(URI.create("https://me:pw@hub.example/f?sig=x"), Path.of("f"), REMEDY)
              .withBearerToken("secret");

      assertThat(download).hasToString("Download[https://hub.example/f -> f]");
    }
  }

  @Nested
  class ARedirect {

    @Test
    void thatNeverEndsIsGivenUp() {
      try (TestServer server = TestServer.answering(TestServer.redirect(URI.create("/again")))) {
        assertFails(
            from(server),
            FailureCategory.ENVIRONMENT,
            "Cannot download tasks.gz from "
                + server.uri("/tasks.gz")
                + ": the server redirects more than 10 times; copy the file here.");
      }
    }

    @Test
    void toSomethingElseThanTheWebIsRefused() {
      try (TestServer server =
          TestServer.answering(TestServer.redirect(URI.create("file:///etc/hosts")))) {
        assertFails(
            from(server),
            FailureCategory.ENVIRONMENT,
            "Cannot download tasks.gz from "
                + server.uri("/tasks.gz")
                + ": the server redirects to an address that lockstep does not follow;"
                + " copy the file here.");
      }
    }
  }

  @Nested
  class AWrongFile {

    @Test
    void isRemovedWhenItsDigestIsAnother() {
      try (TestServer server = TestServer.answering(TestServer.content(OLDER_CONTENT, ETAG))) {
        assertFails(
            from(server).withSha256(sha256(CONTENT)),
            FailureCategory.ENVIRONMENT,
            "Cannot download tasks.gz from "
                + server.uri("/tasks.gz")
                + ": its SHA-256 is "
                + sha256(OLDER_CONTENT)
                + " where "
                + sha256(CONTENT)
                + " is expected; the file was removed, try again or copy the file here.");
        assertThat(target.getParent()).isEmptyDirectory();
      }
    }

    @Test
    void isNotFetchedWhenItsSizeIsAnother() {
      try (TestServer server = TestServer.answering(TestServer.content(CONTENT, ETAG))) {
        assertFails(
            from(server).withBytes(7),
            FailureCategory.ENVIRONMENT,
            "Cannot download tasks.gz from "
                + server.uri("/tasks.gz")
                + ": it has 200000 bytes where 7 are expected; copy the file here.");
        assertThat(target).doesNotExist();
      }
    }
  }

  @Nested
  class TheDisk {

    @Test
    @EnabledOnOs(OS.LINUX)
    void thatIsFullIsNamed() throws IOException {
      Files.createDirectories(target.getParent());
      Files.createSymbolicLink(partial, Path.of("/dev/full"));

      try (TestServer server = TestServer.answering(TestServer.content(CONTENT, ETAG))) {
        assertFails(
            from(server),
            FailureCategory.ENVIRONMENT,
            "Cannot write "
                + partial
                + ": No space left on device; free disk space or name another folder.");
        assertThat(server.requests()).hasSize(1);
      }
    }

    @Test
    void thatIsTooSmallIsNamedBeforeTheBodyIsRead() {
      TestServer.Answer endless = exchange -> exchange.sendResponseHeaders(200, 1L << 60);

      try (TestServer server = TestServer.answering(endless)) {
        assertThatThrownBy(() -> downloader.fetch(from(server), ProgressListener.NONE))
            .isInstanceOf(LockstepException.class)
            .hasMessageMatching(
                "Cannot download tasks.gz from \\S+: 1152921504606846976 bytes are missing and only"
                    + " \\d+ are free in \\S+; free disk space or name another folder\\.");
      }
    }

    @Test
    void servesOneDownloadOfAFileAtATime() throws IOException {
      try (TestServer server = TestServer.answering(TestServer.content(CONTENT, ETAG));
          PartialFile held = PartialFile.open(target)) {
        assertThat(held.bytes()).isZero();
        assertFails(
            from(server),
            FailureCategory.ENVIRONMENT,
            "Cannot download to "
                + target
                + ": another download is writing tasks.gz.incomplete;"
                + " wait for it to end and start again.");
      }
    }
  }

  private Download from(TestServer server) {
    return Download.of(server.uri("/tasks.gz"), target, REMEDY);
  }

  private void assertFails(Download download, FailureCategory category, String message) {
    assertThatThrownBy(() -> downloader.fetch(download, ProgressListener.NONE))
        .isInstanceOfSatisfying(
            LockstepException.class,
            failure -> {
              assertThat(failure).hasMessage(message);
              assertThat(failure.category()).isEqualTo(category);
            });
  }

  private static void write(Path path, byte[] content) throws IOException {
    Files.createDirectories(path.getParent());
    Files.write(path, content);
  }

  private static byte[] firstBytes(byte[] content, int count) {
    return Arrays.copyOf(content, count);
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static String sha256(byte[] content) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
