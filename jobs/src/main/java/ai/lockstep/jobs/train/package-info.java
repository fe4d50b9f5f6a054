/**
 * Offline GRPO: learns from the table {@code grpo} and writes a LoRA adapter. Start at {@link
 * ai.lockstep.jobs.train.PolicyTraining}.
 */
@NullMarked
package ai.lockstep.jobs.train;

import org.jspecify.annotations.NullMarked;
