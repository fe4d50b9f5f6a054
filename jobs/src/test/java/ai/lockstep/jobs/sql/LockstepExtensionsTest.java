package ai.lockstep.jobs.sql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.lockstep.failure.LockstepException;
import ai.lockstep.jobs.LocalSpark;
import java.util.List;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Real programs in the real sandbox, through SQL text. */
@ExtendWith(LocalSpark.class)
class LockstepExtensionsTest {

  private static final String RIGHT =
      "def sum_even_squares(nums):\n    return sum(x * x for x in nums if x % 2 == 0)\n";
  private static final String WRONG = "def sum_even_squares(nums):\n    return len(nums)\n";

  private SparkSession spark;

  @BeforeEach
  void takeSession(SparkSession session) {
    spark = session;
    StructType schema =
        new StructType()
            .add("name", DataTypes.StringType)
            .add("task_id", DataTypes.StringType)
            .add("program", DataTypes.StringType);
    Dataset<Row> answers =
        spark.createDataFrame(
            List.of(
                RowFactory.create("right", "Starter/0", RIGHT),
                RowFactory.create("wrong", "Starter/0", WRONG),
                RowFactory.create("broken", "Starter/0", "def"),
                RowFactory.create("nothing", "Starter/0", null)),
            schema);
    answers.repartition(2).createOrReplaceTempView("answers");
  }

  private List<Row> ask(String query) {
    return spark.sql(query).collectAsList();
  }

  @Test
  void programsAreJudgedByTheTasksTests() {
    List<Row> rows =
        ask(
            "SELECT name, evalplus_pass('starter', task_id, program) AS passes,"
                + " evalplus_status('starter', task_id, program) AS status FROM answers");

    assertThat(rows)
        .containsExactlyInAnyOrder(
            RowFactory.create("right", true, "pass"),
            RowFactory.create("wrong", false, "fail"),
            RowFactory.create("broken", false, "fail"),
            RowFactory.create("nothing", null, null));
  }

  @Test
  void aVerdictStandsInFiltersAndAggregates() {
    assertThat(
            ask(
                "SELECT avg(CAST(evalplus_pass('starter', task_id, program) AS INT)) FROM answers"
                    + " WHERE evalplus_status('starter', task_id, program) IS NOT NULL"))
        .containsExactly(RowFactory.create(1 / 3.0));
  }

  @Test
  void aProgramIsJudgedAsItStands() {
    String fenced = "'```python\\n" + RIGHT.replace("\n", "\\n") + "```'";

    assertThat(ask("SELECT evalplus_pass('starter', 'Starter/0', " + fenced + ")"))
        .containsExactly(RowFactory.create(false));
  }

  @Test
  void anUnknownTaskIsNamed() {
    assertThatThrownBy(
            () -> ask("SELECT evalplus_pass('starter', 'Starter/999', name) FROM answers"))
        .rootCause()
        .isInstanceOf(LockstepException.class)
        .hasMessage(
            "Cannot judge task_id=Starter/999: starter has no such task; its ids look like Starter/0.");
  }

  @Test
  void anUnknownDatasetIsNamed() {
    assertThatThrownBy(() -> ask("SELECT evalplus_pass('mine', 'Starter/0', name) FROM answers"))
        .rootCause()
        .isInstanceOf(LockstepException.class)
        .hasMessage(
            "Cannot use dataset.name=mine: the benchmarks are humanevalplus, mbppplus, starter.");
  }

  @Test
  void aWrongNumberOfArgumentsIsNamed() {
    assertThatThrownBy(() -> ask("SELECT evalplus_pass('starter', program) FROM answers"))
        .hasMessage(
            "Cannot call evalplus_pass with 2 arguments: it takes (dataset, task_id, program).");
  }

  @Test
  void theFunctionDescribesItself() {
    assertThat(ask("DESCRIBE FUNCTION evalplus_pass"))
        .extracting(row -> row.getString(0))
        .contains(
            "Usage: evalplus_pass(dataset, task_id, program) - Whether the program passes all tests of the task, EvalPlus's added ones included.");
  }
}
