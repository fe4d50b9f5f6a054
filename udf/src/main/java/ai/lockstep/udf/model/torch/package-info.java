/**
 * Models on PyTorch through DJL. Start at {@link ai.lockstep.udf.model.torch.DreamModel}; its
 * program is the readable TorchScript resource {@code DreamKernel.torchscript} beside this package.
 */
@NullMarked
package ai.lockstep.udf.model.torch;

import org.jspecify.annotations.NullMarked;
