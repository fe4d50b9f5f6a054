package ai.lockstep.jobs.scoring;

import ai.lockstep.datasets.Task;
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
}
