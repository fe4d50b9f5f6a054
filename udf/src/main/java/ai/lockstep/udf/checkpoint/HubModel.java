package ai.lockstep.udf.checkpoint;

import ai.lockstep.failure.LockstepException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A model of the hub on its way to this machine. */
final class HubModel {

  private static final String INDEX = "model.safetensors.index.json";
  private static final String SINGLE = "model.safetensors";

  /**
   * A complete snapshot.
   *
   * @param folder the snapshot
   * @param commit its commit
   */
  record Located(Path folder, String commit) {}

  private final HubSettings settings;
  private final CheckpointSource.Hub model;
  private final HubCache cache;

  HubModel(HubSettings settings, CheckpointSource.Hub model) {
    this.settings = settings;
    this.model = model;
    this.cache = new HubCache(settings.cache(), model.name());
  }

  /** Takes the snapshot from the cache when it is complete, else downloads what is missing. */
  Located locate() {
    Optional<String> commit = cache.commit(model.revision());
    if (commit.isPresent() && missing(cache.snapshot(commit.get())).isEmpty()) {
      return new Located(cache.snapshot(commit.get()), commit.get());
    }
    if (settings.offline()) {
      throw offline(commit);
    }

    return new HubDownload(settings, model, cache).fetch();
  }

  /** Files that a checkpoint cannot do without and that this snapshot lacks. */
  static List<String> missing(Path snapshot) {
    List<String> needed = new ArrayList<>(List.of("config.json"));
    Path index = snapshot.resolve(INDEX);
    needed.addAll(Files.exists(index) ? Weights.shards(index) : List.of(SINGLE));
    if (!Files.exists(snapshot.resolve("tokenizer.json"))) {
      needed.addAll(List.of("vocab.json", "merges.txt"));
    }
    needed.removeIf(name -> Files.exists(snapshot.resolve(name)));

    return needed;
  }

  private LockstepException offline(Optional<String> commit) {
    String found =
        commit
            .map(
                known ->
                    "%s lacks %s"
                        .formatted(
                            cache.snapshot(known),
                            String.join(", ", missing(cache.snapshot(known)))))
            .orElseGet(
                () ->
                    "neither %s nor %s is there"
                        .formatted(cache.ref(model.revision()), cache.snapshot(model.revision())));

    return LockstepException.user(
        "Cannot load %s at revision %s: the hub may not be asked and %s. Set model.download=true (and unset HF_HUB_OFFLINE), or set model.path to a folder with the checkpoint."
            .formatted(model.name(), model.revision(), found));
  }
}
