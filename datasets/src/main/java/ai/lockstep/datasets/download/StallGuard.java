package ai.lockstep.datasets.download;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * Ends a transfer that has stopped moving. The JDK's HTTP client has a limit for the answer's
 * headers and none for its body, so a silent peer would hold the reader for ever; closing the body
 * from this guard's thread makes the blocked read fail.
 */
final class StallGuard implements AutoCloseable {

  private final ScheduledExecutorService clock =
      Executors.newSingleThreadScheduledExecutor(
          task -> {
            Thread thread = new Thread(task, "download-stall-guard");
            thread.setDaemon(true);
            return thread;
          });
  private volatile long movedAtNanos = System.nanoTime();
  private volatile boolean stalled;

  StallGuard(InputStream body, Duration limit) {
    long limitNanos = limit.toNanos();
    long periodNanos = Math.max(1, limitNanos / 4);
    clock.scheduleAtFixedRate(
        () -> closeWhenStalled(body, limitNanos), periodNanos, periodNanos, TimeUnit.NANOSECONDS);
  }

  private void closeWhenStalled(InputStream body, long limitNanos) {
    if (System.nanoTime() - movedAtNanos < limitNanos) {
      return;
    }

    stalled = true;

    try {
      body.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Bytes have arrived. */
  void moved() {
    movedAtNanos = System.nanoTime();
  }

  /** Whether this guard closed the body. */
  boolean stalled() {
    return stalled;
  }

  @Override
  public void close() {
    clock.shutdownNow();
  }
}
