/**
 * The seam between decoding and tensors: what one forward pass is asked ({@link
 * ai.lockstep.udf.model.Pass}) and what it answers ({@link ai.lockstep.udf.model.Proposals}).
 *
 * <p>Start at {@link ai.lockstep.udf.model.MaskedDiffusionModel}. This package imports neither
 * Spark nor DJL; the implementations on PyTorch live in {@code ai.lockstep.udf.model.torch}.
 */
@NullMarked
package ai.lockstep.udf.model;

import org.jspecify.annotations.NullMarked;
