package ai.lockstep.jobs.train;

import ai.lockstep.jobs.config.TrainConfig;
import ai.lockstep.udf.model.Pass;
import ai.lockstep.udf.model.torch.DreamPolicy;
import ai.lockstep.udf.rollout.PolicyLoss;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.IntFunction;

/**
 * Goes over rollouts and moves a policy: batches of samples, each split into forward passes that
 * fit, one step of Adam a batch. Holds one batch at a time.
 */
final class PolicyTraining {

  private final DreamPolicy policy;
  private final TrainConfig train;
  private final PolicyLoss loss;

  PolicyTraining(DreamPolicy policy, TrainConfig train) {
    this.policy = policy;
    this.train = train;
    this.loss = new PolicyLoss(train.clip(), train.kl());
  }

  /** Sums over tokens. */
  private static final class Sums {
    private double loss;
    private double ratio;
    private double clipped;
    private double kl;
    private double drift;
  }

  /**
   * Learns.
   *
   * @param epochs the samples of an epoch, from 1, in the order in which they are learnt from
   * @param done steps that the policy has behind it, whose samples are passed over
   * @param seen is told of every step
   */
  void run(IntFunction<Iterator<TrainingSample>> epochs, int done, Consumer<StepRecord> seen) {
    int step = 0;
    for (int epoch = 1; epoch <= train.epochs(); epoch++) {
      Iterator<TrainingSample> samples = epochs.apply(epoch);
      while (samples.hasNext()) {
        List<TrainingSample> batch = new ArrayList<>();
        while (batch.size() < train.batchSamples() && samples.hasNext()) {
          batch.add(samples.next());
        }
        long tokens = batch.stream().mapToLong(TrainingSample::learntCount).sum();
        if (tokens > 0) {
          step++;
          if (step > done) {
            seen.accept(step(step, epoch, batch, tokens));
          }
        }
      }
    }
  }

  private StepRecord step(int step, int epoch, List<TrainingSample> batch, long tokens) {
    Sums sums = new Sums();
    for (List<TrainingSample> part : parts(batch)) {
      accumulate(part, tokens, sums);
    }
    double norm = policy.step(train.maxGradNorm());
    return new StepRecord(
        step,
        epoch,
        batch.size(),
        tokens,
        batch.stream().mapToDouble(TrainingSample::reward).average().orElse(0),
        sums.loss / tokens,
        sums.ratio / tokens,
        sums.clipped / tokens,
        sums.kl / tokens,
        sums.drift / tokens,
        norm);
  }

  /** Samples whose passes fit into one forward pass; a single one may be larger. */
  private List<List<TrainingSample>> parts(List<TrainingSample> batch) {
    List<List<TrainingSample>> parts = new ArrayList<>();
    int rows = train.batchRows();
    for (TrainingSample sample : batch) {
      int needed = sample.estimate().passes().size();
      if (rows + needed > train.batchRows()) {
        parts.add(new ArrayList<>());
        rows = 0;
      }
      parts.get(parts.size() - 1).add(sample);
      rows += needed;
    }
    return parts;
  }

  private void accumulate(List<TrainingSample> part, long tokens, Sums sums) {
    EstimateBatch batch = new EstimateBatch(part);
    List<Pass> passes = batch.passes();
    if (passes.isEmpty()) {
      return;
    }
    double[][] reference =
        train.kl() == 0 ? null : batch.estimates(policy.referenceLogProbabilities(passes));
    policy.accumulate(
        passes,
        logp -> {
          double[][] now = batch.estimates(logp);
          double[][] derivatives = new double[part.size()][];
          for (int i = 0; i < part.size(); i++) {
            double[] anchor = reference == null ? now[i] : reference[i];
            derivatives[i] = derivatives(part.get(i), now[i], anchor, tokens, sums);
          }
          return batch.derivatives(derivatives);
        });
  }

  private double[] derivatives(
      TrainingSample sample, double[] now, double[] reference, long tokens, Sums sums) {
    double[] derivatives = new double[now.length];
    for (int k = 0; k < now.length; k++) {
      if (sample.learnt()[k]) {
        PolicyLoss.Token token = loss.at(now[k], sample.old()[k], reference[k], sample.advantage());
        derivatives[k] = token.derivative() / tokens;
        sums.loss += token.value();
        sums.ratio += token.ratio();
        sums.clipped += token.clipped() ? 1 : 0;
        sums.kl += token.distance();
        sums.drift += Math.abs(now[k] - sample.old()[k]);
      }
    }
    return derivatives;
  }
}
