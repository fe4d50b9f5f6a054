/** Benchmark tasks: reading them, choosing among them and turning them into prompts. */
@NullMarked
package ai.lockstep.datasets;

import org.jspecify.annotations.NullMarked;
