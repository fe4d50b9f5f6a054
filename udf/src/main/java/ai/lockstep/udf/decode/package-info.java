/**
 * The decoding algorithms, in pure Java: which positions to ask a model about next, and which of
 * its proposals to commit.
 *
 * <p>Start at {@link ai.lockstep.udf.decode.Decoder}. Imports neither Spark nor DJL.
 */
@NullMarked
package ai.lockstep.udf.decode;

import org.jspecify.annotations.NullMarked;
