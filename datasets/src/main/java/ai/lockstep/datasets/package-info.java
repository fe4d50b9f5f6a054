/**
 * Benchmark tasks: reading them, choosing among them and turning them into prompts.
 *
 * <p>Start at {@link ai.lockstep.datasets.Benchmarks}, which opens a {@link
 * ai.lockstep.datasets.Benchmark}; {@link ai.lockstep.datasets.TaskSelection} picks from it and
 * {@link ai.lockstep.datasets.PromptBuilder} says what the model reads. Imports Jackson, {@code
 * ai.lockstep.datasets.download} and {@code ai.lockstep.failure}.
 */
@NullMarked
package ai.lockstep.datasets;

import org.jspecify.annotations.NullMarked;
