package ai.lockstep.udf.checkpoint;

import java.nio.file.Path;

/** Where a checkpoint comes from: {@link Folder}, {@link Hub} or {@link Bundled}. */
public sealed interface CheckpointSource {

  /**
   * A folder on this machine ({@code model.path}).
   *
   * @param path holds config.json, safetensors and the tokenizer's files
   */
  record Folder(Path path) implements CheckpointSource {}

  /**
   * A model of the Hugging Face hub ({@code model.hf_name}): from the local cache, else downloaded.
   *
   * @param name organisation/model
   * @param revision branch, tag or commit
   */
  record Hub(String name, String revision) implements CheckpointSource {

    /** The branch that is meant when none is named. */
    public static final String DEFAULT_REVISION = "main";

    private static final String NAME = "[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+";

    public Hub {
      if (!name.matches(NAME) || name.contains("..")) {
        throw new IllegalArgumentException(
            "model.hf_name=%s must look like organisation/model".formatted(name));
      }
      if (revision.isEmpty() || revision.contains("..")) {
        throw new IllegalArgumentException(
            "model.revision=%s must name a branch, a tag or a commit".formatted(revision));
      }
    }
  }

  /**
   * A model that ships with lockstep, as class path resources.
   *
   * @param name the folder below {@code /ai/lockstep/udf/models}
   */
  record Bundled(String name) implements CheckpointSource {

    /** The small model that solves the starter suite on a CPU. */
    public static final Bundled DREAM_TINY = new Bundled("dream-tiny");
  }
}
