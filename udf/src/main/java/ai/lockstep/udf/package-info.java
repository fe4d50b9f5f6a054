/**
 * What Spark maps over prompts: a checkpoint becomes a {@linkplain ai.lockstep.udf.model model},
 * {@linkplain ai.lockstep.udf.decode decoders} say what to ask it next, and a {@linkplain
 * ai.lockstep.udf.replica replica} runs both for every Spark task of an executor.
 */
@NullMarked
package ai.lockstep.udf;

import org.jspecify.annotations.NullMarked;
