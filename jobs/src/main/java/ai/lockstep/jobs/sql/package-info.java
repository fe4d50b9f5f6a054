/**
 * lockstep inside other people's SQL. Start at {@link ai.lockstep.jobs.sql.LockstepExtensions},
 * which any Spark session loads by name.
 */
@NullMarked
package ai.lockstep.jobs.sql;

import org.jspecify.annotations.NullMarked;
