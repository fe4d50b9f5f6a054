package ai.lockstep.jobs.config;

import ai.lockstep.failure.LockstepException;

/**
 * {@code viz}: what of a run is drawn. Decides no result.
 *
 * @param enabled whether {@code evaluate} writes the report
 * @param details tasks whose samples a report shows one by one, over all configurations, at least 1
 * @param gif which samples are drawn as pictures
 * @param gifSamples samples that are drawn at most, at least 1
 */
public record VizConfig(boolean enabled, int details, Gif gif, int gifSamples) {

  /** Which samples get a picture and an animation of their filling. */
  public enum Gif {
    /** None. */
    NONE,
    /** The first sample of the first tasks. */
    FIRST,
    /** Those that fail. */
    FAILED,
    /** All that the report shows one by one. */
    ALL
  }

  public VizConfig {
    requireOne("details", details);
    requireOne("gif_samples", gifSamples);
  }

  private static void requireOne(String key, int value) {
    if (value < 1) {
      throw LockstepException.user(
          "Cannot run with viz.%s=%d: it must be 1 or more.".formatted(key, value));
    }
  }

  static VizConfig read(Keys keys) {
    VizConfig viz =
        new VizConfig(
            keys.flag("enabled"),
            keys.integer("details"),
            keys.choice("gif", Gif.class),
            keys.integer("gif_samples"));
    keys.rejectUnread();
    return viz;
  }
}
