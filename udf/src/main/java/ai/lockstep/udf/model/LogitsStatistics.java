package ai.lockstep.udf.model;

import java.util.Arrays;

/**
 * From one position's logits to a proposed token and how sure the model is of it: the definition,
 * in plain Java. Models compute the same on their device; this one serves logits that a hook has
 * changed and models that are not tensors at all.
 *
 * <p>Order of the steps, as in Dream's {@code generation_utils.py}: suppression, temperature,
 * top_p, top_k, softmax, then arg-max or one draw. Differences kept on purpose: everything is in
 * float32 with float64 sums whatever the model's dtype, and ties go to the lower id.
 *
 * <p>Immutable and thread-safe. Cost: O(vocabSize), O(vocabSize log vocabSize) with top_p or top_k.
 */
public final class LogitsStatistics {

  /** What Dream adds to a probability before it takes the logarithm for the entropy. */
  private static final double ENTROPY_FLOOR = 1e-10;

  private final int vocabSize;
  private final int tokenCount;
  private final int maskId;

  private LogitsStatistics(int vocabSize, int tokenCount, int maskId) {
    this.vocabSize = vocabSize;
    this.tokenCount = tokenCount;
    this.maskId = maskId;
  }

  /** Statistics for a model's vocabulary; {@link ModelSpec#maskId} and ids without token matter. */
  public static LogitsStatistics of(ModelSpec spec) {
    return new LogitsStatistics(spec.vocabSize(), spec.tokenCount(), spec.maskId());
  }

  /**
   * Answers a pass from the raw logits of its targets.
   *
   * @param logits [targetCount][vocabSize], in the order of the pass's targets, not changed; handed
   *     on in the answer if the pass wants logits
   */
  public Proposals propose(Pass pass, float[][] logits) {
    if (logits.length != pass.targetCount()) {
      throw new IllegalArgumentException(
          "%d rows of logits for %d targets".formatted(logits.length, pass.targetCount()));
    }
    int count = logits.length;
    int[] tokens = new int[count];
    float[] p = new float[count];
    float[] margin = new float[pass.spreadWanted() ? count : 0];
    float[] negativeEntropy = new float[margin.length];
    float[] logProbability = new float[count];
    double[] uniforms = pass.uniforms();
    int[] given = pass.givenTokens();
    float[] givenLogProbability = new float[given.length];
    for (int i = 0; i < count; i++) {
      float[] filtered = distribution(logits[i], pass.sampling());
      int best = argMax(filtered);
      tokens[i] = pass.sampling().draws() ? draw(filtered, uniforms[i]) : best;
      p[i] = filtered[tokens[i]];
      if (pass.spreadWanted()) {
        margin[i] = filtered[best] - secondLargest(filtered, best);
        negativeEntropy[i] = negativeEntropy(filtered);
      }
      logProbability[i] = logProbability(logits[i], tokens[i]);
      if (given.length > 0) {
        givenLogProbability[i] = logProbability(logits[i], given[i]);
      }
    }

    return new Proposals(
        tokens,
        p,
        margin,
        negativeEntropy,
        logProbability,
        givenLogProbability,
        pass.logitsWanted() ? logits : new float[0][]);
  }

  /**
   * The filtered distribution a token is chosen from.
   *
   * @param logits [vocabSize] raw logits, not changed
   * @return [vocabSize] probabilities; 0 for what suppression, top_p or top_k removed
   */
  public float[] distribution(float[] logits, Sampling sampling) {
    requireVocabulary(logits);
    float[] z = logits.clone();
    if (sampling.suppressSpecial()) {
      z[maskId] = Float.NEGATIVE_INFINITY;
      Arrays.fill(z, tokenCount, vocabSize, Float.NEGATIVE_INFINITY);
    }
    float max = max(z);
    // Softmax does not see a common offset; without it a small temperature would overflow.
    float divisor = sampling.draws() ? (float) sampling.temperature() : 1;
    for (int i = 0; i < vocabSize; i++) {
      z[i] = (z[i] - max) / divisor;
    }
    boolean nucleus = sampling.topP() < 1;
    boolean limited = sampling.topK() != Sampling.NO_TOP_K && sampling.topK() < vocabSize;
    if (nucleus || limited) {
      long[] ranked = rank(z);
      if (nucleus) {
        keepNucleus(z, ranked, sampling.topP());
      }
      if (limited) {
        keepAtLeast(z, z[id(ranked[sampling.topK() - 1])]);
      }
    }

    return softmax(z);
  }

