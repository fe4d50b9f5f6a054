package ai.lockstep.udf.spark;

import ai.lockstep.failure.LockstepException;
import ai.lockstep.udf.model.torch.TorchDevice;
import java.util.Locale;
import java.util.Optional;

/** Where a replica runs. */
public enum DeviceChoice {
  /** The GPU that Spark assigned, else the CPU. */
  AUTO,
  /** The CPU. */
  CPU,
  /** The GPU that Spark assigned or, in its local mode, the first; or it fails. */
  CUDA;

  /** CUDA's index of the first GPU that {@code CUDA_VISIBLE_DEVICES} leaves. */
  public static final String FIRST_GPU = "0";

  /** The spelling in parameters and properties. */
  public String spelling() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * The device.
   *
   * @param address of the GPU that Spark assigned: its CUDA index
   * @throws LockstepException when a GPU is wanted and none was assigned, or its address is no
   *     index
   */
  TorchDevice device(Optional<String> address) {
    return switch (this) {
      case CPU -> TorchDevice.cpu();
      case AUTO -> address.map(DeviceChoice::cuda).orElseGet(TorchDevice::cpu);
      case CUDA ->
          address
              .map(DeviceChoice::cuda)
              .orElseThrow(
                  () ->
                      LockstepException.environment(
                          "Cannot run with model.device=cuda: Spark gave this task no GPU. Use hardware=h200_1x on a cluster, or model.device=cpu."));
    };
  }

  private static TorchDevice cuda(String address) {
    try {
      return TorchDevice.cuda(Integer.parseInt(address));
    } catch (NumberFormatException e) {
      throw LockstepException.environment(
          "Cannot run on GPU address '%s': it must be a CUDA index such as 0. Use submit/gpus.sh as the discovery script."
              .formatted(address),
          e);
    }
  }
}
