package ai.lockstep.udf.spark;

import java.util.Locale;

/** The number format of a replica's weights and activations. */
public enum NumberFormat {
  /** float32 on a CPU, bfloat16 on a GPU. */
  AUTO,
  /** 32 bits. */
  FLOAT32,
  /** 16 bits with float32's range. */
  BFLOAT16;

  /** The spelling in properties. */
  public String spelling() {
    return name().toLowerCase(Locale.ROOT);
  }
}
