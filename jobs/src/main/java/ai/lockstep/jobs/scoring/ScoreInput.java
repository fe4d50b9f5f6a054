package ai.lockstep.jobs.scoring;

import ai.lockstep.datasets.Benchmark;
import ai.lockstep.failure.LockstepException;
import ai.lockstep.harness.evalplus.SampleReader;
import ai.lockstep.harness.evalplus.Samples;
import ai.lockstep.jobs.run.FileDigest;
import ai.lockstep.jobs.run.RunFolder;
import ai.lockstep.jobs.run.RunManifest;
import ai.lockstep.jobs.tables.CompletionsTable;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/** What {@code samples=PATH} names. */
public sealed interface ScoreInput {

  /** Tells this input from another one: a command goes on only with the same. */
  String md5();

  /** Rows of {@link Candidates#SCHEMA} for a configuration. */
  Dataset<Row> candidates(SparkSession spark, String configId);

  /** Tasks of the benchmark without a sample, in the benchmark's order. */
  List<String> missingTaskIds(SparkSession spark);

  /** One sentence for each thing that was passed over. */
  List<String> warnings();

  /**
   * Looks at a path: the output folder of an earlier {@code generate} or {@code evaluate}, else
   * samples in EvalPlus's format, which are read.
   *
   * @throws LockstepException naming the first mistake
   */
  static ScoreInput of(Path path, Benchmark benchmark) {
    if (Files.exists(path.resolve(RunFolder.MANIFEST))) {
      return EarlierRun.of(path, benchmark);
    }
    return new SamplesFile(SampleReader.read(path, benchmark), FileDigest.md5(path));
  }

  /** Samples of a file or a folder, read. */
  record SamplesFile(Samples samples, String md5) implements ScoreInput {

    @Override
    public Dataset<Row> candidates(SparkSession spark, String configId) {
      return Candidates.ofSamples(spark, samples.samples(), configId);
    }

    @Override
    public List<String> missingTaskIds(SparkSession spark) {
      return samples.missingTaskIds();
    }

    @Override
    public List<String> warnings() {
      return samples.warnings();
    }
  }

  /**
   * The completions of an earlier run.
   *
   * @param md5 of its manifest: more completions of the same run may be there later
   * @param opening the text in front of its answers
   */
  record EarlierRun(Path folder, Benchmark benchmark, String md5, String opening)
      implements ScoreInput {

    private static EarlierRun of(Path folder, Benchmark benchmark) {
      Path file = folder.resolve(RunFolder.MANIFEST);
      RunManifest manifest = RunManifest.read(file);
      if (manifest.configs().size() != 1) {
        throw LockstepException.user(
            "Cannot read samples=%s: it holds a sweep of %d configurations, and score takes one. evaluate -m scores every one of a sweep."
                .formatted(folder, manifest.configs().size()));
      }
      if (!manifest.datasetMd5().equals(benchmark.md5())) {
        throw LockstepException.user(
            "Cannot read samples=%s: it holds completions of %s with MD5 %s, and the MD5 of dataset=%s is %s. Choose the benchmark with dataset=NAME and dataset.path=FILE."
                .formatted(
                    folder,
                    manifest.dataset(),
                    manifest.datasetMd5(),
                    benchmark.suite().datasetName(),
                    benchmark.md5()));
      }
      if (!Files.isDirectory(Path.of(CompletionsTable.TABLE.location(folder.toString())))) {
        throw LockstepException.user(
            "Cannot read samples=%s: run %s left no completions there. Finish it first, or name a samples file."
                .formatted(folder, manifest.runId()));
      }
      String opening =
          manifest.configs().values().iterator().next().at("/decode/block_markers/a_open").asText();
      return new EarlierRun(folder, benchmark, FileDigest.md5(file), opening);
    }

    @Override
    public Dataset<Row> candidates(SparkSession spark, String configId) {
      return Candidates.ofCompletions(completions(spark), opening, configId);
    }

    @Override
    public List<String> missingTaskIds(SparkSession spark) {
      Set<String> there =
          new TreeSet<>(
              completions(spark)
                  .where("status = 'ok'")
                  .select("task_id")
                  .distinct()
                  .as(Encoders.STRING())
                  .collectAsList());
      return benchmark.tasks().stream()
          .map(task -> task.taskId())
          .filter(id -> !there.contains(id))
          .toList();
    }

    private Dataset<Row> completions(SparkSession spark) {
      return CompletionsTable.TABLE.read(spark, folder.toString());
    }

    @Override
    public List<String> warnings() {
      return List.of();
    }
  }
}
