/**
 * The Parquet tables: one class a table declares every column once, with type, nullability, unit
 * and meaning. Start at {@link ai.lockstep.jobs.tables.Table}.
 *
 * <p>Every table is partitioned by {@code config_id}. A column never changes its meaning; a new
 * meaning is a new column.
 */
@NullMarked
package ai.lockstep.jobs.tables;

import org.jspecify.annotations.NullMarked;
