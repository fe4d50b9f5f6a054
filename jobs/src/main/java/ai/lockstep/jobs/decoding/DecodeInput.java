package ai.lockstep.jobs.decoding;

import ai.lockstep.datasets.Benchmark;
import ai.lockstep.datasets.Benchmarks;
import ai.lockstep.datasets.PromptBuilder;
import ai.lockstep.datasets.Task;
import ai.lockstep.jobs.config.DatasetConfig;
import ai.lockstep.jobs.config.DecodeConfig;
import ai.lockstep.jobs.config.RunConfig;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/**
 * What is decoded.
 *
 * @param dataset {@code dataset.name}, or {@code prompts} for a prompts file
 * @param md5 of the file as stored
 * @param benchmark empty for a prompts file
 * @param tasks the chosen tasks; none for a prompts file
 */
public record DecodeInput(
    String dataset, String md5, Optional<Benchmark> benchmark, List<Task> tasks) {

  /** The name in tables when the input is a prompts file. */
  private static final String PROMPTS = "prompts";

  public DecodeInput {
    tasks = List.copyOf(tasks);
  }

  /** The chosen tasks of the configured benchmark. */
  public static DecodeInput benchmark(DatasetConfig dataset) {
    Benchmark benchmark =
        dataset
            .path()
            .map(path -> Benchmarks.open(dataset.suite(), Path.of(path)))
            .orElseGet(() -> Benchmarks.open(dataset.suite(), dataset.edition()));
    return new DecodeInput(
        dataset.suite().datasetName(),
        benchmark.md5(),
        Optional.of(benchmark),
        dataset.selection().select(benchmark));
  }

  /** A prompts file, for its identity; {@link PromptsFile} reads the prompts. */
  public static DecodeInput promptsFile(Path file) {
    return new DecodeInput(PROMPTS, md5(file), Optional.empty(), List.of());
  }

  /** The tasks' prompts in the form that a configuration's model reads. */
  public List<Prompt> prompts(RunConfig config) {
    PromptBuilder builder = builder(config);
    return tasks.stream().map(task -> Prompt.ofText(task.taskId(), builder.build(task))).toList();
  }

  private static PromptBuilder builder(RunConfig config) {
    if (config.decode() instanceof DecodeConfig.Lockstep lockstep) {
      return PromptBuilder.reasoningAndAnswering(
          config.model().prompt(), lockstep.rOpen(), lockstep.aOpen());
    }
    return PromptBuilder.answering(config.model().prompt());
  }

  private static String md5(Path file) {
    try (InputStream in =
        new DigestInputStream(Files.newInputStream(file), MessageDigest.getInstance("MD5"))) {
      in.transferTo(java.io.OutputStream.nullOutputStream());
      return HexFormat.of().formatHex(((DigestInputStream) in).getMessageDigest().digest());
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot read " + file, e);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every JVM has MD5", e);
    }
  }
}
