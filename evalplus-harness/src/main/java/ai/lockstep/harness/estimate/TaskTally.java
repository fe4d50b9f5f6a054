package ai.lockstep.harness.estimate;

/**
 * What the samples of one task came to.
 *
 * @param samples how many were judged, at least 1
 * @param correct how many of them are right, 0 to {@code samples}
 */
public record TaskTally(int samples, int correct) {

  public TaskTally {
    if (samples < 1 || correct < 0 || correct > samples) {
      throw new IllegalArgumentException(
          "A task cannot have %d of %d samples right".formatted(correct, samples));
    }
  }

  /** Share of the samples that are right, which is the task's pass@1. */
  public double rate() {
    return (double) correct / samples;
  }
}
