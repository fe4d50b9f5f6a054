package ai.lockstep.jobs.config;

import ai.lockstep.failure.LockstepException;

/**
 * {@code viz}.
 *
 * @param enabled whether plots are written
 * @param gif whether filling is animated
 * @param gifSamples rows to animate, at least 1
 */
public record VizConfig(boolean enabled, boolean gif, int gifSamples) {

  public VizConfig {
    if (gifSamples < 1) {
      throw LockstepException.user(
          "Cannot run with viz.gif_samples=%d: it must be 1 or more.".formatted(gifSamples));
    }
  }

  static VizConfig read(Keys keys) {
    VizConfig viz =
        new VizConfig(keys.flag("enabled"), keys.flag("gif"), keys.integer("gif_samples"));
    keys.rejectUnread();
    return viz;
  }
}
