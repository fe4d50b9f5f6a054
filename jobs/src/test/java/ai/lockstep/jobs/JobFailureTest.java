package ai.lockstep.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.List;
import org.apache.spark.SparkException;
import org.junit.jupiter.api.Test;

/** What an operator is told of a failure that is nobody's mistake in the command. */
class JobFailureTest {

  private static final String FULL =
      "lockstep: Cannot write: no space left on device. Free some space where output.dir and Spark's temporary files lie, and repeat the command; what is written stays.\n";

  private static JobRun failingWith(Exception failure) {
    return JobRun.of(
        EvaluateJob.DESCRIPTION,
        context -> {
          throw failure;
        },
        List.of());
  }

  @Test
  void aFullDiskIsTheMachines() {
    JobRun result =
        failingWith(
            new SparkException(
                "Job aborted due to stage failure", new IOException("No space left on device")));

    assertThat(result.errors()).isEqualTo(FULL);
    assertThat(result.exitCode()).isEqualTo(3);
  }

  @Test
  void aFullDiskIsRecognisedWhereOnlySparksWordsArrive() {
    JobRun result =
        failingWith(
            new SparkException("Lost task 0.3: java.io.IOException: No space left on device"));

    assertThat(result.errors()).isEqualTo(FULL);
    assertThat(result.exitCode()).isEqualTo(3);
  }

  @Test
  void executorsThatKeepDyingAreTheMachines() {
    JobRun result =
        failingWith(
            new SparkException(
                """
                Job aborted due to stage failure: Task 0 in stage 1.0 failed 6 times, most recent failure: Lost task 0.5 in stage 1.0 (TID 9) (10.0.0.1 executor 7): ExecutorLostFailure (executor 7 exited caused by one of the running tasks) Reason: Command exited with code 137
                Driver stacktrace:"""));

    assertThat(result.errors())
        .isEqualTo(
            "lockstep: Cannot finish: executors died over the same Spark task again and again; the last one: Command exited with code 137. Read the executors' logs; smaller hardware.batch_rows or more memory may help. What is written stays: repeat the command to go on.\n");
    assertThat(result.exitCode()).isEqualTo(3);
  }

  @Test
  void anythingElseIsABug() {
    JobRun result = failingWith(new IllegalStateException("x"));

    assertThat(result.errors())
        .endsWith(
            "lockstep: Cannot finish evaluate: java.lang.IllegalStateException: x. This is a bug of lockstep; the stack trace is above.\n");
    assertThat(result.exitCode()).isEqualTo(70);
  }
}
