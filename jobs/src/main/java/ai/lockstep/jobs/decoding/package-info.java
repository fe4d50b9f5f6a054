/**
 * From prompts to rows of {@code completions}: the plan on the driver, the decoding of one
 * partition on an executor's replica. Start at {@code DecodeStage}.
 */
@NullMarked
package ai.lockstep.jobs.decoding;

import org.jspecify.annotations.NullMarked;
