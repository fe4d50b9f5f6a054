package ai.lockstep.udf.decode;

import ai.lockstep.udf.model.Proposals;
import java.util.Arrays;

/**
 * What a pass proposed at masked positions, best first: by descending score, equal scores by
 * ascending position. Index 0 is the best. Immutable.
 */
final class Candidates {

  private final int nfe;
  private final int[] targets;
  private final Proposals proposals;
  private final float[] scores;
  private final int[] ranked;

  private Candidates(int nfe, int[] targets, Proposals proposals, float[] scores, int[] ranked) {
    this.nfe = nfe;
    this.targets = targets;
    this.proposals = proposals;
    this.scores = scores;
    this.ranked = ranked;
  }

  /** The proposals of the row's {@code nfe}-th pass, scored by {@link Confidence#MASKGIT_PLUS}. */
  static Candidates of(int nfe, int[] targets, Proposals proposals) {
    return ranked(nfe, targets, proposals, Confidence.MASKGIT_PLUS);
  }

  /** The same proposals under another score. */
  Candidates scoredBy(Score score) {
    return ranked(nfe, targets, proposals, score).within(this);
  }

  private static Candidates ranked(int nfe, int[] targets, Proposals proposals, Score score) {
    float[] scores = new float[targets.length];
    for (int i = 0; i < scores.length; i++) {
      scores[i] = score.of(proposals, i);
    }

    return new Candidates(nfe, targets, proposals, scores, descending(scores));
  }

  /** Indices by descending value; packed into longs because boxing them would cost more. */
  private static int[] descending(float[] values) {
    long[] packed = new long[values.length];
    for (int i = 0; i < values.length; i++) {
      int bits = Float.floatToIntBits(values[i] + 0f); // +0f turns -0 into 0: they are ties
      int ascending = bits ^ ((bits >> 31) & 0x7fffffff);
      packed[i] = ((long) ~ascending << 32) | i;
    }
    Arrays.sort(packed);

    return Arrays.stream(packed).mapToInt(value -> (int) value).toArray();
  }

  private Candidates within(Candidates other) {
    if (other.ranked.length == ranked.length) {
      return this;
    }
    boolean[] kept = new boolean[targets.length];
    for (int index : other.ranked) {
      kept[index] = true;
    }

    return keep(Arrays.stream(ranked).filter(index -> kept[index]).toArray());
  }

  /** Those at positions of a span. */
  Candidates within(Block span) {
    return keep(
        Arrays.stream(ranked)
            .filter(i -> span.start() <= targets[i] && targets[i] < span.end())
            .toArray());
  }

  /** The best {@code count}, or all if there are fewer. */
  Candidates best(int count) {
    return keep(Arrays.copyOf(ranked, Math.min(count, ranked.length)));
  }

  private Candidates keep(int[] indices) {
    return new Candidates(nfe, targets, proposals, scores, indices);
  }

  /** 0-based number of the row's pass that proposed these. */
  int nfe() {
    return nfe;
  }

  /** Number of candidates. */
  int size() {
    return ranked.length;
  }

  /** Position of the {@code rank}-th candidate. */
  int position(int rank) {
    return targets[ranked[rank]];
  }

  /** Filtered probability of its token. */
  float p(int rank) {
    return proposals.p(ranked[rank]);
  }

  /** What it is ranked by. */
  float score(int rank) {
    return scores[ranked[rank]];
  }

  /** The candidate, accepted for a reason. */
  Accepted accept(int rank, CommitKind kind) {
    int index = ranked[rank];

    return new Accepted(
        targets[index],
        proposals.token(index),
        proposals.p(index),
        scores[index],
        proposals.logProbability(index),
        kind);
  }
}
