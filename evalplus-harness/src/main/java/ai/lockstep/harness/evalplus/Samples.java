package ai.lockstep.harness.evalplus;

import java.util.List;

/**
 * What was read from a samples file or folder.
 *
 * @param samples in reading order, at least one
 * @param warnings one sentence for each task id that the benchmark lacks; its samples are skipped,
 *     as EvalPlus does
 * @param missingTaskIds tasks of the benchmark without a sample, in the benchmark's order. EvalPlus
 *     refuses such files; here pass@k is over the tasks that have samples
 */
public record Samples(List<Sample> samples, List<String> warnings, List<String> missingTaskIds) {

  public Samples {
    samples = List.copyOf(samples);
    warnings = List.copyOf(warnings);
    missingTaskIds = List.copyOf(missingTaskIds);
  }
}
