package ai.lockstep.datasets;

import java.util.Arrays;
import java.util.stream.Collectors;

/** Benchmarks small enough to be read in a test. */
final class ToyBenchmark {

  private ToyBenchmark() {}

  /** Tasks with these numbers, in this order; each adds its number to its argument. */
  static Benchmark numbered(Suite suite, int... numbers) {
    return new Benchmark(
        suite,
        "00000000000000000000000000000000",
        Arrays.stream(numbers)
            .mapToObj(number -> task(suite, number))
            .collect(Collectors.toList()));
  }

  private static Task task(Suite suite, int number) {
    return new Task(
        suite,
        suite.taskIdPrefix() + number,
        "def f(x):\n    \"\"\"Add " + number + " to x.\"\"\"\n",
        "    return x + " + number + "\n",
        "f",
        "[[1], [2]]",
        "[]",
        0);
  }
}
