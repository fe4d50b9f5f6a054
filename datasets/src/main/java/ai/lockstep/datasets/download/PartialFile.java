package ai.lockstep.datasets.download;

import ai.lockstep.failure.LockstepException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The unfinished file {@code TARGET.incomplete}, and beside it {@code TARGET.incomplete.etag}:
 * which version of the remote file its bytes belong to.
 *
 * <p>Locked while open, so that two processes never write into one file. Every failure of the disk
 * leaves as an environment failure; an {@link IOException} elsewhere in this package is therefore
 * always the network's.
 */
final class PartialFile implements AutoCloseable {

  private final Path target;
  private final Path path;
  private final Path etagPath;
  private final FileChannel channel;
  private long bytes;

  private PartialFile(Path target, Path path, FileChannel channel, long bytes) {
    this.target = target;
    this.path = path;
    this.etagPath = sibling(path, ".etag");
    this.channel = channel;
    this.bytes = bytes;
  }

  /**
   * Opens what an earlier try left, or an empty file.
   *
   * @throws LockstepException if the folder cannot be written, or another process holds the file
   */
  static PartialFile open(Path target) {
    Path path = sibling(target, ".incomplete");

    try {
      Files.createDirectories(path.toAbsolutePath().getParent());
      FileChannel channel =
          FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE);

      if (tryLock(channel) == null) {
        channel.close();
        throw LockstepException.environment(
            "Cannot download to "
                + target
                + ": another download is writing "
                + path.getFileName()
                + "; wait for it to end and start again.");
      }

      return new PartialFile(target, path, channel, channel.size());
    } catch (IOException e) {
      throw cannotWrite(path, e);
    }
  }

  private static @Nullable FileLock tryLock(FileChannel channel) throws IOException {
    try {
      return channel.tryLock();
    } catch (OverlappingFileLockException heldByThisProcess) {
      return null;
    }
  }

  /** Bytes on disk so far. */
  long bytes() {
    return bytes;
  }

  Path path() {
    return path;
  }

  /** The entity tag of the version that the bytes belong to. */
  Optional<String> etag() {
    try {
      return Files.exists(etagPath)
          ? Optional.of(Files.readString(etagPath).strip())
          : Optional.empty();
    } catch (IOException e) {
      throw cannotWrite(etagPath, e);
    }
  }

  /** Forgets all bytes; what follows belongs to the version with that tag. */
  void restart(Optional<String> etag) {
    try {
      channel.truncate(0);
      bytes = 0;
      Files.deleteIfExists(etagPath);

      if (etag.isPresent()) {
        Files.writeString(etagPath, etag.get());
      }
    } catch (IOException e) {
      throw cannotWrite(path, e);
    }
  }

  /** Appends the first {@code count} bytes of the array. */
  void append(byte[] piece, int count) {
    try {
      ByteBuffer buffer = ByteBuffer.wrap(piece, 0, count);

      while (buffer.hasRemaining()) {
        bytes += channel.write(buffer, bytes);
      }
    } catch (IOException e) {
      throw cannotWrite(path, e);
    }
  }

  /** Makes the bytes the target, in one step: a reader sees the old file or the whole new one. */
  void publish() {
    try {
      channel.force(true);
      Files.move(path, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      Files.deleteIfExists(etagPath);
    } catch (IOException e) {
      throw cannotWrite(target, e);
    }
  }

  /** Removes the bytes. */
  void discard() {
    try {
      Files.deleteIfExists(etagPath);
      Files.deleteIfExists(path);
    } catch (IOException e) {
      throw cannotWrite(path, e);
    }
  }

  /** Releases the lock; what was written and not published stays for the next try. */
  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      throw cannotWrite(path, e);
    }
  }

  private static Path sibling(Path path, String suffix) {
    return path.resolveSibling(path.getFileName() + suffix);
  }

  private static LockstepException cannotWrite(Path path, IOException e) {
    return LockstepException.environment(
        "Cannot write " + path + ": " + reason(e) + "; free disk space or name another folder.", e);
  }

  /** What the operating system said, without the path that some of its messages start with. */
  private static String reason(IOException e) {
    String reason = e instanceof FileSystemException named ? named.getReason() : e.getMessage();
    return reason == null ? e.getClass().getSimpleName() : reason;
  }
}
