package ai.lockstep.jobs.tables;

import java.util.BitSet;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.catalyst.expressions.GenericRowWithSchema;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;

/** Fills a row by column name. A required column that was forgotten fails at {@link #build}. */
public final class RowBuilder {

  private final StructType schema;
  private final @Nullable Object[] values;
  private final BitSet filled = new BitSet();

  /** A row of the given schema with nothing in it. */
  public RowBuilder(StructType schema) {
    this.schema = schema;
    this.values = new Object[schema.length()];
  }

  /** Sets a column; null only where the column allows it. */
  public RowBuilder set(String column, @Nullable Object value) {
    int index = schema.fieldIndex(column);
    values[index] = value;
    filled.set(index);
    return this;
  }

  /** The row. */
  public Row build() {
    for (int i = 0; i < values.length; i++) {
      StructField field = schema.apply(i);
      if (values[i] == null && !field.nullable()) {
        throw new IllegalStateException(
            "Column %s is %s".formatted(field.name(), filled.get(i) ? "null" : "not filled"));
      }
    }
    return new GenericRowWithSchema(values, schema);
  }
}
