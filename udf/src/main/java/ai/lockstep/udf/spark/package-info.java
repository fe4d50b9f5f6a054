/**
 * Decoding inside a Spark application, lockstep's own or anybody's: {@link
 * ai.lockstep.udf.spark.LockstepGenerator} is a Spark ML transformer, {@link
 * ai.lockstep.udf.spark.ExecutorModel} holds the replica that all Spark tasks of an executor share,
 * and {@link ai.lockstep.udf.spark.LockstepPlugin} loads it before the first of them.
 *
 * <p>The only package of this module that imports Spark.
 */
@NullMarked
package ai.lockstep.udf.spark;

import org.jspecify.annotations.NullMarked;
