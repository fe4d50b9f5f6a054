/**
 * From completions or sample files to rows of {@code scores}. Start at {@link
 * ai.lockstep.jobs.scoring.ScoreStage}.
 */
@NullMarked
package ai.lockstep.jobs.scoring;

import org.jspecify.annotations.NullMarked;
