package ai.lockstep.jobs.cli;

import java.time.Duration;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Shows how far a stage is: a bar on a terminal, else a log line every half minute. It reads a
 * counter in a thread of its own while the work goes on. A stage that begins while another one's
 * bar is shown adds its counts to that bar: a terminal has one last line.
 */
public final class Progress {

  private static final Logger LOG = LoggerFactory.getLogger(Progress.class);

  /** A night's log stays readable. */
  private static final long LOG_PERIOD_SECONDS = 30;

  private static final long BAR_PERIOD_MILLIS = 200;

  private static final AtomicReference<@Nullable ProgressBar> SHOWN = new AtomicReference<>();

  private final String stage;
  private final String unit;
  private final long total;
  private final LongSupplier counter;
  private final long startedNanos = System.nanoTime();
  private final long alreadyCounted;
  private final ScheduledExecutorService timer;
  private final Display display;
  private final @Nullable ProgressBar bar;

  private enum Display {
    LOG,
    BAR,
    BESIDE_A_BAR
  }

  private Progress(String stage, String unit, long total, LongSupplier counter, Display display) {
    this.stage = stage;
    this.unit = unit;
    this.total = total;
    this.counter = counter;
    this.alreadyCounted = counter.getAsLong();
    this.timer =
        Executors.newSingleThreadScheduledExecutor(
            task -> {
              Thread thread = new Thread(task, "lockstep-progress");
              thread.setDaemon(true);
              return thread;
            });
    this.display = display;
    if (display == Display.BAR) {
      this.bar =
          new ProgressBarBuilder()
              .setTaskName(stage)
              .setInitialMax(total)
              .setStyle(ProgressBarStyle.COLORFUL_UNICODE_BLOCK)
              .setUnit(" " + unit, 1)
              .showSpeed()
              .build();
      SHOWN.set(bar);
    } else {
      this.bar = null;
    }
    long period =
        display == Display.LOG ? TimeUnit.SECONDS.toMillis(LOG_PERIOD_SECONDS) : BAR_PERIOD_MILLIS;
    timer.scheduleAtFixedRate(this::tick, period, period, TimeUnit.MILLISECONDS);
  }

  /**
   * Does some work and shows how far it is.
   *
   * @param stage what is being done, such as {@code decoding}
   * @param unit what is counted, such as {@code rows}
   * @param total the count at the end
   * @param counter read from another thread
   */
  public static void during(
      String stage, String unit, long total, LongSupplier counter, Runnable work) {
    Display display = Display.LOG;
    if (Terminal.isInteractive()) {
      display = SHOWN.get() == null ? Display.BAR : Display.BESIDE_A_BAR;
    }
    Progress progress = new Progress(stage, unit, total, counter, display);
    try {
      work.run();
    } finally {
      progress.finish();
    }
  }

  private void tick() {
    long done = counter.getAsLong();
    switch (display) {
      case BAR -> Objects.requireNonNull(bar).stepTo(done);
      case BESIDE_A_BAR -> beside("%s %d of %d".formatted(stage, done - alreadyCounted, total));
      case LOG -> LOG.info("{}", line(stage, unit, done - alreadyCounted, total, elapsed()));
    }
  }

  private static void beside(String text) {
    ProgressBar other = SHOWN.get();
    if (other != null) {
      other.setExtraMessage(" " + text);
    }
  }

  private Duration elapsed() {
    return Duration.ofNanos(System.nanoTime() - startedNanos);
  }

  /** The log line: count, share, rate and time left (unknown while nothing is done). */
  static String line(String stage, String unit, long done, long total, Duration elapsed) {
    double seconds = Math.max(elapsed.toMillis(), 1) / 1000.0;
    double rate = done / seconds;
    String left = done == 0 ? "unknown" : clock(Math.round((total - done) / rate));
    return String.format(
        Locale.ROOT,
        "%s done=%d of=%d %s share=%d%% rate=%.2f/s left=%s",
        stage,
        done,
        total,
        unit,
        total == 0 ? 100 : 100 * done / total,
        rate,
        left);
  }

  /** Hours, minutes and seconds: {@code 0:01:05}. */
  public static String clock(long seconds) {
    return String.format(
        Locale.ROOT, "%d:%02d:%02d", seconds / 3600, seconds / 60 % 60, seconds % 60);
  }

  /** Shows the last state and stops. */
  private void finish() {
    timer.shutdownNow();
    long done = counter.getAsLong() - alreadyCounted;
    String finished =
        String.format(
            Locale.ROOT,
            "%s finished: %d %s in %.1f s",
            stage,
            done,
            unit,
            elapsed().toMillis() / 1000.0);
    if (bar != null) {
      bar.stepTo(counter.getAsLong());
      SHOWN.set(null);
      bar.close();
    }
    if (display == Display.BESIDE_A_BAR && SHOWN.get() != null) {
      beside(finished);
    } else {
      LOG.info("{}", finished);
    }
  }
}
