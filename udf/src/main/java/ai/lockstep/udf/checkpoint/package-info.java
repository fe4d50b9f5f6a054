/**
 * Where a checkpoint lies and what is in it: locating it (a folder, the Hugging Face cache, a
 * download, or the one bundled with lockstep), its {@code config.json}, its safetensors files and
 * LoRA adapters.
 *
 * <p>Start at {@link ai.lockstep.udf.checkpoint.CheckpointLocator}; {@link
 * ai.lockstep.udf.checkpoint.Weights} opens the tensors. Nothing here knows a tensor library.
 */
@NullMarked
package ai.lockstep.udf.checkpoint;

import org.jspecify.annotations.NullMarked;
