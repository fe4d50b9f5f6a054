package ai.lockstep.jobs.cli;

import java.util.List;

/**
 * What {@code --help} says of a job, and how it is configured.
 *
 * @param name as in {@code submit/lockstep NAME}
 * @param purpose one sentence
 * @param overrides composed in front of the command's own, which win
 * @param help lines below the options: the keys that matter most, and examples
 */
public record JobDescription(
    String name, String purpose, List<String> overrides, List<String> help) {

  public JobDescription {
    overrides = List.copyOf(overrides);
    help = List.copyOf(help);
  }

  /** A job that the configuration's files are right for. */
  public JobDescription(String name, String purpose, List<String> help) {
    this(name, purpose, List.of(), help);
  }
}
