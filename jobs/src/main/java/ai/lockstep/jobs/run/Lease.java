package ai.lockstep.jobs.run;

import ai.lockstep.failure.LockstepException;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileAlreadyExistsException;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps a second driver out of an output folder: a file that its holder renews. Driver only.
 *
 * <p>A holder that is gone is forgotten: at once when it is a dead process of this machine, so that
 * a killed command can be repeated, else when its lease expires. A process does not keep out
 * itself. Exact where the file system creates files exclusively (local, NFS, HDFS); on an object
 * store two drivers that start within its write latency of each other may both get through.
 */
public final class Lease implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Lease.class);

  static final String FILE = ".lockstep.lease";
  static final Duration TERM = Duration.ofSeconds(60);

  /** Three renewals may fail before the lease is lost. */
  private static final Duration RENEWAL = TERM.dividedBy(4);

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String OWNER = UUID.randomUUID().toString();

  /**
   * Who holds a folder.
   *
   * @param owner random, of one process
   * @param host for people
   * @param machine tells whether {@code pid} can be looked up here; empty when unknown
   * @param startedMillis of the process, in epoch milliseconds: process numbers are used again
   * @param expiresMillis in epoch milliseconds
   */
  record Holder(
      @JsonProperty("owner") String owner,
      @JsonProperty("host") String host,
      @JsonProperty("machine") String machine,
      @JsonProperty("pid") long pid,
      @JsonProperty("started_millis") long startedMillis,
      @JsonProperty("expires_millis") long expiresMillis) {

    /** A process of this machine. */
    static Holder of(String owner, ProcessHandle process, Instant expires) {
      return new Holder(
          owner,
          thisHost(),
          thisMachine(),
          process.pid(),
          started(process),
          expires.toEpochMilli());
    }

    private boolean isGone(Instant now) {
      return owner.equals(OWNER) || expiresMillis < now.toEpochMilli() || isDeadHere();
    }

    private boolean isDeadHere() {
      return !machine.isEmpty()
          && machine.equals(thisMachine())
          && ProcessHandle.of(pid)
              .filter(process -> process.isAlive() && started(process) == startedMillis)
              .isEmpty();
    }

    private static long started(ProcessHandle process) {
      return process.info().startInstant().map(Instant::toEpochMilli).orElse(0L);
    }

    private static String thisHost() {
      try {
        return InetAddress.getLocalHost().getHostName();
      } catch (UnknownHostException e) {
        return "unknown";
      }
    }

    /** Boot and process namespace: containers of one host number their processes alike. */
    private static String thisMachine() {
      try {
        return Files.readString(java.nio.file.Path.of("/proc/sys/kernel/random/boot_id")).strip()
            + "/"
            + Files.readSymbolicLink(java.nio.file.Path.of("/proc/self/ns/pid"));
      } catch (IOException e) {
        return "";
      }
    }
  }

  private final FileSystem files;
  private final Path file;
  private final Clock clock;
  private final ScheduledExecutorService renewer;
  private volatile boolean lost;

  private Lease(FileSystem files, Path file, Clock clock) {
    this.files = files;
    this.file = file;
    this.clock = clock;
    this.renewer =
        Executors.newSingleThreadScheduledExecutor(
            task -> {
              Thread thread = new Thread(task, "lockstep-lease");
              thread.setDaemon(true);
              return thread;
            });
  }

  /**
   * Takes the lease of a folder that holds several runs, and makes the folder.
   *
   * @throws LockstepException (user) naming the other driver when there is one, (environment) when
   *     the folder cannot be written
   */
  public static Lease take(String location, Configuration hadoop) {
    Path path = new Path(location);
    try {
      FileSystem files = path.getFileSystem(hadoop);
      files.setWriteChecksum(false);
      files.mkdirs(path);
      return take(location, files, Clock.systemUTC());
    } catch (IOException e) {
      throw LockstepException.environment(
          "Cannot write to output.dir=%s: %s. Choose a folder that can be written."
              .formatted(location, e.getMessage()),
          e);
    }
  }

  /**
   * Takes a folder's lease and renews it until it is closed.
   *
   * @throws LockstepException (user) naming the other driver, when there is one
   */
  static Lease take(String location, FileSystem files, Clock clock) throws IOException {
    Path file = new Path(location, FILE);
    Optional<Holder> before = holder(files, file, clock);
    if (before.isPresent()) {
      if (!before.get().isGone(clock.instant())) {
        throw held(location, before.get(), clock);
      }
      files.delete(file, false);
    }
    Lease lease = new Lease(files, file, clock);
    try {
      lease.write(Overwrite.NEVER);
    } catch (FileAlreadyExistsException e) {
      throw held(location, holder(files, file, clock).orElseThrow(() -> e), clock);
    }
    lease.renewer.scheduleAtFixedRate(
        lease::renew, RENEWAL.toMillis(), RENEWAL.toMillis(), TimeUnit.MILLISECONDS);
    return lease;
  }

  private static LockstepException held(String location, Holder holder, Clock clock) {
    return LockstepException.user(
        "Cannot write to output.dir=%s: another driver is writing there (host %s, process %d). Wait for it, or choose another output.dir; if it died, its claim ends in %d s."
            .formatted(
                location,
                holder.host,
                holder.pid,
                Math.max(0, holder.expiresMillis - clock.millis() + 999) / 1000));
  }

  /** The holder on file; one that cannot be read is being written, and counts from then on. */
  private static Optional<Holder> holder(FileSystem files, Path file, Clock clock)
      throws IOException {
    if (!files.exists(file)) {
      return Optional.empty();
    }
    try (InputStream in = files.open(file)) {
      return Optional.of(JSON.readValue(in, Holder.class));
    } catch (com.fasterxml.jackson.core.JacksonException e) {
      LOG.debug("unreadable lease {}", file, e);
      long written = files.getFileStatus(file).getModificationTime();
      return Optional.of(new Holder("", "unknown", "", 0, 0, written + TERM.toMillis()));
    }
  }

  private enum Overwrite {
    NEVER,
    OWN
  }

  private void write(Overwrite overwrite) throws IOException {
    Holder me = Holder.of(OWNER, ProcessHandle.current(), clock.instant().plus(TERM));
    // Before the file is emptied: a driver that is stopped in between holds a lease without a name.
    byte[] bytes = JSON.writeValueAsBytes(me);
    try (OutputStream out = files.create(file, overwrite == Overwrite.OWN)) {
      out.write(bytes);
    }
  }

  private void renew() {
    try {
      if (isMine()) {
        write(Overwrite.OWN);
      } else {
        lost = true;
        LOG.error("lost {}: another driver took the folder while this one did not answer", file);
        renewer.shutdown();
      }
    } catch (IOException | RuntimeException e) {
      LOG.warn("could not renew {}; trying again", file, e);
    }
  }

  private boolean isMine() throws IOException {
    return holder(files, file, clock).map(holder -> holder.owner.equals(OWNER)).orElse(false);
  }

  /**
   * Checks that no other driver took over.
   *
   * @throws LockstepException (environment) when one did
   */
  public void requireHeld() {
    if (lost) {
      throw LockstepException.environment(
          "Cannot go on: another driver took %s while this one did not answer for %d s. Repeat the command when that one has ended."
              .formatted(file.getParent(), TERM.toSeconds()));
    }
  }

  /** Gives the folder back. */
  @Override
  public void close() {
    // Not at once: a renewal that is interrupted leaves a file that nobody can read, and the next
    // command would wait for its term.
    renewer.shutdown();
    try {
      renewer.awaitTermination(RENEWAL.toMillis(), TimeUnit.MILLISECONDS);
      if (!lost && isMine()) {
        files.delete(file, false);
      }
    } catch (IOException e) {
      LOG.warn("could not remove {}; it expires by itself", file, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
