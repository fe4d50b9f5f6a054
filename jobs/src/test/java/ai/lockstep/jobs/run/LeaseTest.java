package ai.lockstep.jobs.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.lockstep.failure.LockstepException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.FilterFileSystem;
import org.apache.hadoop.fs.permission.FsPermission;
import org.apache.hadoop.util.Progressable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Another process, a real one, stands for another driver. */
class LeaseTest {

  private static final Instant NOW = Instant.parse("2026-01-01T12:00:00Z");

  private static final ObjectMapper JSON = new ObjectMapper();

  /** Stands still until it is told to go on. */
  private static final class SettableClock extends Clock {

    private volatile Instant now = NOW;

    void pass(int seconds) {
      now = now.plusSeconds(seconds);
    }

    @Override
    public Instant instant() {
      return now;
    }

    @Override
    public ZoneId getZone() {
      return ZoneOffset.UTC;
    }

    @Override
    public Clock withZone(ZoneId zone) {
      throw new UnsupportedOperationException();
    }
  }

  @TempDir Path folder;
  private final SettableClock clock = new SettableClock();
  private FileSystem files;
  private Process other;

  @BeforeEach
  void startAnotherProcess() throws IOException {
    files = FileSystem.getLocal(new Configuration());
    files.setWriteChecksum(false);
    other = new ProcessBuilder("sleep", "600").start();
  }

  @AfterEach
  void endIt() throws InterruptedException {
    other.destroyForcibly().waitFor();
  }

  private void heldByTheOtherUntil(Instant expires) throws IOException {
    heldByTheOtherUntil(expires, Lease.State.HOLDING);
  }

  private void heldByTheOtherUntil(Instant expires, Lease.State state) throws IOException {
    Lease.Holder holder = Lease.Holder.of("other", state, other.toHandle(), expires);
    Files.write(theOthers(), JSON.writeValueAsBytes(holder));
  }

  private Path theOthers() {
    return folder.resolve(Lease.PREFIX + ".other.1");
  }

