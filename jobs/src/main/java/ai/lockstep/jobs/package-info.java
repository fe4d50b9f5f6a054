/** The Spark applications: one main class a job. Start at {@code EvaluateJob}. */
@NullMarked
package ai.lockstep.jobs;

import org.jspecify.annotations.NullMarked;
