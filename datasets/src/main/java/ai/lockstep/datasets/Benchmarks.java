package ai.lockstep.datasets;

import ai.lockstep.failure.LockstepException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** Opens benchmarks: the front door of this package. */
public final class Benchmarks {

  private static final String STARTER_RESOURCE = "/ai/lockstep/datasets/starter.jsonl";

  private Benchmarks() {}

  /** Opens a suite's full edition from its usual place. */
  public static Benchmark open(Suite suite) {
    return open(suite, Edition.FULL);
  }

  /**
   * Opens an edition of a suite from its usual place. The starter suite is bundled and has one
   * edition. The others are read from the file that EvalPlus's {@code HUMANEVAL_OVERRIDE_PATH} or
   * {@code MBPP_OVERRIDE_PATH} names, and without it from the cache that {@link DatasetCatalog}
   * fills.
   *
   * @throws LockstepException of category user if no file is there, or it is not the benchmark
   */
  public static Benchmark open(Suite suite, Edition edition) {
    return open(suite, edition, new DatasetCatalog(), System.getenv());
  }

  /**
   * Opens a suite from a file in EvalPlus's format, JSON Lines, gzipped or not.
   *
   * @throws LockstepException of category user if the file is not there or not that benchmark
   */
  public static Benchmark open(Suite suite, Path file) {
    return BenchmarkReader.read(suite, file);
  }

  static Benchmark open(
      Suite suite, Edition edition, DatasetCatalog catalog, Map<String, String> environment) {
    if (suite == Suite.STARTER) {
      return BenchmarkReader.readResource(suite, STARTER_RESOURCE);
    }

    String override = environment.getOrDefault(overrideVariable(suite), "");

    if (!override.isEmpty()) {
      return open(suite, Path.of(override));
    }

    Path cached = catalog.cachedFile(suite, edition);

    if (!Files.exists(cached)) {
      throw LockstepException.user(
          "Cannot open dataset="
              + suite.datasetName()
              + ": "
              + cached
              + " does not exist; run `"
              + DatasetCatalog.fetchCommand(suite, edition)
              + "` or set dataset.path=FILE.");
    }

    return open(suite, cached);
  }

  private static String overrideVariable(Suite suite) {
    return suite == Suite.HUMANEVAL ? "HUMANEVAL_OVERRIDE_PATH" : "MBPP_OVERRIDE_PATH";
  }
}
