package ai.lockstep.jobs.decoding;

import ai.lockstep.datasets.Benchmark;
import ai.lockstep.datasets.PromptBuilder;
import ai.lockstep.datasets.Task;
import ai.lockstep.jobs.config.DatasetConfig;
import ai.lockstep.jobs.config.DecodeConfig;
import ai.lockstep.jobs.config.RunConfig;
import ai.lockstep.jobs.run.FileDigest;
import java.nio.file.Path;
import java.util.List;

/** What is decoded: tasks of a benchmark, or a file of prompts. */
public sealed interface DecodeInput {

  /** {@code dataset.name}, or {@code prompts}. */
  String dataset();

  /** MD5 of the file as stored. */
  String md5();

  /** The prompts in the form that a configuration's model reads, in the input's order. */
  List<Prompt> prompts(RunConfig config);

  /** The chosen tasks of the configured benchmark. */
  static Tasks benchmark(RunConfig config) {
    DatasetConfig dataset = config.dataset();
    Benchmark benchmark = dataset.open();
    return new Tasks(benchmark, dataset.selection().select(benchmark));
  }

  /** All prompts of a file; see {@link PromptsFile}. */
  static DecodeInput promptsFile(Path file) {
    List<Prompt> prompts = PromptsFile.read(file);
    return new Prompts(FileDigest.md5(file), prompts);
  }

  /**
   * Tasks of a benchmark.
   *
   * @param benchmark all of it
   * @param chosen in file order, at least one
   */
  record Tasks(Benchmark benchmark, List<Task> chosen) implements DecodeInput {

    public Tasks {
      chosen = List.copyOf(chosen);
    }

    @Override
    public String dataset() {
      return benchmark.suite().datasetName();
    }

    @Override
    public String md5() {
      return benchmark.md5();
    }

    @Override
    public List<Prompt> prompts(RunConfig config) {
      PromptBuilder builder = builder(config);
      return chosen.stream()
          .map(task -> Prompt.ofText(task.taskId(), builder.build(task)))
          .toList();
    }

    private static PromptBuilder builder(RunConfig config) {
      if (config.decode() instanceof DecodeConfig.Lockstep lockstep) {
        return PromptBuilder.reasoningAndAnswering(
            config.model().prompt(), lockstep.rOpen(), lockstep.aOpen());
      }
      return PromptBuilder.answering(config.model().prompt());
    }
  }

  /** Prompts of a file, which no configuration changes. */
  record Prompts(String md5, List<Prompt> prompts) implements DecodeInput {

    public Prompts {
      prompts = List.copyOf(prompts);
    }

    @Override
    public String dataset() {
      return "prompts";
    }

    @Override
    public List<Prompt> prompts(RunConfig config) {
      return prompts;
    }
  }
}
