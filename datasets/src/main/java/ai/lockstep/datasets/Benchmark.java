package ai.lockstep.datasets;

import java.util.List;

/**
 * A benchmark as it was read from one file.
 *
 * @param suite the family
 * @param md5 hex MD5 of the file's bytes as stored (EvalPlus's dataset hash); of the bundled bytes
 *     for the starter suite
 * @param tasks in file order, at least one
 */
public record Benchmark(Suite suite, String md5, List<Task> tasks) {

  public Benchmark {
    tasks = List.copyOf(tasks);
  }
}
