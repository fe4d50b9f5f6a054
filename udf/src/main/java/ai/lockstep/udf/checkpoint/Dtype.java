package ai.lockstep.udf.checkpoint;

/** A number format of a checkpoint's tensors, named as safetensors names it. */
public enum Dtype {
  F32(4),
  F16(2),
  BF16(2);

  private final int bytes;

  Dtype(int bytes) {
    this.bytes = bytes;
  }

  /** Size of one number. */
  public int bytes() {
    return bytes;
  }
}
