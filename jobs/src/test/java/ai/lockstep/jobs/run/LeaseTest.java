package ai.lockstep.jobs.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.lockstep.failure.LockstepException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Another process, a real one, stands for another driver. */
class LeaseTest {

  private static final Instant NOW = Instant.parse("2026-01-01T12:00:00Z");

  @TempDir Path folder;
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

  private Path file() {
    return folder.resolve(Lease.FILE);
  }

  private void heldByTheOtherUntil(Instant expires) throws IOException {
    Lease.Holder holder = Lease.Holder.of("other", other.toHandle(), expires);
    Files.write(file(), new ObjectMapper().writeValueAsBytes(holder));
  }

  private Lease take() throws IOException {
    return Lease.take(folder.toString(), files, Clock.fixed(NOW, ZoneOffset.UTC));
  }

  @Test
  void aFolderInUseIsRefusedWithWhoUsesIt() throws IOException {
    heldByTheOtherUntil(NOW.plusSeconds(42));
    String host = new ObjectMapper().readTree(file().toFile()).get("host").asText();

    assertThatThrownBy(this::take)
        .isInstanceOf(LockstepException.class)
        .hasMessage(
            "Cannot write to output.dir=%s: another driver is writing there (host %s, process %d). Wait for it, or choose another output.dir; if it died, its claim ends in 42 s."
                .formatted(folder, host, other.pid()));
  }

  @Test
  void aClaimThatIsBeingWrittenCounts() throws IOException {
    Files.createFile(file());

    assertThatThrownBy(() -> Lease.take(folder.toString(), files, Clock.systemUTC()))
        .isInstanceOf(LockstepException.class)
        .hasMessageContaining("another driver is writing there (host unknown, process 0)");
  }

  @Test
  void aDeadProcessOfThisMachineIsForgottenAtOnce() throws IOException, InterruptedException {
    heldByTheOtherUntil(NOW.plusSeconds(42));
    other.destroyForcibly().waitFor();

    take().close();

    assertThat(file()).doesNotExist();
  }

  @Test
  void aClaimThatWasNotRenewedIsForgotten() throws IOException {
    heldByTheOtherUntil(NOW.minusSeconds(1));

    try (Lease lease = take()) {
      lease.requireHeld();
      assertThat(new ObjectMapper().readTree(file().toFile()).get("expires_millis").asLong())
          .isEqualTo(NOW.plusSeconds(60).toEpochMilli());
    }
  }

  @Test
  void anotherDriversClaimIsLeftAlone() throws IOException {
    Lease lease = take();
    heldByTheOtherUntil(NOW.plusSeconds(42));

    lease.close();

    assertThat(file()).exists();
  }
}
