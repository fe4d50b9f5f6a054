/**
 * What trackers are told of a run: {@link ai.lockstep.jobs.tracking.Tracker} is one of them, {@link
 * ai.lockstep.jobs.tracking.TrackedRun} what is known when a job starts, {@link
 * ai.lockstep.jobs.tracking.RunResults} what came of it. Driver only.
 */
@NullMarked
package ai.lockstep.jobs.tracking;

import org.jspecify.annotations.NullMarked;
