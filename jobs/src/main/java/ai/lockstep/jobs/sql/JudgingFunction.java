package ai.lockstep.jobs.sql;

import ai.lockstep.harness.RunVerdict;
import ai.lockstep.harness.Verdict;
import ai.lockstep.jobs.scoring.BenchmarkJudge;
import java.io.Serializable;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.jspecify.annotations.Nullable;
import scala.runtime.AbstractFunction3;

/**
 * A SQL function of {@code (dataset, task_id, program)}; null where one of them is. Runs on
 * executors; serialised: yes.
 */
abstract class JudgingFunction extends AbstractFunction3<String, String, String, Object>
    implements Serializable {

  private static final long serialVersionUID = 1;

  /** Whether the program passes every base and added test. */
  static final class Pass extends JudgingFunction {

    private static final long serialVersionUID = 1;

    @Override
    String name() {
      return "evalplus_pass";
    }

    @Override
    String usage() {
      return "_FUNC_(dataset, task_id, program) - Whether the program passes all tests of the task, EvalPlus's added ones included.";
    }

    @Override
    DataType type() {
      return DataTypes.BooleanType;
    }

    @Override
    Object answer(Verdict verdict) {
      return verdict.passed();
    }
  }

  /** EvalPlus's word for the base and added tests together. */
  static final class Status extends JudgingFunction {

    private static final long serialVersionUID = 1;

    @Override
    String name() {
      return "evalplus_status";
    }

    @Override
    String usage() {
      return "_FUNC_(dataset, task_id, program) - 'pass', 'fail' or 'timeout': of the base tests if they fail, else of the added ones.";
    }

    @Override
    DataType type() {
      return DataTypes.StringType;
    }

    @Override
    Object answer(Verdict verdict) {
      RunVerdict decisive =
          verdict.base().passed() ? verdict.plus().orElse(verdict.base()) : verdict.base();
      return decisive.status().evalPlusName();
    }
  }

  abstract String name();

  /** What {@code DESCRIBE FUNCTION} says. */
  abstract String usage();

  abstract DataType type();

  abstract Object answer(Verdict verdict);

  @Override
  public final @Nullable Object apply(
      @Nullable String dataset, @Nullable String taskId, @Nullable String program) {
    return dataset == null || taskId == null || program == null
        ? null
        : answer(BenchmarkJudge.judge(dataset, taskId, program));
  }
}
