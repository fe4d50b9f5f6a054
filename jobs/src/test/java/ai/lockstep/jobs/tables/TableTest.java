package ai.lockstep.jobs.tables;

import static org.apache.spark.sql.types.DataTypes.IntegerType;
import static org.apache.spark.sql.types.DataTypes.StringType;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.lockstep.jobs.LocalSpark;
import java.nio.file.Path;
import java.util.List;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

@ExtendWith(LocalSpark.class)
class TableTest {

  private static final Table FRUIT =
      Table.named("fruit")
          .required("name", StringType, "what it is called")
          .optional("grams", IntegerType, "null when it was not weighed")
          .required(Table.PARTITION, StringType, "basket")
          .declared();

  @TempDir Path folder;

  private static Row fruit(String name, Integer grams, String basket) {
    return FRUIT.row().set("name", name).set("grams", grams).set("config_id", basket).build();
  }

  private static Dataset<Row> rows(SparkSession spark, Row... rows) {
    return spark.createDataFrame(List.of(rows), FRUIT.schema());
  }

  @Test
  void aTableThatWasNeverWrittenHasNoRows(SparkSession spark) {
    assertThat(FRUIT.read(spark, folder.toString()).count()).isZero();
  }

  @Test
  void appendedRowsComeBackWithTheirPartition(SparkSession spark) {
    FRUIT.append(rows(spark, fruit("apple", 150, "12e45")), folder.toString());
    FRUIT.append(rows(spark, fruit("pear", null, "12e45")), folder.toString());

    assertThat(FRUIT.read(spark, folder.toString()).orderBy("name").collectAsList())
        .extracting(Row::toString)
        .containsExactly("[apple,150,12e45]", "[pear,null,12e45]");
  }

  @Test
  void replacingOneConfigurationKeepsTheOthers(SparkSession spark) {
    FRUIT.append(rows(spark, fruit("apple", 1, "a"), fruit("pear", 2, "b")), folder.toString());
    FRUIT.replace(rows(spark, fruit("plum", 3, "a")), folder.toString());

    assertThat(FRUIT.read(spark, folder.toString()).orderBy("config_id").collectAsList())
        .extracting(Row::toString)
        .containsExactly("[plum,3,a]", "[pear,2,b]");
  }

  @Test
  void aRowWithoutARequiredColumnIsNotBuilt() {
    RowBuilder row = FRUIT.row().set("grams", 3).set("config_id", "a");

    assertThatThrownBy(row::build)
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("Column name is not filled");
  }
}
