package ai.lockstep.udf.decode;

import ai.lockstep.udf.model.Pass;
import ai.lockstep.udf.model.Proposals;

/** How sure the model is of a proposal: what positions are ranked by, higher first. */
@FunctionalInterface
interface Score {

  /**
   * Probability of the token before temperature and filters: LLaDA's confidence, which it takes of
   * the logits without noise.
   */
  Score UNFILTERED = (proposals, index) -> (float) Math.exp(proposals.logProbability(index));

  /** The score of the {@code index}-th target; comparable within one pass. */
  float of(Proposals proposals, int index);

  /** Whether it reads how spread the distribution is ({@link Pass#withSpread}). */
  default boolean readsSpread() {
    return false;
  }
}
