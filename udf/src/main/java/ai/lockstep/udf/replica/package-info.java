/**
 * One model on one device for the life of the JVM, shared by every Spark task of the executor.
 * Start at {@link ai.lockstep.udf.replica.Replica}.
 */
@NullMarked
package ai.lockstep.udf.replica;

import org.jspecify.annotations.NullMarked;
