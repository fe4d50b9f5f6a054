package ai.lockstep.jobs.train;

import ai.lockstep.failure.LockstepException;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/**
 * What one step of the optimiser saw; means over learnt tokens.
 *
 * @param step from 1
 * @param epoch from 1
 * @param samples of the step
 * @param tokens learnt from
 * @param reward mean over the samples
 * @param loss see {@link ai.lockstep.udf.rollout.PolicyLoss}
 * @param ratio new over old policy
 * @param clipped share of tokens whose ratio pulls no further
 * @param kl distance to the reference
 * @param drift mean absolute difference of new and old log-probability
 * @param gradientNorm before it was cut
 */
public record StepRecord(
    int step,
    int epoch,
    int samples,
    long tokens,
    double reward,
    double loss,
    double ratio,
    double clipped,
    double kl,
    double drift,
    @JsonProperty("gradient_norm") double gradientNorm) {

  private static final ObjectMapper JSON = new ObjectMapper();

  /**
   * Reads a line of {@code training.jsonl}.
   *
   * @throws LockstepException when it is none
   */
  static StepRecord of(String line) {
    try {
      return JSON.readValue(line, StepRecord.class);
    } catch (JsonProcessingException e) {
      throw LockstepException.user(
          "Cannot go on training: '%s' is no line of training.jsonl. Choose another output.dir to train from the start."
              .formatted(line),
          e);
    }
  }

  /** What trackers draw, by name. */
  public Map<String, Double> measures() {
    Map<String, Double> measures = new LinkedHashMap<>();
    measures.put("loss", loss);
    measures.put("reward", reward);
    measures.put("kl", kl);
    measures.put("clip_share", clipped);
    measures.put("ratio", ratio);
    measures.put("drift", drift);
    measures.put("gradient_norm", gradientNorm);
    measures.put("epoch", (double) epoch);
    measures.put("samples", (double) samples);
    measures.put("tokens", (double) tokens);
    return measures;
  }

  /** A line of {@code training.jsonl}. */
  String json() {
    try {
      return JSON.writeValueAsString(this) + "\n";
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("Numbers can always be written", e);
    }
  }

  /** For the log. */
  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "step=%d epoch=%d samples=%d tokens=%d reward=%.3f loss=%.4f ratio=%.3f clipped=%.3f kl=%.4f gradient_norm=%.3f",
        step,
        epoch,
        samples,
        tokens,
        reward,
        loss,
        ratio,
        clipped,
        kl,
        gradientNorm);
  }
}
