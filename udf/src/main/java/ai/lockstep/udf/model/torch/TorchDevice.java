package ai.lockstep.udf.model.torch;

import ai.djl.Device;

/** Where a model lives, which decides its number format: float32 on a CPU, bfloat16 on a GPU. */
public final class TorchDevice {

  private static final int FLOAT32 = 6;
  private static final int BFLOAT16 = 15;

  /** A GPU's kernels want few different shapes; a CPU wants few wasted positions. */
  private static final int CUDA_GRANULARITY = 32;

  private final Device device;
  private final boolean attendsPacked;

  private TorchDevice(Device device, boolean attendsPacked) {
    this.device = device;
    this.attendsPacked = attendsPacked;
  }

  /** The CPU, in float32. */
  public static TorchDevice cpu() {
    return new TorchDevice(Device.cpu(), false);
  }

  /** A GPU by its CUDA index, in bfloat16. */
  public static TorchDevice cuda(int index) {
    return new TorchDevice(Device.gpu(index), true);
  }

  Device device() {
    return device;
  }

  /** PyTorch's code of the number format of weights and activations. */
  int dtype() {
    return device.isGpu() ? BFLOAT16 : FLOAT32;
  }

  /**
   * Whether attention runs over rows of any lengths in one kernel (flash attention, which PyTorch
   * has for half precision on GPUs); elsewhere it runs row by row or over rows of equal shape.
   */
  boolean attendsPacked() {
    return attendsPacked;
  }

  /** The same device with the other devices' attention, for comparing the two. */
  TorchDevice attendingByRows() {
    return new TorchDevice(device, false);
  }

  /** Sequence lengths are rounded up to a multiple of this. */
  int granularity() {
    return device.isGpu() ? CUDA_GRANULARITY : 1;
  }

  /** {@code cpu}, {@code gpu:0}, ... */
  @Override
  public String toString() {
    return device.isGpu() ? "gpu:" + device.getDeviceId() : "cpu";
  }
}
