package ai.lockstep.datasets;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.lockstep.failure.LockstepException;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TaskSelectionTest {

  private final Benchmark benchmark =
      ToyBenchmark.numbered(Suite.MBPP, 2, 3, 4, 10, 11, 19, 100, 112);

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "''              | 2 3 4 10 11 19 100 112",
        "*               | 2 3 4 10 11 19 100 112",
        "Mbpp/10         | 10",
        "10              | 10",
        "19, 2,Mbpp/19,  | 2 19",
        "3-10            | 3 4 10",
        "5-10            | 10",
        "Mbpp/3-10       | 3 4 10",
        "19-             | 19 100 112",
        "1?              | 10 11 19",
        "Mbpp/1*         | 10 11 19 100 112",
        "1*              | 10 11 19 100 112",
        "M*2             | 2 112",
        "100-,3          | 3 100 112",
      })
  void selectsInFileOrderAndOnce(String tasks, String numbers) {
    assertThat(TaskSelection.of(tasks).select(benchmark))
        .extracting(task -> String.valueOf(task.number()))
        .containsExactly(numbers.split(" "));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "Mbpp/113        | the nearest is Mbpp/112",
        "1               | the nearest is Mbpp/2",
        "mbpp/10         | the nearest is Mbpp/10",
        "HumanEval/12    | the nearest is Mbpp/11",
        "5-9             | the nearest is Mbpp/4",
        "200-            | the nearest is Mbpp/112",
        "Mbpp/9*         | its tasks run from Mbpp/2 to Mbpp/112",
        "Mbpp            | its tasks run from Mbpp/2 to Mbpp/112",
        "Mbpp/1.         | its tasks run from Mbpp/2 to Mbpp/112",
      })
  void refusesAnItemThatSelectsNothing(String item, String suggestion) {
    assertThatThrownBy(() -> TaskSelection.of("2," + item).select(benchmark))
        .isInstanceOf(LockstepException.class)
        .hasMessage(
            "Cannot select dataset.tasks="
                + item
                + ": mbppplus has no such task; "
                + suggestion
                + ".");
  }

  @Test
  void refusesARangeThatEndsBeforeItBegins() {
    assertThatThrownBy(() -> TaskSelection.of("9-3").select(benchmark))
        .isInstanceOf(LockstepException.class)
        .hasMessage("Cannot select dataset.tasks=9-3: the range ends before it begins; write 3-9.");
  }

  @Nested
  class ALimit {

    @Test
    void keepsTheFirstOfTheSelected() {
      assertThat(TaskSelection.of("1*").limit(2).select(benchmark))
          .extracting(Task::taskId)
          .containsExactly("Mbpp/10", "Mbpp/11");
    }

    @Test
    void mayExceedTheNumberOfTasks() {
      assertThat(TaskSelection.ALL.limit(1_000).select(benchmark)).hasSize(8);
    }

    @Test
    void mustBePositive() {
      assertThatThrownBy(() -> TaskSelection.ALL.limit(0))
          .isInstanceOf(LockstepException.class)
          .hasMessage("Cannot use dataset.limit=0: it must be at least 1; leave it out for all.");
    }
  }
}
