package ai.lockstep.jobs.config;

import ai.lockstep.datasets.Benchmark;
import ai.lockstep.datasets.Benchmarks;
import ai.lockstep.datasets.Edition;
import ai.lockstep.datasets.Suite;
import ai.lockstep.datasets.TaskSelection;
import ai.lockstep.failure.LockstepException;
import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * {@code dataset}.
 *
 * @param suite {@code dataset.name}
 * @param path a file in EvalPlus's format; empty for the fetched or bundled one
 * @param selection {@code dataset.tasks}, cut at {@code dataset.limit}
 * @param edition {@code dataset.mini}
 */
public record DatasetConfig(
    Suite suite, Optional<String> path, TaskSelection selection, Edition edition) {

  /**
   * Reads the whole benchmark.
   *
   * @throws LockstepException when its file is not there or is not the benchmark
   */
  public Benchmark open() {
    return path.map(file -> Benchmarks.open(suite, Path.of(file)))
        .orElseGet(() -> Benchmarks.open(suite, edition));
  }

  static DatasetConfig read(Keys keys) {
    List<Suite> suites = List.of(Suite.values());
    List<String> names = Arrays.stream(Suite.values()).map(Suite::datasetName).toList();
    DatasetConfig dataset =
        new DatasetConfig(
            suites.get(names.indexOf(keys.oneOf("name", names))),
            keys.optionalText("path"),
            selection(keys.optional("tasks"), keys.optionalInteger("limit")),
            keys.flag("mini") ? Edition.MINI : Edition.FULL);
    keys.rejectUnread();
    return dataset;
  }

  private static TaskSelection selection(Optional<JsonNode> tasks, OptionalInt limit) {
    TaskSelection selection = tasks.map(DatasetConfig::chosen).orElse(TaskSelection.ALL);
    if (limit.isEmpty()) {
      return selection;
    }
    if (limit.getAsInt() < 1) {
      throw LockstepException.user(
          "Cannot run with dataset.limit=%d: the limit must be 1 or more, or null for all tasks."
              .formatted(limit.getAsInt()));
    }
    return selection.limit(limit.getAsInt());
  }

  /** A single item, or a list of them, of {@link TaskSelection}'s grammar. */
  private static TaskSelection chosen(JsonNode tasks) {
    if (!tasks.isArray()) {
      return TaskSelection.of(tasks.asText());
    }
    List<String> items = new ArrayList<>();
    tasks.forEach(item -> items.add(item.asText()));
    return TaskSelection.of(String.join(",", items));
  }
}
