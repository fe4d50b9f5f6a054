/**
 * What the nightly job makes of a night's tables: a {@link ai.lockstep.jobs.nightly.Night} to keep,
 * a {@link ai.lockstep.jobs.nightly.NightReview} against earlier nights, and the files that tell
 * people. Start at {@code NightReview}, which knows neither Spark nor files. {@code Nights} is the
 * folder of all nights, and {@code Compaction} makes an old one small.
 */
@NullMarked
package ai.lockstep.jobs.nightly;

import org.jspecify.annotations.NullMarked;
