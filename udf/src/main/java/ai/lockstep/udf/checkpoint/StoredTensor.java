package ai.lockstep.udf.checkpoint;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;

/**
 * A tensor that lies in a file: row-major, little-endian.
 *
 * @param name as in the file's header
 * @param dtype number format
 * @param shape sizes, outermost first
 * @param file the safetensors file
 * @param offset first byte in the file
 */
public record StoredTensor(String name, Dtype dtype, long[] shape, Path file, long offset) {

  /** Receives a tensor window by window. */
  @FunctionalInterface
  public interface RowConsumer {
    /**
     * @param fromRow first row of the window, counted along the outermost axis
     * @param rows number of rows
     * @param bytes a read-only mapping of those rows, valid until garbage collected
     */
    void accept(long fromRow, long rows, ByteBuffer bytes);
  }

  public StoredTensor {
    shape = shape.clone();
  }

  @Override
  public long[] shape() {
    return shape.clone();
  }

  /** Number of numbers. */
  public long elementCount() {
    return Arrays.stream(shape).reduce(1, Math::multiplyExact);
  }

  /** Size in the file. */
  public long byteCount() {
    return Math.multiplyExact(elementCount(), dtype.bytes());
  }

  /**
   * Maps the tensor in windows of whole rows, in order.
   *
   * <p>A Java buffer ends at 2 GiB and an embedding of Dream in float32 does not fit one, hence the
   * windows.
   *
   * @param windowBytes the size to stay below where a single row allows it
   */
  public void forEachWindow(long windowBytes, RowConsumer consumer) {
    long rows = shape.length == 0 ? 1 : shape[0];
    if (rows == 0) {
      return;
    }
    long rowBytes = byteCount() / rows;
    long step = Math.max(1, windowBytes / Math.max(1, rowBytes));
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      for (long row = 0; row < rows; row += step) {
        long count = Math.min(step, rows - row);
        ByteBuffer window =
            channel.map(FileChannel.MapMode.READ_ONLY, offset + row * rowBytes, count * rowBytes);
        consumer.accept(row, count, window.order(ByteOrder.LITTLE_ENDIAN));
      }
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot read " + name + " from " + file, e);
    }
  }

  /** The whole tensor as float32; at most 2^31 - 1 elements. */
  public float[] toFloats() {
    float[] values = new float[Math.toIntExact(elementCount())];
    int rowLength = shape.length == 0 ? 1 : values.length / Math.toIntExact(Math.max(1, shape[0]));
    forEachWindow(
        Integer.MAX_VALUE / 2,
        (fromRow, rows, bytes) -> {
          int at = Math.toIntExact(fromRow) * rowLength;
          int end = at + Math.toIntExact(rows) * rowLength;
          for (; at < end; at++) {
            values[at] =
                switch (dtype) {
                  case F32 -> bytes.getFloat();
                  case BF16 -> Float.intBitsToFloat(bytes.getShort() << 16);
                  case F16 -> halfToFloat(bytes.getShort());
                };
          }
        });

    return values;
  }

  /** JDK 17 has no {@code Float.float16ToFloat}. */
  private static float halfToFloat(short half) {
    int sign = (half & 0x8000) << 16;
    int exponent = (half >> 10) & 0x1f;
    int fraction = half & 0x3ff;
    if (exponent == 0) {
      float magnitude = fraction * 0x1p-24f;
      return sign == 0 ? magnitude : -magnitude;
    }

    int wide = exponent == 0x1f ? 0xff : exponent - 15 + 127;
    return Float.intBitsToFloat(sign | (wide << 23) | (fraction << 13));
  }

  @Override
  public String toString() {
    return "%s %s %s".formatted(name, dtype, Arrays.toString(shape));
  }
}
