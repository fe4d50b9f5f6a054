package ai.lockstep.jobs.config;

import ai.lockstep.failure.LockstepException;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Optional;

/**
 * Everything a job is configured with, typed and checked.
 *
 * @param id {@code run.id}
 * @param configId short digest of what decides results, see {@link ConfigDigest}
 * @param samples completions to score, when a file of them is given
 * @param input prompts to decode instead of the dataset
 * @param plan whether to say what would be decoded, and do nothing
 * @param compare another run's folder, for a report
 */
public record RunConfig(
    String id,
    String configId,
    ModelConfig model,
    DecodeConfig decode,
    DatasetConfig dataset,
    HarnessConfig harness,
    HardwareConfig hardware,
    RlConfig rl,
    NightlyConfig nightly,
    TrainConfig train,
    WandbConfig wandb,
    TrackingConfig tracking,
    VizConfig viz,
    OutputConfig output,
    FetchConfig fetch,
    Optional<String> samples,
    Optional<String> input,
    boolean plan,
    Optional<String> compare) {

  public RunConfig {
    if (!id.matches("[A-Za-z0-9._-]+")) {
      throw LockstepException.user(
          "Cannot run with run.id=%s: letters, digits, points, - and _ are allowed.".formatted(id));
    }
  }

  /**
   * Reads a composed configuration.
   *
   * @throws LockstepException with one sentence for the first key that is missing, mistyped, out of
   *     range or unknown
   */
  public static RunConfig of(Composition composition) {
    return of(composition.resolved());
  }

  /** Reads {@link Composition#resolved()} again, where it arrived as JSON. */
  public static RunConfig of(ObjectNode resolved) {
    Keys keys = Keys.of(resolved);
    Keys run = keys.map("run");
    RunConfig config =
        new RunConfig(
            run.text("id"),
            ConfigDigest.of(resolved).shortId(),
            ModelConfig.read(keys.map("model")),
            DecodeConfig.read(keys.map("decode")),
            DatasetConfig.read(keys.map("dataset")),
            HarnessConfig.read(keys.map("harness")),
            HardwareConfig.read(keys.map("hardware")),
            RlConfig.read(keys.map("rl")),
            NightlyConfig.read(keys.map("nightly")),
            TrainConfig.read(keys.map("train")),
            WandbConfig.read(keys.map("wandb")),
            TrackingConfig.read(keys.map("tracking")),
            VizConfig.read(keys.map("viz")),
            OutputConfig.read(keys.map("output")),
            FetchConfig.read(keys.map("fetch")),
            keys.optionalText("samples"),
            keys.optionalText("input"),
            keys.flag("plan"),
            keys.optionalText("compare"));
    run.rejectUnread();
    // Read through dataset.limit, dataset.tasks and by Sweep.
    keys.optional("limit");
    keys.optional("tasks");
    keys.optional("sweep");
    keys.rejectUnread();
    return config;
  }
}
