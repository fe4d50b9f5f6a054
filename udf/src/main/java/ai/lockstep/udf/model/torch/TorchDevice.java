package ai.lockstep.udf.model.torch;

import ai.djl.Device;

/**
 * Where a model lives and its number format: unless another is asked for, float32 on a CPU and
 * bfloat16 on a GPU.
 */
public final class TorchDevice {

  private static final int FLOAT32 = 6;
  private static final int BFLOAT16 = 15;

  /** A GPU's kernels want few different shapes; a CPU wants few wasted positions. */
  private static final int CUDA_GRANULARITY = 32;

  private final Device device;
  private final int dtype;
  private final boolean hasFlashAttention;

  private TorchDevice(Device device, int dtype, boolean hasFlashAttention) {
    this.device = device;
    this.dtype = dtype;
    this.hasFlashAttention = hasFlashAttention;
  }

  /** The CPU, in float32. */
  public static TorchDevice cpu() {
    return new TorchDevice(Device.cpu(), FLOAT32, false);
  }

  /** A GPU by its CUDA index, in bfloat16. */
  public static TorchDevice cuda(int index) {
    return new TorchDevice(Device.gpu(index), BFLOAT16, true);
  }

  /** The same device in float32. */
  public TorchDevice inFloat32() {
    return new TorchDevice(device, FLOAT32, false);
  }

  /** The same device in bfloat16; on a CPU slow, but it shows what rounding alone does. */
  public TorchDevice inBfloat16() {
    return new TorchDevice(device, BFLOAT16, device.isGpu());
  }

  Device device() {
    return device;
  }

  /** PyTorch's code of the number format of weights and activations. */
  int dtype() {
    return dtype;
  }

  /**
   * Whether PyTorch has flash attention here, which it has for half precision on GPUs: then {@link
   * DreamKernel} chooses among three ways to attend; elsewhere heads are folded, over rows of equal
   * shape at once and else row by row.
   */
  boolean hasFlashAttention() {
    return hasFlashAttention;
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
