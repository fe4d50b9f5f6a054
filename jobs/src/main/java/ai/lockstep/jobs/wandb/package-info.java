/**
 * Tracks a run in Weights &amp; Biases: writes an offline run as W&amp;B's own client does. Start
 * at {@link ai.lockstep.jobs.wandb.WandbTracker}. Driver only; only that class knows Spark.
 */
@NullMarked
package ai.lockstep.jobs.wandb;

import org.jspecify.annotations.NullMarked;
