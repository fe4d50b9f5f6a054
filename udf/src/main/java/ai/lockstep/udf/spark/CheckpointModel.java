package ai.lockstep.udf.spark;

import ai.lockstep.datasets.download.CacheFolder;
import ai.lockstep.udf.checkpoint.Checkpoint;
import ai.lockstep.udf.checkpoint.CheckpointLocator;
import ai.lockstep.udf.checkpoint.CheckpointSource;
import ai.lockstep.udf.checkpoint.HubSettings;
import ai.lockstep.udf.model.torch.DreamModel;
import ai.lockstep.udf.model.torch.TorchDevice;
import ai.lockstep.udf.tokenizer.DreamTokenizer;
import java.io.Serializable;
import java.net.URI;
import java.nio.file.Path;

/**
 * A checkpoint in safetensors by its URL. Serialised: yes.
 *
 * @param url {@code bundled:NAME}, {@code hf://organisation/model} with an optional {@code
 *     @revision}, or a folder, also as {@code file:///...}
 * @param adapter folder of a LoRA adapter to merge, or {@link #NO_ADAPTER}
 * @param download whether what the hub's local cache lacks is fetched
 */
public record CheckpointModel(String url, String adapter, Download download)
    implements ModelSource, Serializable {

  /** The checkpoint as it is. */
  public static final String NO_ADAPTER = "";

  private static final String BUNDLED = "bundled:";
  private static final String HUB = "hf://";
  private static final String FILE = "file:";

  /** Whether the network may be used. */
  public enum Download {
    /** Only what is on this machine. */
    DENIED,
    /** The hub fills its local cache. */
    ALLOWED
  }

  /** A checkpoint without an adapter, from this machine. */
  public static CheckpointModel at(String url) {
    return new CheckpointModel(url, NO_ADAPTER, Download.DENIED);
  }

  /** The URL of a model on the hub. */
  public static String hubUrl(String name, String revision) {
    return HUB + name + "@" + revision;
  }

  @Override
  public String name() {
    return url;
  }

  /**
   * Finds the checkpoint without loading it.
   *
   * @throws ai.lockstep.failure.LockstepException when it is not there
   */
  public Checkpoint locate() {
    HubSettings hub = HubSettings.fromEnvironment();
    boolean offline = hub.offline() || download == Download.DENIED;
    CheckpointLocator locator =
        new CheckpointLocator(
            new HubSettings(hub.cache(), hub.endpoint(), hub.token(), offline),
            CacheFolder.current());
    return adapter.equals(NO_ADAPTER)
        ? locator.locate(source())
        : locator.locate(source(), Path.of(adapter));
  }

  /** What the URL means. */
  CheckpointSource source() {
    if (url.startsWith(BUNDLED)) {
      return new CheckpointSource.Bundled(url.substring(BUNDLED.length()));
    }
    if (url.startsWith(HUB)) {
      String[] nameAndRevision = url.substring(HUB.length()).split("@", 2);
      return new CheckpointSource.Hub(
          nameAndRevision[0],
          nameAndRevision.length == 2 ? nameAndRevision[1] : CheckpointSource.Hub.DEFAULT_REVISION);
    }
    return new CheckpointSource.Folder(
        url.startsWith(FILE) ? Path.of(URI.create(url)) : Path.of(url));
  }

  @Override
  public Loaded load(TorchDevice device) {
    Checkpoint checkpoint = locate();
    DreamTokenizer tokenizer = DreamTokenizer.open(checkpoint.folder());
    return new Loaded(tokenizer, DreamModel.load(checkpoint, tokenizer.tokenCount(), device));
  }
}
