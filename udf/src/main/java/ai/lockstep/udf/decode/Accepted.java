package ai.lockstep.udf.decode;

/**
 * A token that is about to be written.
 *
 * @param p filtered probability of the token; NaN where there is none
 * @param score ranking confidence; NaN where there is none
 * @param logProbability ln softmax(z)[token], unfiltered, temperature 1; NaN where there is none
 */
record Accepted(
    int position, int token, float p, float score, float logProbability, CommitKind kind) {

  /** A token no pass proposed: it stands behind an end token, or a hook wrote it. */
  static Accepted unproposed(int position, int token, CommitKind kind) {
    return new Accepted(position, token, Float.NaN, Float.NaN, Float.NaN, kind);
  }
}
