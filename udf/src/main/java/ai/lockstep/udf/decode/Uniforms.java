package ai.lockstep.udf.decode;

/**
 * The random numbers of one row: a pure function of what a number is for, not of when it is drawn.
 * A sampled completion is therefore the same in any batch, on any partition and after any restart.
 * Immutable and thread-safe.
 */
@FunctionalInterface
public interface Uniforms {

  /** What a number decides; numbers of different draws are independent. */
  enum Draw {
    /** Which token is proposed at a position. */
    TOKEN,
    /** Whether a position is committed (Dream's {@code origin}). */
    TRANSFER,
    /** How positions are ordered (Dream's {@code alg_temp}, LLaDA's random remasking). */
    ORDER,
    /** Which tokens an estimate of log-probabilities hides. */
    HIDDEN
  }

  /**
   * One number.
   *
   * @param pass 0-based number of the row's forward pass
   * @param position counted from the start of the sequence
   * @return in [0, 1)
   */
  double at(Draw draw, int pass, int position);

  /** The numbers of a request's row. */
  static Uniforms of(DecodeRequest request) {
    return CounterUniforms.of(request);
  }
}
