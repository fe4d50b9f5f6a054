package ai.lockstep.udf.decode;

import java.nio.charset.StandardCharsets;

/**
 * A counter-based generator. A key absorbs, in this order, the seed, the FNV-1a hash of the task
 * key's UTF-8 bytes, the sample index, the {@link Draw}, the pass and the position; absorbing
 * {@code v} is {@code key = mix(key ^ v + 0x9E3779B97F4A7C15)} with the finalizer of SplitMix64
 * (Steele, Lea, Flood, <i>Fast splittable pseudorandom number generators</i>, 2014). The upper 53
 * bits of the last key are the number.
 */
final class CounterUniforms implements Uniforms {

  private static final long WEYL = 0x9E3779B97F4A7C15L;
  private static final long FNV_OFFSET = 0xCBF29CE484222325L;
  private static final long FNV_PRIME = 0x100000001B3L;
  private static final double UNIT = 0x1.0p-53;

  private final long rowKey;

  private CounterUniforms(long rowKey) {
    this.rowKey = rowKey;
  }

  /** The numbers of a request's row. */
  static CounterUniforms of(DecodeRequest request) {
    long key = absorb(0, request.seed());
    key = absorb(key, fnv1a(request.taskKey()));

    return new CounterUniforms(absorb(key, request.sampleIndex()));
  }

  /** A multiple of 2^-53. */
  @Override
  public double at(Draw draw, int pass, int position) {
    long key = absorb(rowKey, draw.ordinal());
    key = absorb(key, pass);

    return (absorb(key, position) >>> 11) * UNIT;
  }

  private static long absorb(long key, long value) {
    return mix((key ^ value) + WEYL);
  }

  private static long mix(long z) {
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;

    return z ^ (z >>> 31);
  }

  private static long fnv1a(String text) {
    long hash = FNV_OFFSET;
    for (byte octet : text.getBytes(StandardCharsets.UTF_8)) {
      hash = (hash ^ (octet & 0xFF)) * FNV_PRIME;
    }

    return hash;
  }
}
