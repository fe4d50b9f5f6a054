package ai.lockstep.jobs.decoding;

import ai.lockstep.jobs.config.RunConfig;
import java.util.Optional;
import java.util.Set;

/**
 * Which samples of which prompts are decoded.
 *
 * @param from first sample, from 0
 * @param until one behind the last
 * @param ids of the prompts; empty for all
 */
public record SampleRange(int from, int until, Optional<Set<String>> ids) {

  public SampleRange {
    if (from < 0 || until <= from) {
      throw new IllegalArgumentException("No samples in %d..%d".formatted(from, until));
    }
    ids = ids.map(Set::copyOf);
  }

  /** The samples that {@code model.generation.n} asks for, of every prompt. */
  public static SampleRange configured(RunConfig config) {
    return new SampleRange(0, config.model().generation().n(), Optional.empty());
  }

  boolean takes(Prompt prompt) {
    return ids.map(some -> some.contains(prompt.id())).orElse(true);
  }
}
