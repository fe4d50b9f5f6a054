/**
 * Numbers from the tables: SQL files that also run in plain spark-sql over the Parquet, and the
 * statistics that SQL cannot do.
 */
@NullMarked
package ai.lockstep.jobs.metrics;

import org.jspecify.annotations.NullMarked;
