/**
 * The decoding algorithms, in pure Java: which positions to ask a model about next, and which of
 * its proposals to commit.
 *
 * <p>Start at {@link ai.lockstep.udf.decode.Decoder}. {@code Row} is the one loop: propose, accept,
 * commit, refresh. Decoders differ in an {@code Algorithm}, which they put together from
 *
 * <ul>
 *   <li>a {@code Schedule}: by which rule a span's next pass commits (linear noise, even counts,
 *       until filled, sweeps with a budget);
 *   <li>a {@code CommitRule}: which candidates become final (thresholds, the best, drawn, as many
 *       as are consistent);
 *   <li>a {@code Score}: what candidates are ranked by;
 *   <li>a {@code CachePlan}: which positions a pass reads again.
 * </ul>
 *
 * <p>A new paper is one record that implements {@code Decoder}, validates its settings and composes
 * these; {@code LladaDecoder} is the shortest to copy. Imports neither Spark nor DJL.
 */
@NullMarked
package ai.lockstep.udf.decode;

import org.jspecify.annotations.NullMarked;
