package ai.lockstep.udf.checkpoint;

import ai.lockstep.datasets.download.CacheFolder;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Finds a checkpoint, fetching or unpacking it when it is not on this machine yet.
 *
 * <ul>
 *   <li>A folder is taken as it is; its revision is {@code folder-} and a digest of config.json,
 *       the safetensors headers and a sample of the weights (15 GB would take a minute to digest).
 *   <li>A hub name is looked up in the hub's cache, then downloaded into it; its revision is the
 *       commit.
 *   <li>A bundled model is unpacked below lockstep's cache folder; its revision is {@code bundled-}
 *       and a digest of everything.
 * </ul>
 *
 * <p>With an adapter, {@code +} and the adapter's digest follow.
 */
public final class CheckpointLocator {

  private final HubSettings hub;
  private final Path cache;

  /**
   * A locator with explicit places.
   *
   * @param hub the hub and its cache
   * @param cache lockstep's own cache folder, for unpacked models
   */
  public CheckpointLocator(HubSettings hub, Path cache) {
    this.hub = hub;
    this.cache = cache;
  }

  /** A locator with the places that the environment names. */
  public static CheckpointLocator fromEnvironment() {
    return new CheckpointLocator(HubSettings.fromEnvironment(), CacheFolder.current());
  }

  /** Locates a checkpoint and reads its config. */
  public Checkpoint locate(CheckpointSource source) {
    if (source instanceof CheckpointSource.Folder folder) {
      CheckpointConfig config = CheckpointConfig.read(folder.path());
      return new Checkpoint(
          folder.path().toString(),
          "folder-" + Fingerprint.of(folder.path()),
          folder.path(),
          config,
          Optional.empty());
    }

    if (source instanceof CheckpointSource.Hub model) {
      HubModel.Located located = new HubModel(hub, model).locate();
      return new Checkpoint(
          model.name(),
          located.commit(),
          located.folder(),
          CheckpointConfig.read(located.folder()),
          Optional.empty());
    }

    CheckpointSource.Bundled bundled = (CheckpointSource.Bundled) source;
    BundledModel.Unpacked unpacked = BundledModel.unpack(bundled.name(), cache);
    return new Checkpoint(
        bundled.name(),
        "bundled-" + unpacked.digest(),
        unpacked.folder(),
        CheckpointConfig.read(unpacked.folder()),
        Optional.empty());
  }

  /**
   * Locates a checkpoint and an adapter to be merged into it.
   *
   * @param adapter a folder saved by PEFT
   */
  public Checkpoint locate(CheckpointSource source, Path adapter) {
    Checkpoint base = locate(source);
    LoraAdapter read = LoraAdapter.read(adapter, base.config().tensorShapes());

    return new Checkpoint(
        base.name(),
        base.revision() + "+" + Fingerprint.ofAdapter(adapter),
        base.folder(),
        base.config(),
        Optional.of(read));
  }
}
