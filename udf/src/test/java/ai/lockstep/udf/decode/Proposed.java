package ai.lockstep.udf.decode;

import ai.lockstep.udf.model.Proposals;
import java.util.stream.IntStream;

/** Candidates written out by hand: at positions 0, 1, ... the tokens 100, 101, ... */
final class Proposed {

  private Proposed() {}

  /** Ranked by their probabilities. */
  static Candidates withProbabilities(float... p) {
    return with(p, p);
  }

  /** Ranked by their margins, for rules that test p and rank by something else. */
  static Candidates with(float[] p, float[] margin) {
    int[] positions = IntStream.range(0, p.length).toArray();
    int[] tokens = IntStream.of(positions).map(position -> 100 + position).toArray();
    Proposals proposals =
        new Proposals(
            tokens,
            p,
            margin,
            new float[p.length],
            new float[p.length],
            new float[0],
            new float[0][]);

    return Candidates.of(0, positions, proposals).scoredBy(Confidence.TOPK_MARGIN);
  }
}
