/**
 * From completions and scores to data for offline GRPO: rewards, advantages, and the files that
 * trainers read. The arithmetic is SQL (the .sql files of this package). Start at {@link
 * ai.lockstep.jobs.grpo.GrpoStage}.
 */
@NullMarked
package ai.lockstep.jobs.grpo;

import org.jspecify.annotations.NullMarked;
