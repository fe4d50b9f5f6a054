package ai.lockstep.udf.spark;

import ai.lockstep.udf.model.torch.TorchDevice;
import java.io.Serializable;
import java.util.Optional;

/**
 * Where a replica runs and how it computes there. Serialised: yes.
 *
 * @param device where
 * @param dtype in which number format
 */
public record Placement(DeviceChoice device, NumberFormat dtype) implements Serializable {

  /** The device in its own number format. */
  public static Placement on(DeviceChoice device) {
    return new Placement(device, NumberFormat.AUTO);
  }

  /**
   * What PyTorch is told.
   *
   * @param address of the GPU that was assigned: its CUDA index
   * @throws ai.lockstep.failure.LockstepException as {@link DeviceChoice#device}
   */
  public TorchDevice torch(Optional<String> address) {
    TorchDevice chosen = device.device(address);
    return switch (dtype) {
      case AUTO -> chosen;
      case FLOAT32 -> chosen.inFloat32();
      case BFLOAT16 -> chosen.inBfloat16();
    };
  }
}
