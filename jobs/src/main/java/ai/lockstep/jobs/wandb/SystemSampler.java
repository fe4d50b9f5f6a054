package ai.lockstep.jobs.wandb;

import java.io.Closeable;
import java.io.IOException;
import java.time.Instant;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Reads the machine at the start, every 15 seconds as W&amp;B does, and at the end. */
final class SystemSampler implements Closeable {

  private static final Logger LOG = LoggerFactory.getLogger(SystemSampler.class);
  private static final long PERIOD_SECONDS = 15;

  private final OfflineRun run;
  private final SystemMetrics metrics = new SystemMetrics();
  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(
          task -> {
            Thread thread = new Thread(task, "lockstep-wandb");
            thread.setDaemon(true);
            return thread;
          });

  private SystemSampler(OfflineRun run) {
    this.run = run;
  }

  static SystemSampler start(OfflineRun run) {
    SystemSampler sampler = new SystemSampler(run);
    sampler.timer.scheduleAtFixedRate(sampler::tick, 0, PERIOD_SECONDS, TimeUnit.SECONDS);
    return sampler;
  }

  private void tick() {
    try {
      sample();
    } catch (IOException e) {
      // The end of the run meets the same disk and warns.
      LOG.debug("no reading", e);
    }
  }

  private synchronized void sample() throws IOException {
    run.stats(metrics.read(), Instant.now());
  }

  /** Takes the last reading. */
  void finish() throws IOException {
    close();
    sample();
  }

  @Override
  public void close() {
    // Not at once: an interrupt would close the file under the reading that is being written.
    timer.shutdown();
  }
}
