package ai.lockstep.udf.checkpoint;

import ai.lockstep.failure.LockstepException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * A model that its owner exported to one TorchScript file: program and weights together, and
 * nothing that says which ids mean what.
 *
 * @param file the archive that {@code torch.jit.save} wrote
 * @param revision {@code file-} and a digest of the size and of a sample of the content
 */
public record ExportedModel(Path file, String revision) {

  private static final String REMEDY =
      "Export the model with torch.jit.trace or torch.jit.script and its method save";

  /**
   * Looks at a file without loading it.
   *
   * @throws LockstepException of category user when it is not there or is no TorchScript
   */
  public static ExportedModel locate(Path file) {
    if (!Files.isRegularFile(file)) {
      throw LockstepException.user(
          "Cannot load the exported model %s: %s. Set model.path to a TorchScript file."
              .formatted(
                  file, Files.isDirectory(file) ? "it is a folder" : "there is no such file"));
    }
    requireProgram(file);

    return new ExportedModel(file, "file-" + Fingerprint.ofFile(file));
  }

  /** A file of torch.save is a zip of pickles as well, but only TorchScript brings a program. */
  private static void requireProgram(Path file) {
    try (ZipFile zip = new ZipFile(file.toFile())) {
      if (zip.stream().map(ZipEntry::getName).noneMatch(name -> name.contains("/code/"))) {
        throw notTorchScript(file, "it is an archive without a program");
      }
    } catch (IOException e) {
      throw notTorchScript(file, "it is not an archive");
    }
  }

  private static LockstepException notTorchScript(Path file, String reason) {
    return LockstepException.user(
        "Cannot load the exported model %s: %s, so it is not TorchScript. %s."
            .formatted(file, reason, REMEDY));
  }
}
