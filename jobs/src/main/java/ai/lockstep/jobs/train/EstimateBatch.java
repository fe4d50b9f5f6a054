package ai.lockstep.jobs.train;

import ai.lockstep.udf.model.Pass;
import java.util.ArrayList;
import java.util.List;

/**
 * The passes that estimate the learnt tokens of some samples, and the linear map from the passes'
 * log-probabilities to the estimates. Only targets that count are asked about.
 */
final class EstimateBatch {

  /** A pass's target: token k of a sample, and what it counts. */
  private record Term(int sample, int token, double weight) {}

  private final List<TrainingSample> samples;
  private final List<Pass> passes = new ArrayList<>();
  private final List<Term> terms = new ArrayList<>();

  EstimateBatch(List<TrainingSample> samples) {
    this.samples = List.copyOf(samples);
    for (int sample = 0; sample < samples.size(); sample++) {
      List<Pass> asked = samples.get(sample).estimate().passes();
      for (int pass = 0; pass < asked.size(); pass++) {
        add(sample, pass, asked.get(pass));
      }
    }
  }

  private void add(int sample, int number, Pass whole) {
    TrainingSample of = samples.get(sample);
    int[] given = whole.givenTokens();
    List<Integer> targets = new ArrayList<>();
    List<Integer> tokens = new ArrayList<>();
    for (int k = 0; k < whole.targetCount(); k++) {
      double weight = of.estimate().weight(number, k);
      if (of.learnt()[k] && weight > 0) {
        targets.add(whole.target(k));
        tokens.add(given[k]);
        terms.add(new Term(sample, k, weight));
      }
    }
    if (!targets.isEmpty()) {
      passes.add(
          Pass.full(whole.tokens(), array(targets), whole.alignment())
              .withGivenTokens(array(tokens)));
    }
  }

  private static int[] array(List<Integer> values) {
    return values.stream().mapToInt(Integer::intValue).toArray();
  }

  /** What to ask a policy; empty when no sample has a learnt token. */
  List<Pass> passes() {
    return passes;
  }

  /**
   * Estimates by sample and token; 0 where a token is not learnt.
   *
   * @param logp of the passes' targets, in order
   */
  double[][] estimates(float[] logp) {
    double[][] estimates = new double[samples.size()][];
    for (int sample = 0; sample < estimates.length; sample++) {
      estimates[sample] = new double[samples.get(sample).old().length];
    }
    for (int i = 0; i < logp.length; i++) {
      Term term = terms.get(i);
      estimates[term.sample][term.token] += term.weight * logp[i];
    }
    return estimates;
  }

  /** From derivatives by estimates to derivatives by the passes' log-probabilities. */
  float[] derivatives(double[][] byEstimate) {
    float[] derivatives = new float[terms.size()];
    for (int i = 0; i < derivatives.length; i++) {
      Term term = terms.get(i);
      derivatives[i] = (float) (term.weight * byEstimate[term.sample][term.token]);
    }
    return derivatives;
  }
}
