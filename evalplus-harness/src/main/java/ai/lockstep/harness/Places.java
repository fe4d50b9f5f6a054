package ai.lockstep.harness;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.Semaphore;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A number of equal resources, each used by one caller at a time, made when first needed.
 *
 * <p>The one used last is handed out first: its caches are warm, and few callers start few.
 */
final class Places<R extends AutoCloseable> implements AutoCloseable {

  private final Semaphore free;
  private final Supplier<R> factory;
  private final Deque<R> idle = new ArrayDeque<>();
  private boolean closed;

  Places(int count, Supplier<R> factory) {
    this.free = new Semaphore(count, true);
    this.factory = factory;
  }

  /** Uses a resource; waits until one is free. */
  <T> T with(Function<R, T> use) {
    free.acquireUninterruptibly();
    try {
      R resource = take();
      try {
        return use.apply(resource);
      } finally {
        giveBack(resource);
      }
    } finally {
      free.release();
    }
  }

  private R take() {
    @Nullable R resource;
    synchronized (this) {
      if (closed) {
        throw new IllegalStateException("The harness was closed");
      }
      resource = idle.pollFirst();
    }
    return resource == null ? factory.get() : resource;
  }

  private void giveBack(R resource) {
    synchronized (this) {
      if (!closed) {
        idle.addFirst(resource);
        return;
      }
    }
    close(resource);
  }

  /** Closes what is idle now, and what is in use when it comes back. */
  @Override
  public void close() {
    Deque<R> left;
    synchronized (this) {
      closed = true;
      left = new ArrayDeque<>(idle);
      idle.clear();
    }
    left.forEach(Places::close);
  }

  private static void close(AutoCloseable resource) {
    try {
      resource.close();
    } catch (Exception e) {
      throw new IllegalStateException("Cannot close " + resource, e);
    }
  }
}
