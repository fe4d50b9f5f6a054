package ai.lockstep.jobs.config;

import ai.lockstep.failure.LockstepException;
import java.util.Optional;

/**
 * {@code train}: learning from rollouts.
 *
 * @param rollouts folder of a rollout; empty when nothing is trained
 * @param epochs times that every sample is learnt from, 1 or more
 * @param batchSamples samples of one optimiser step, 1 or more
 * @param batchRows rows of one forward pass at most, 1 or more
 * @param learningRate of Adam, above 0
 * @param clip how far ratios count beyond 1, above 0
 * @param kl weight of the distance to the reference, 0 or more
 * @param rank of the LoRA factors, 1 or more
 * @param alpha their product counts alpha / rank times, above 0
 * @param maxGradNorm longest gradient, above 0
 * @param seed of new factors and of the samples' order
 * @param saveSteps steps between two saved states, 1 or more
 */
public record TrainConfig(
    Optional<String> rollouts,
    int epochs,
    int batchSamples,
    int batchRows,
    double learningRate,
    double clip,
    double kl,
    int rank,
    double alpha,
    double maxGradNorm,
    long seed,
    int saveSteps) {

  public TrainConfig {
    require("epochs", epochs, epochs >= 1, "it must be 1 or more");
    require("batch_samples", batchSamples, batchSamples >= 1, "it must be 1 or more");
    require("batch_rows", batchRows, batchRows >= 1, "it must be 1 or more");
    require("learning_rate", learningRate, learningRate > 0, "it must be above 0");
    require("clip", clip, clip > 0, "it must be above 0");
    require("kl", kl, kl >= 0, "it must be 0 or more");
    require("rank", rank, rank >= 1, "it must be 1 or more");
    require("alpha", alpha, alpha > 0, "it must be above 0");
    require("max_grad_norm", maxGradNorm, maxGradNorm > 0, "it must be above 0");
    require("save_steps", saveSteps, saveSteps >= 1, "it must be 1 or more");
  }

  static TrainConfig read(Keys keys) {
    TrainConfig train =
        new TrainConfig(
            keys.optionalText("rollouts"),
            keys.integer("epochs"),
            keys.integer("batch_samples"),
            keys.integer("batch_rows"),
            keys.number("learning_rate"),
            keys.number("clip"),
            keys.number("kl"),
            keys.integer("rank"),
            keys.number("alpha"),
            keys.number("max_grad_norm"),
            keys.longInteger("seed"),
            keys.integer("save_steps"));
    keys.rejectUnread();
    return train;
  }

  /** What decides the course of a training on given samples. */
  public String course() {
    return "epochs=%d batch_samples=%d learning_rate=%s clip=%s kl=%s rank=%d alpha=%s max_grad_norm=%s seed=%d"
        .formatted(epochs, batchSamples, learningRate, clip, kl, rank, alpha, maxGradNorm, seed);
  }

  private static void require(String key, Object value, boolean holds, String rule) {
    if (!holds) {
      throw LockstepException.user("Cannot run with train.%s=%s: %s.".formatted(key, value, rule));
    }
  }
}
