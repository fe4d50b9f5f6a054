/**
 * Statistics of verdicts: pass@k and how far to trust it.
 *
 * <p>Start at {@link ai.lockstep.harness.estimate.PassAtK}; {@link
 * ai.lockstep.harness.estimate.PassInterval} gives intervals. Knows nothing but counts.
 */
@NullMarked
package ai.lockstep.harness.estimate;

import org.jspecify.annotations.NullMarked;