  /** ln softmax(logits)[token]: temperature 1, unfiltered, unsuppressed. */
  public float logProbability(float[] logits, int token) {
    requireVocabulary(logits);
    float max = max(logits);
    double sum = 0;
    for (float logit : logits) {
      sum += Math.exp(logit - max);
    }

    return (float) (logits[token] - max - Math.log(sum));
  }

  /**
   * The first id whose cumulative probability exceeds a number: one categorical draw.
   *
   * @param p [vocabSize] probabilities
   * @param uniform in [0, 1)
   */
  public static int draw(float[] p, double uniform) {
    double cumulative = 0;
    int last = 0;
    for (int i = 0; i < p.length; i++) {
      if (p[i] > 0) {
        cumulative += p[i];
        if (cumulative > uniform) {
          return i;
        }

        last = i;
      }
    }

    // Rounding can leave the sum a little below 1.
    return last;
  }

  /** Descending by value, equal values by ascending id; the id is in the low 32 bits. */
  private static long[] rank(float[] z) {
    long[] ranked = new long[z.length];
    for (int i = 0; i < z.length; i++) {
      int bits = Float.floatToIntBits(z[i] + 0f); // +0f turns -0 into 0: they are ties
      int ascending = bits ^ ((bits >> 31) & 0x7fffffff);
      ranked[i] = ((long) ~ascending << 32) | i;
    }
    Arrays.sort(ranked);

    return ranked;
  }

  private static int id(long ranked) {
    return (int) ranked;
  }

  /** Drops every rank r &gt;= 1 whose predecessors already sum to more than {@code topP}. */
  private static void keepNucleus(float[] z, long[] ranked, double topP) {
    float[] p = softmax(z);
    double cumulative = p[id(ranked[0])];
    for (int r = 1; r < ranked.length; r++) {
      int id = id(ranked[r]);
      if (cumulative > topP) {
        z[id] = Float.NEGATIVE_INFINITY;
      } else {
        cumulative += p[id];
      }
    }
  }

  private static void keepAtLeast(float[] z, float limit) {
    for (int i = 0; i < z.length; i++) {
      if (z[i] < limit) {
        z[i] = Float.NEGATIVE_INFINITY;
      }
    }
  }

  private static float[] softmax(float[] z) {
    float max = max(z);
    double sum = 0;
    for (float value : z) {
      sum += Math.exp(value - max);
    }
    float[] p = new float[z.length];
    for (int i = 0; i < z.length; i++) {
      p[i] = (float) (Math.exp(z[i] - max) / sum);
    }

    return p;
  }

  private static float max(float[] z) {
    float max = Float.NEGATIVE_INFINITY;
    for (float value : z) {
      max = Math.max(max, value); // NaN wins
    }
    if (!Float.isFinite(max)) {
      throw new IllegalArgumentException(
          "Cannot choose a token from logits whose largest value is " + max);
    }

    return max;
  }

  private static int argMax(float[] values) {
    int best = 0;
    for (int i = 1; i < values.length; i++) {
      if (values[i] > values[best]) {
        best = i;
      }
    }

    return best;
  }

  private static float secondLargest(float[] p, int best) {
    float second = 0;
    for (int i = 0; i < p.length; i++) {
      if (i != best && p[i] > second) {
        second = p[i];
      }
    }

    return second;
  }

  private static float negativeEntropy(float[] p) {
    double sum = 0;
    for (float value : p) {
      if (value > 0) {
        sum += value * Math.log(value + ENTROPY_FLOOR);
      }
    }

    return (float) sum;
  }

  private void requireVocabulary(float[] logits) {
    if (logits.length != vocabSize) {
      throw new IllegalArgumentException(
          "%d logits for a vocabulary of %d".formatted(logits.length, vocabSize));
    }
  }
}
