package ai.lockstep.datasets;

import java.io.Serializable;
import java.util.List;
import java.util.Optional;

/**
 * A benchmark as it was read from one file. Serialised: yes.
 *
 * @param suite the family
 * @param md5 hex MD5 of the file's bytes as stored (EvalPlus's dataset hash); of the bundled bytes
 *     for the starter suite
 * @param tasks in file order, at least one, no two with one id
 */
public record Benchmark(Suite suite, String md5, List<Task> tasks) implements Serializable {

  public Benchmark {
    tasks = List.copyOf(tasks);

    if (tasks.isEmpty()) {
      throw new IllegalArgumentException("tasks must not be empty");
    }
  }

  /** The task with that id. */
  public Optional<Task> task(String taskId) {
    return tasks.stream().filter(task -> task.taskId().equals(taskId)).findFirst();
  }

  @Override
  public String toString() {
    return "Benchmark[" + suite.datasetName() + ", " + tasks.size() + " tasks, " + md5 + "]";
  }
}
