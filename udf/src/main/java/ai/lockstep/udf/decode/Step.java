package ai.lockstep.udf.decode;

import ai.lockstep.udf.model.Pass;

/**
 * One question to the model.
 *
 * @param sweep 1-based sweep of lockstep, or the step of other decoders
 * @param blocks names of the targeted blocks joined by {@code +}
 * @param pass greedy and unfiltered; the row adds sampling
 */
record Step(int sweep, String blocks, Pass pass) {

  /** The same step with a refined pass. */
  Step with(Pass refined) {
    return new Step(sweep, blocks, refined);
  }
}
