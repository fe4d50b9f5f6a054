package ai.lockstep.udf.golden;

import ai.lockstep.udf.checkpoint.StoredTensor;
import ai.lockstep.udf.checkpoint.Weights;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * A tensor of {@code forward.safetensors}.
 *
 * @param shape [batch, stored positions, width]
 * @param values row-major
 */
public record GoldenTensor(long[] shape, float[] values) {

  /** The tensor of that name. */
  public static GoldenTensor of(String name) {
    Path file = Golden.file("forward.safetensors");
    StoredTensor tensor = Weights.ofFile(file).tensor(name);

    return new GoldenTensor(tensor.shape(), tensor.toFloats());
  }

  /** One position's numbers. */
  public float[] row(int batch, int position) {
    int width = Math.toIntExact(shape[2]);
    int start = Math.toIntExact((batch * shape[1] + position) * width);

    return Arrays.copyOfRange(values, start, start + width);
  }
}
