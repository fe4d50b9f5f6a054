package ai.lockstep.udf.decode;

import ai.lockstep.udf.model.Alignment;
import ai.lockstep.udf.model.ModelSpec;
import ai.lockstep.udf.model.Sampling;
import java.util.Optional;

/**
 * What every decoder has: how the model's logits become proposals.
 *
 * @param sampling {@code model.generation.temperature}, {@code top_p}, {@code top_k} and {@code
 *     decode.suppress_special}
 * @param alignment {@code decode.logit_shift}; empty for the model's own
 * @param hooks {@code decode.hooks}
 */
public record ProposalSettings(Sampling sampling, Optional<Alignment> alignment, Hooks hooks) {

  /** The most probable token, the model's own alignment, no hooks. */
  public static final ProposalSettings GREEDY = of(Sampling.GREEDY);

  /** The model's own alignment, no hooks. */
  public static ProposalSettings of(Sampling sampling) {
    return new ProposalSettings(sampling, Optional.empty(), Hooks.NONE);
  }

  /** Where the prediction of a position is read. */
  Alignment alignment(ModelSpec spec) {
    return alignment.orElse(spec.alignment());
  }
}
