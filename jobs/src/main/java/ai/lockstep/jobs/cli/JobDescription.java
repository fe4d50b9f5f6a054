package ai.lockstep.jobs.cli;

import java.util.List;

/**
 * What {@code --help} says of a job.
 *
 * @param name as in {@code submit/lockstep NAME}
 * @param purpose one sentence
 * @param help lines below the options: the keys that matter most, and examples
 */
public record JobDescription(String name, String purpose, List<String> help) {

  public JobDescription {
    help = List.copyOf(help);
  }
}
