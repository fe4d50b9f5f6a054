package ai.lockstep.jobs.scoring;

import ai.lockstep.datasets.Task;
import ai.lockstep.jobs.decoding.DecodeInput;
import java.util.List;

/**
 * What programs are judged against.
 *
 * @param runId {@code run.id} of the rows
 * @param dataset {@code dataset.name}
 * @param md5 of the benchmark's file
 * @param tasks every task that a candidate may name
 */
public record JudgedTasks(String runId, String dataset, String md5, List<Task> tasks) {

  public JudgedTasks {
    tasks = List.copyOf(tasks);
  }

  /** All tasks of the benchmark that was decoded. */
  public static JudgedTasks of(String runId, DecodeInput.Tasks input) {
    return new JudgedTasks(runId, input.dataset(), input.md5(), input.benchmark().tasks());
  }
}