  /** Names of the claims in the folder, and of halves of them. */
  private List<String> claims() throws IOException {
    try (Stream<Path> all = Files.list(folder)) {
      return all.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  private Lease take() throws IOException {
    return take("me");
  }

  private Lease take(String owner) throws IOException {
    return Lease.take(folder.toString(), files, clock, owner);
  }

  private String inUse(long process, int seconds) throws IOException {
    return "Cannot write to output.dir=%s: another driver is writing there (host %s, process %d). Wait for it, or choose another output.dir; if it died, its claim ends in %d s."
        .formatted(folder, InetAddress.getLocalHost().getHostName(), process, seconds);
  }

  @Test
  void aFolderInUseIsRefusedWithWhoUsesIt() throws IOException {
    heldByTheOtherUntil(NOW.plusSeconds(42));

    assertThatThrownBy(this::take)
        .isInstanceOf(LockstepException.class)
        .hasMessage(inUse(other.pid(), 42));

    assertThat(claims()).containsExactly(".lockstep.lease.other.1");
  }

  @Test
  void aDeadProcessOfThisMachineIsForgottenAtOnce() throws IOException, InterruptedException {
    heldByTheOtherUntil(NOW.plusSeconds(42));
    other.destroyForcibly().waitFor();

    take().close();

    assertThat(claims()).isEmpty();
  }

  @Test
  void aClaimThatWasNotRenewedIsForgotten() throws IOException {
    heldByTheOtherUntil(NOW.minusSeconds(1));

    try (Lease lease = take()) {
      lease.requireHeld();
      assertThat(claims()).containsExactly(".lockstep.lease.me.1", ".lockstep.lease.me.2");
      JsonNode claim = JSON.readTree(folder.resolve(".lockstep.lease.me.2").toFile());
      assertThat(claim.get("expires_millis").asLong())
          .isEqualTo(NOW.plusSeconds(60).toEpochMilli());
    }
  }

  @Test
  void aProcessDoesNotKeepOutItself() throws IOException {
    Lease first = take();

    try (Lease second = take()) {
      first.renew();
      first.requireHeld();
      second.requireHeld();
    }
  }

  @Nested
  class AClaimThatCannotBeRead {

    private void unreadableFor(int seconds) throws IOException {
      Files.writeString(theOthers(), "{\"owner\":");
      Files.setLastModifiedTime(theOthers(), FileTime.from(NOW.minusSeconds(seconds)));
    }

    @Test
    void countsForATermAfterItWasWritten() throws IOException {
      unreadableFor(59);

      assertThatThrownBy(LeaseTest.this::take)
          .isInstanceOf(LockstepException.class)
          .hasMessageContaining("another driver is writing there (host unknown, process 0)")
          .hasMessageEndingWith("its claim ends in 1 s.");
    }

    @Test
    void isForgottenThen() throws IOException {
      unreadableFor(61);

      take().close();

      assertThat(claims()).isEmpty();
    }
  }

  /** Ends as its process does: half of a file is there, and nothing is tidied up. */
  private static final class Killable extends FilterFileSystem {

    private boolean killed;

    Killable(FileSystem files) {
      super(files);
    }

    @Override
    public FSDataOutputStream create(
        org.apache.hadoop.fs.Path path,
        FsPermission permission,
        boolean overwrite,
        int bufferSize,
        short replication,
        long blockSize,
        Progressable progress)
        throws IOException {
      FSDataOutputStream out =
          super.create(path, permission, overwrite, bufferSize, replication, blockSize, progress);
      if (killed) {
        out.write('{');
        out.close();
        throw new IOException("killed");
      }
      return out;
    }

    @Override
    public boolean delete(org.apache.hadoop.fs.Path path, boolean recursive) throws IOException {
      if (killed) {
        throw new IOException("killed");
      }
      return super.delete(path, recursive);
    }
  }

  @Test
  void aDriverThatIsKilledWhileItRenewsLeavesTheClaimItHad() throws IOException {
    Killable killable = new Killable(files);
    Lease killed = Lease.take(folder.toString(), killable, clock, "killed");
    killable.killed = true;
    clock.pass(15);
    killed.renew();
    assertThat(claims())
        .hasSize(3)
        .contains(".lockstep.lease.killed.1", ".lockstep.lease.killed.2")
        .first()
        .asString()
        .startsWith("..lockstep.lease.killed.3.");
    Files.setLastModifiedTime(folder.resolve(claims().get(0)), FileTime.from(clock.instant()));

    assertThatThrownBy(() -> take("next"))
        .isInstanceOf(LockstepException.class)
        .hasMessage(inUse(ProcessHandle.current().pid(), 45));

    clock.pass(46);
    take("next").close();
    assertThat(claims()).singleElement().asString().startsWith("..lockstep.lease.killed.3.");

    clock.pass(15);
    take("next").close();
    assertThat(claims()).isEmpty();
  }

  @Nested
  class ADriverThatWasSilentForATerm {

    @Test
    void goesOnWhenNobodyTookTheFolder() throws IOException {
      try (Lease silent = take("silent")) {
        clock.pass(61);
        silent.renew();

        silent.requireHeld();
        assertThatThrownBy(() -> take("next")).isInstanceOf(LockstepException.class);
      }
    }

    @Test
    void isToldThatAnotherTookIt() throws IOException {
      Lease silent = take("silent");
      clock.pass(61);
      try (Lease next = take("next")) {
        silent.renew();

        assertThatThrownBy(silent::requireHeld)
            .isInstanceOf(LockstepException.class)
            .hasMessage(
                "Cannot go on: another driver took %s while this one did not answer for 60 s. Repeat the command when that one has ended."
                    .formatted(folder));
        silent.close();
        next.renew();
        next.requireHeld();
        assertThat(claims()).hasSize(2).allMatch(name -> name.contains(".next."));
      }
    }
  }

  /** Each is a driver of its own to the others; all are processes that live. */
  @Test
  void ofDriversThatAskAtTheSameTimeOneGetsTheFolder() throws Exception {
    int drivers = 4;
    ExecutorService threads = Executors.newFixedThreadPool(drivers);
    try {
      for (int round = 0; round < 5; round++) {
        CyclicBarrier together = new CyclicBarrier(drivers);
        List<Future<Optional<Lease>>> asking = new ArrayList<>();
        for (int driver = 0; driver < drivers; driver++) {
          asking.add(
              threads.submit(
                  () -> {
                    String owner = UUID.randomUUID().toString();
                    together.await();
                    try {
                      return Optional.of(take(owner));
                    } catch (LockstepException e) {
                      assertThat(e).hasMessageContaining("another driver is writing there");
                      return Optional.empty();
                    }
                  }));
        }
        List<Lease> holding = new ArrayList<>();
        for (Future<Optional<Lease>> asked : asking) {
          asked.get().ifPresent(holding::add);
        }
        assertThat(holding).hasSize(1);
        holding.get(0).close();
        assertThat(claims()).isEmpty();
      }
    } finally {
      threads.shutdownNow();
    }
  }

  @Test
  void whoAskedFirstByNameWaitsForTheOthersToLeave() throws IOException, InterruptedException {
    heldByTheOtherUntil(NOW.plusSeconds(42), Lease.State.ASKING);

    assertThatThrownBy(() -> take("z"))
        .isInstanceOf(LockstepException.class)
        .hasMessage(inUse(other.pid(), 42));

    other.destroy();
    try (Lease lease = take("a")) {
      lease.requireHeld();
    }
  }
}
