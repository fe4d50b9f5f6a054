package ai.lockstep.datasets.download;

import java.time.Duration;

/**
 * How often a download that brings nothing more is tried again. A try that brought bytes starts the
 * count anew, so a long file survives any number of cuts.
 *
 * @param attempts tries in a row without a new byte before giving up, at least 1
 * @param firstPause before the second try; doubles with every further one
 */
public record RetryPolicy(int attempts, Duration firstPause) {

  /** Five tries, 15 seconds of pauses in all: long enough for a server's restart behind a proxy. */
  public static final RetryPolicy DEFAULT = new RetryPolicy(5, Duration.ofSeconds(1));

  public RetryPolicy {
    if (attempts < 1) {
      throw new IllegalArgumentException("attempts must be at least 1, not " + attempts);
    }

    if (firstPause.isNegative()) {
      throw new IllegalArgumentException("firstPause must not be negative, not " + firstPause);
    }
  }

  /** The pause after that many failures in a row, counted from 1. */
  Duration pauseAfter(int failures) {
    return firstPause.multipliedBy(1L << Math.min(failures - 1, Integer.SIZE));
  }
}
