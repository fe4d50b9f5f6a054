package ai.lockstep.udf.decode;

import ai.lockstep.udf.decode.Uniforms.Draw;
import java.util.ArrayList;
import java.util.List;
import java.util.function.DoublePredicate;

/** Which of a pass's candidates become final. Rules are stateless. */
@FunctionalInterface
interface CommitRule {

  /** The accepted candidates, in any order. */
  List<Accepted> accept(Candidates candidates);

  /**
   * Candidates whose probability meets a threshold, at most {@code cap}, the best by score; if
   * these are fewer than {@code need}, the best of the rest as well ({@link CommitKind#FORCED}).
   *
   * <p>The threshold tests p and the ranking uses the score, so a threshold means the same whatever
   * positions are ranked by (as in Discrete Diffusion Forcing, arXiv 2508.09192).
   *
   * @param threshold compared as p &gt;= threshold in float32
   */
  static CommitRule threshold(double threshold, int need, int cap) {
    float limit = (float) threshold;

    return meeting(p -> p >= limit, need, cap);
  }

  /**
   * Every candidate whose probability is above a threshold, strictly; if these are fewer than
   * {@code need}, the best of the rest as well (Discrete Diffusion Forcing).
   */
  static CommitRule above(double threshold, int need) {
    float limit = (float) threshold;

    return meeting(p -> p > limit, need, Integer.MAX_VALUE);
  }

  private static CommitRule meeting(DoublePredicate limit, int need, int cap) {
    return candidates -> {
      List<Accepted> accepted = new ArrayList<>();
      List<Integer> rejected = new ArrayList<>();
      for (int rank = 0; rank < candidates.size(); rank++) {
        if (accepted.size() < cap && limit.test(candidates.p(rank))) {
          accepted.add(candidates.accept(rank, CommitKind.THRESHOLD));
        } else {
          rejected.add(rank);
        }
      }
      for (int i = 0; accepted.size() < need && i < rejected.size(); i++) {
        accepted.add(candidates.accept(rejected.get(i), CommitKind.FORCED));
      }

      return accepted;
    };
  }

  /** The best {@code count} candidates: a schedule decides how many. */
  static CommitRule best(int count) {
    return candidates -> {
      List<Accepted> accepted = new ArrayList<>();
      for (int rank = 0; rank < Math.min(count, candidates.size()); rank++) {
        accepted.add(candidates.accept(rank, CommitKind.SCHEDULED));
      }

      return accepted;
    };
  }

  /**
   * {@code count} draws without replacement with probabilities softmax(score / temperature):
   * Dream's {@code alg_temp}. Drawn as the largest keys score / temperature - ln(-ln u), which has
   * the same distribution (Gumbel top-k; Kool, van Hoof, Welling, arXiv 1903.06059).
   *
   * @param temperature above 0; infinite for positions whatever their score
   */
  static CommitRule drawn(int count, double temperature, Uniforms uniforms) {
    return candidates -> {
      double[] keys = new double[candidates.size()];
      List<Integer> order = new ArrayList<>();
      for (int rank = 0; rank < keys.length; rank++) {
        double u = uniforms.at(Draw.ORDER, candidates.nfe(), candidates.position(rank));
        keys[rank] = candidates.score(rank) / temperature - Math.log(-Math.log(u));
        order.add(rank);
      }
      order.sort((a, b) -> Double.compare(keys[b], keys[a]));

      return order.stream()
          .limit(count)
          .map(rank -> candidates.accept(rank, CommitKind.SCHEDULED))
          .toList();
    };
  }

  /** Every candidate on its own with the same probability: Dream's {@code origin}. */
  static CommitRule independent(double probability, Uniforms uniforms) {
    return candidates -> {
      List<Accepted> accepted = new ArrayList<>();
      for (int rank = 0; rank < candidates.size(); rank++) {
        double u = uniforms.at(Draw.TRANSFER, candidates.nfe(), candidates.position(rank));
        if (u < probability) {
          accepted.add(candidates.accept(rank, CommitKind.SCHEDULED));
        }
      }

      return accepted;
    };
  }

  /**
   * The largest number n of candidates whose n-th best probability is at least 1 - factor / (n +
   * 1), at least one (Fast-dLLM, arXiv 2505.22618, Theorem 1). As in the released LLaDA code the
   * last candidate is taken along when only it fails.
   */
  static CommitRule factor(double factor) {
    return candidates -> {
      int count = 1;
      while (count < candidates.size() && candidates.score(count) >= 1 - factor / (count + 2)) {
        count++;
      }
      if (count == candidates.size() - 1) {
        count++;
      }
      List<Accepted> accepted = new ArrayList<>();
      for (int rank = 0; rank < Math.min(count, candidates.size()); rank++) {
        boolean met = candidates.score(rank) >= 1 - factor / (rank + 2);
        accepted.add(candidates.accept(rank, met ? CommitKind.THRESHOLD : CommitKind.FORCED));
      }

      return accepted;
    };
  }
}
