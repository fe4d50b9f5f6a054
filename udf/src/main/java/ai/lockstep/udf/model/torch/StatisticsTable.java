package ai.lockstep.udf.model.torch;

import ai.djl.pytorch.engine.PtNDArray;
import ai.lockstep.udf.model.Pass;
import ai.lockstep.udf.model.Proposals;
import java.util.Arrays;

/**
 * What the kernel's {@code answer} returns: a row a target with its token, probability and
 * log-probability, and where they are asked for the log-probability of a given token, the margin
 * and the negative entropy; and the raw logits, if asked for.
 */
final class StatisticsTable {

  private static final float[] NOTHING = {};

  /** The answer to a pass that predicts nothing. */
  static final Proposals NONE =
      new Proposals(new int[0], NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, new float[0][]);

  private final double[] numbers;
  private final int columns;
  private final float[] logits;
  private final int vocabulary;

  StatisticsTable(PtNDArray[] result, int count, int vocabulary) {
    this.numbers = result[0].toDoubleArray();
    this.columns = numbers.length / count;
    this.logits = result.length > 1 ? result[1].toFloatArray() : new float[0];
    this.vocabulary = vocabulary;
  }

  /** The answer to a pass whose targets begin at a row of the table. */
  Proposals proposals(int from, Pass pass) {
    int count = pass.targetCount();
    float[] p = column(1, from, count);
    for (float probability : p) {
      if (Float.isNaN(probability)) {
        throw new IllegalArgumentException(
            "Cannot choose a token: the model's logits are not numbers");
      }
    }
    int[] chosen = new int[count];
    for (int i = 0; i < count; i++) {
      chosen[i] = (int) numbers[(from + i) * columns];
    }
    float[][] rows = new float[pass.logitsWanted() ? count : 0][];
    for (int i = 0; i < rows.length; i++) {
      int start = Math.multiplyExact(from + i, vocabulary);
      rows[i] = Arrays.copyOfRange(logits, start, start + vocabulary);
    }

    return new Proposals(
        chosen,
        p,
        pass.spreadWanted() ? column(columns - 2, from, count) : NOTHING,
        pass.spreadWanted() ? column(columns - 1, from, count) : NOTHING,
        column(2, from, count),
        pass.givenTokens().length > 0 ? column(3, from, count) : NOTHING,
        rows);
  }

  private float[] column(int column, int from, int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) numbers[(from + i) * columns + column];
    }

    return values;
  }
}
