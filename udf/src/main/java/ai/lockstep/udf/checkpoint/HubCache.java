package ai.lockstep.udf.checkpoint;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * One model's folder in the Hugging Face cache, laid out as Python's huggingface_hub does: {@code
 * refs/REVISION} holds a commit, {@code snapshots/COMMIT} the files as links into {@code blobs}.
 */
final class HubCache {

  private final Path root;

  HubCache(Path cache, String name) {
    this.root = cache.resolve("models--" + name.replace("/", "--"));
  }

  /** The model's folder. */
  Path root() {
    return root;
  }

  /** The snapshot of a commit; it need not exist. */
  Path snapshot(String commit) {
    return root.resolve("snapshots").resolve(commit);
  }

  /** A file's content by its entity tag or digest; it need not exist. */
  Path blob(String id) {
    return root.resolve("blobs").resolve(id);
  }

  /** Where the commit of a branch or tag is remembered. */
  Path ref(String revision) {
    return root.resolve("refs").resolve(revision);
  }

  /** The commit that a branch, a tag or a commit itself stood for when it was last fetched. */
  Optional<String> commit(String revision) {
    Path ref = ref(revision);
    if (Files.isRegularFile(ref)) {
      try {
        return Optional.of(Files.readString(ref).strip());
      } catch (IOException e) {
        throw new UncheckedIOException("Cannot read " + ref, e);
      }
    }

    return Files.isDirectory(snapshot(revision)) ? Optional.of(revision) : Optional.empty();
  }
}
