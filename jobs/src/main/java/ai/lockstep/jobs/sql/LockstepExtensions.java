package ai.lockstep.jobs.sql;

import static scala.jdk.javaapi.CollectionConverters.asJava;
import static scala.jdk.javaapi.CollectionConverters.asScala;

import ai.lockstep.failure.LockstepException;
import java.util.Collections;
import java.util.List;
import org.apache.spark.sql.SparkSessionExtensions;
import org.apache.spark.sql.catalyst.FunctionIdentifier;
import org.apache.spark.sql.catalyst.encoders.AgnosticEncoders;
import org.apache.spark.sql.catalyst.encoders.ExpressionEncoder;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.ExpressionInfo;
import org.apache.spark.sql.catalyst.expressions.ScalaUDF;
import scala.Function1;
import scala.Option;
import scala.Some;
import scala.Tuple3;
import scala.collection.immutable.Seq;
import scala.runtime.AbstractFunction1;
import scala.runtime.BoxedUnit;

/**
 * Adds lockstep's functions to a Spark session:
 *
 * <pre>
 * spark-sql --jars lockstep-jobs-all.jar --conf spark.sql.extensions=ai.lockstep.jobs.sql.LockstepExtensions
 * spark-sql> SELECT evalplus_pass('starter', task_id, program) FROM ...
 * </pre>
 *
 * <p>{@code evalplus_pass(dataset, task_id, program)} is true when the program passes every test,
 * {@code evalplus_status} is EvalPlus's word. Programs run sandboxed on the executors; see {@link
 * ai.lockstep.jobs.scoring.BenchmarkJudge} for settings. Each Spark task runs one program at a
 * time: for a benchmark's worth of them {@code ai.lockstep.jobs.scoring.EvalPlusScorer} keeps every
 * core busy.
 */
public final class LockstepExtensions extends AbstractFunction1<SparkSessionExtensions, BoxedUnit> {

  private static final List<JudgingFunction> FUNCTIONS =
      List.of(new JudgingFunction.Pass(), new JudgingFunction.Status());

  private static final int ARGUMENTS = 3;

  @Override
  public BoxedUnit apply(SparkSessionExtensions extensions) {
    FUNCTIONS.forEach(
        function ->
            extensions.injectFunction(
                new Tuple3<>(
                    new FunctionIdentifier(function.name()), info(function), builder(function))));
    return BoxedUnit.UNIT;
  }

  private static ExpressionInfo info(JudgingFunction function) {
    return new ExpressionInfo(
        function.getClass().getName(),
        null,
        function.name(),
        function.usage(),
        "",
        "",
        "",
        "",
        "",
        "",
        "scala_udf");
  }

  private static Function1<Seq<Expression>, Expression> builder(JudgingFunction function) {
    return new AbstractFunction1<>() {
      @Override
      public Expression apply(Seq<Expression> arguments) {
        return call(function, arguments);
      }
    };
  }

  /**
   * Declared deterministic, so that it may stand inside an aggregate; a verdict that Spark asks for
   * twice is remembered.
   */
  private static Expression call(JudgingFunction function, Seq<Expression> arguments) {
    int given = asJava(arguments).size();
    if (given != ARGUMENTS) {
      throw LockstepException.user(
          "Cannot call %s with %d arguments: it takes (dataset, task_id, program)."
              .formatted(function.name(), given));
    }
    Option<ExpressionEncoder<?>> text =
        new Some<>(ExpressionEncoder.apply(AgnosticEncoders.StringEncoder$.MODULE$));
    return new ScalaUDF(
        function,
        function.type(),
        arguments,
        asScala(Collections.nCopies(ARGUMENTS, text)).toSeq(),
        Option.empty(),
        new Some<>(function.name()),
        true,
        true);
  }
}
