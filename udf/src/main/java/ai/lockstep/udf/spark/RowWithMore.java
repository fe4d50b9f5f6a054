package ai.lockstep.udf.spark;

import java.util.Arrays;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.catalyst.expressions.GenericRowWithSchema;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;

/**
 * Builds the rows that a transformer returns. They carry their schema: between two functions of one
 * Spark task Spark hands rows on as they are, and the second one asks for columns by name.
 */
public final class RowWithMore {

  private RowWithMore() {}

  /**
   * A row with columns behind its own.
   *
   * @param schema of all of them; it may leave out the last of {@code more}
   */
  public static Row of(StructType schema, Row row, @Nullable Object... more) {
    @Nullable Object[] values = new Object[schema.length()];
    for (int i = 0; i < values.length; i++) {
      values[i] = i < row.length() ? row.get(i) : more[i - row.length()];
    }
    return new GenericRowWithSchema(values, schema);
  }

  /** A row, or a struct within one. */
  public static Row struct(StructType schema, @Nullable Object... values) {
    return new GenericRowWithSchema(Arrays.copyOf(values, values.length), schema);
  }
}
