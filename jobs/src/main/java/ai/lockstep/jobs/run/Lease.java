package ai.lockstep.jobs.run;

import ai.lockstep.failure.LockstepException;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps a second driver out of an output folder: a claim there that its holder renews. Driver only.
 *
 * <p>A claim is a file of its owner's. Every renewal is a new file, which appears whole or not at
 * all: a driver that is killed while it renews leaves the claim it had. Who wants the folder puts
 * up its claim first and looks for others' then, so that of two drivers at least one sees the
 * other's; of those that ask at the same time, the one whose name comes first gets it. This takes
 * nothing of a file system but that a listing shows all that was written before it.
 *
 * <p>A holder that is gone is forgotten: at once when it is a dead process of this machine, so that
 * a killed command can be repeated, else when its claim expires. A claim that cannot be read, which
 * none of this writes, expires as if it had been written when its file was. A process does not keep
 * out itself.
 */
public final class Lease implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Lease.class);

  /** How names of claims begin; an owner and a number follow. */
  static final String PREFIX = ".lockstep.lease";

  static final Duration TERM = Duration.ofSeconds(60);

  /** Three renewals may fail before the lease is lost. */
  private static final Duration RENEWAL = TERM.dividedBy(4);

  /** How often a driver looks whether those that asked at the same time have left. */
  private static final Duration LOOK = Duration.ofMillis(20);

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String OWNER = UUID.randomUUID().toString();

  /** How far a driver is. */
  enum State {
    ASKING,
    HOLDING
  }

  /**
   * Who claims a folder.
   *
   * @param owner random, of one process
   * @param state {@code HOLDING} keeps everybody out
   * @param host for people
   * @param machine tells whether {@code pid} can be looked up here; empty when unknown
   * @param startedMillis of the process, in epoch milliseconds: process numbers are used again
   * @param expiresMillis in epoch milliseconds
   */
  record Holder(
      @JsonProperty("owner") String owner,
      @JsonProperty("state") State state,
      @JsonProperty("host") String host,
      @JsonProperty("machine") String machine,
      @JsonProperty("pid") long pid,
      @JsonProperty("started_millis") long startedMillis,
      @JsonProperty("expires_millis") long expiresMillis) {

    Holder {
      Objects.requireNonNull(owner, "owner");
      Objects.requireNonNull(state, "state");
      Objects.requireNonNull(host, "host");
      Objects.requireNonNull(machine, "machine");
    }

    /** A process of this machine. */
    static Holder of(String owner, State state, ProcessHandle process, Instant expires) {
      return new Holder(
          owner,
          state,
          thisHost(),
          thisMachine(),
          process.pid(),
          started(process),
          expires.toEpochMilli());
    }

    private boolean isGone(Instant now) {
      return expiresMillis < now.toEpochMilli() || isDeadHere();
    }

    private boolean keepsOut(String asking) {
      return state == State.HOLDING || owner.compareTo(asking) < 0;
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
  private final Path folder;
  private final Clock clock;
  private final String owner;
  private final ScheduledExecutorService renewer;
  private int written;
  private Instant expires = Instant.MIN;
  private volatile boolean lost;

  private Lease(FileSystem files, Path folder, Clock clock, String owner) {
    this.files = files;
    this.folder = folder;
    this.clock = clock;
    this.owner = owner;
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
    return take(location, files, clock, OWNER);
  }

  /** Takes a folder's lease for one of several owners of this process. */
  static Lease take(String location, FileSystem files, Clock clock, String owner)
      throws IOException {
    Lease lease = new Lease(files, new Path(location), clock, owner);
    try {
      lease.removeOwn();
      lease.put(State.ASKING);
      lease.waitForTheFolder(location);
      lease.requireNone(location, lease.hold().stream());
      lease.removeHalfWritten();
    } catch (IOException | RuntimeException e) {
      lease.close();
      throw e;
    }
    lease.renewer.scheduleAtFixedRate(
        lease::renew, RENEWAL.toMillis(), RENEWAL.toMillis(), TimeUnit.MILLISECONDS);
    return lease;
  }

  private void waitForTheFolder(String location) throws IOException {
    while (true) {
      List<Holder> others = others();
      requireNone(location, others.stream().filter(other -> other.keepsOut(owner)));
      if (others.isEmpty()) {
        return;
      }
      LockSupport.parkNanos(LOOK.toNanos());
    }
  }

  private void requireNone(String location, Stream<Holder> holders) {
    holders
        .findFirst()
        .ifPresent(
            holder -> {
              throw LockstepException.user(
                  "Cannot write to output.dir=%s: another driver is writing there (host %s, process %d). Wait for it, or choose another output.dir; if it died, its claim ends in %d s."
                      .formatted(
                          location,
                          holder.host,
                          holder.pid,
                          Math.max(0, holder.expiresMillis - clock.millis() + 999) / 1000));
            });
  }

  /** Others' claims that count; what drivers that are gone left is removed. */
  private List<Holder> others() throws IOException {
    List<Holder> others = new ArrayList<>();
    for (FileStatus file : claims()) {
      if (!file.getPath().getName().startsWith(ownPrefix())) {
        Optional<Holder> holder = holder(file);
        if (holder.filter(other -> other.isGone(clock.instant())).isPresent()) {
          files.delete(file.getPath(), false);
        } else {
          holder.ifPresent(others::add);
        }
      }
    }
    return others;
  }

  private FileStatus[] claims() throws IOException {
    return files.listStatus(folder, path -> path.getName().startsWith(PREFIX));
  }

  /** Removes what drivers that were killed while they wrote a claim left of it. */
  private void removeHalfWritten() throws IOException {
    for (FileStatus file :
        files.listStatus(folder, path -> path.getName().startsWith(WholeFile.temporary(PREFIX)))) {
      if (end(file).isBefore(clock.instant())) {
        files.delete(file.getPath(), false);
      }
    }
  }

  /** Empty when the file is no more: then its owner has put up a later one, or has left. */
  private Optional<Holder> holder(FileStatus file) throws IOException {
    try (InputStream in = files.open(file.getPath())) {
      return Optional.of(JSON.readValue(in, Holder.class));
    } catch (JacksonException e) {
      LOG.debug("unreadable claim {}", file.getPath(), e);
      return Optional.of(
          new Holder("", State.HOLDING, "unknown", "", 0, 0, end(file).toEpochMilli()));
    } catch (IOException e) {
      if (files.exists(file.getPath())) {
        throw e;
      }
      return Optional.empty();
    }
  }

  private static Instant end(FileStatus file) {
    return Instant.ofEpochMilli(file.getModificationTime()).plus(TERM);
  }

  private String ownPrefix() {
    return PREFIX + "." + owner + ".";
  }

  private Path own(int number) {
    return new Path(folder, ownPrefix() + number);
  }

  private void put(State state) throws IOException {
    Instant end = clock.instant().plus(TERM);
    byte[] claim = JSON.writeValueAsBytes(Holder.of(owner, state, ProcessHandle.current(), end));
    WholeFile.write(files, own(written + 1), out -> out.write(claim));
    written++;
    expires = end;
    // The one before stays: who listed the folder a moment ago would find neither.
    files.delete(own(written - 2), false);
  }

  /** Goes on holding the folder; tells of those who may have taken it if the claim had lapsed. */
  private List<Holder> hold() throws IOException {
    Instant before = expires;
    boolean removed = !files.exists(own(written));
    put(State.HOLDING);
    return removed || before.isBefore(clock.instant()) ? others() : List.of();
  }

  void renew() {
    try {
      if (!hold().isEmpty()) {
        lost = true;
        removeOwn();
        LOG.error("lost {}: another driver took the folder while this one did not answer", folder);
        renewer.shutdown();
      }
    } catch (IOException | RuntimeException e) {
      LOG.warn("could not renew the claim on {}; trying again", folder, e);
    }
  }

  private void removeOwn() throws IOException {
    for (FileStatus file : claims()) {
      if (file.getPath().getName().startsWith(ownPrefix())) {
        files.delete(file.getPath(), false);
      }
    }
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
              .formatted(folder, TERM.toSeconds()));
    }
  }

  /** Gives the folder back. */
  @Override
  public void close() {
    // Not at once: a renewal would put up another claim behind this one's back.
    renewer.shutdown();
    try {
      renewer.awaitTermination(RENEWAL.toMillis(), TimeUnit.MILLISECONDS);
      removeOwn();
    } catch (IOException e) {
      LOG.warn("could not remove the claim on {}; it expires by itself", folder, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
