package ai.lockstep.jobs.tables;

import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.Metadata;
import org.apache.spark.sql.types.StructField;

/**
 * One column of a table.
 *
 * @param name snake_case
 * @param type Spark's type
 * @param nullable whether a row may lack it; the meaning says when
 * @param meaning what it holds, with unit and range
 */
public record Column(String name, DataType type, boolean nullable, String meaning) {

  StructField field() {
    return new StructField(name, type, nullable, Metadata.empty()).withComment(meaning);
  }
}
