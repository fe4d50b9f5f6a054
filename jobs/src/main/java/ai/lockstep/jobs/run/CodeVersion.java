package ai.lockstep.jobs.run;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Which lockstep wrote a table. */
public final class CodeVersion {

  private static final Logger LOG = LoggerFactory.getLogger(CodeVersion.class);
  private static final long GIT_SECONDS = 5;

  private CodeVersion() {}

  /** The version in the application jar's manifest, or {@code development} outside a jar. */
  public static String version() {
    String version = CodeVersion.class.getPackage().getImplementationVersion();
    return version == null ? "development" : version;
  }

  /**
   * The commit of the checkout that the launcher runs from, with {@code +changes} when files differ
   * from it; empty outside a checkout.
   */
  public static Optional<String> commit() {
    String home = System.getenv("LOCKSTEP_HOME");
    if (home == null) {
      return Optional.empty();
    }
    try {
      Process git =
          new ProcessBuilder("git", "describe", "--always", "--abbrev=40", "--dirty=+changes")
              .directory(Path.of(home).toFile())
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      String answer =
          new String(git.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
      boolean ended = git.waitFor(GIT_SECONDS, TimeUnit.SECONDS);
      return ended && git.exitValue() == 0 ? Optional.of(answer) : Optional.empty();
    } catch (IOException e) {
      LOG.debug("no git here", e);
      return Optional.empty();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Optional.empty();
    }
  }
}
