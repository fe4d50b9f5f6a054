package ai.lockstep.jobs.grpo;

import ai.lockstep.failure.LockstepException;
import ai.lockstep.jobs.run.RunFolder;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.jspecify.annotations.Nullable;

/**
 * What a rollout found out that its tables do not say: kept as {@value #FILE} in its folder.
 *
 * @param estimates one line on what estimates of log-probabilities cost; null without any
 * @param drift from an earlier rollout; null without one
 * @param replay one line on whether the stored log-probabilities can be had again
 * @param failedGates a line for each gate of {@code rl.gates} that failed
 */
public record RolloutChecks(
    @JsonProperty("estimates") @Nullable String estimates,
    @JsonProperty("drift") @Nullable Drift drift,
    @JsonProperty("replay") String replay,
    @JsonProperty("failed_gates") List<String> failedGates) {

  /** Name of the file. */
  static final String FILE = "rollout_checks.json";

  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  public RolloutChecks {
    failedGates = List.copyOf(failedGates);
  }

  void write(RunFolder folder) throws IOException {
    folder.write(FILE, JSON.writeValueAsBytes(this));
  }

  /**
   * Reads what a rollout left; empty when there is no such file.
   *
   * @throws LockstepException (environment) when it cannot be read
   */
  static Optional<RolloutChecks> read(String location, Configuration hadoop) {
    Path file = new Path(location, FILE);
    try {
      FileSystem files = file.getFileSystem(hadoop);
      if (!files.exists(file)) {
        return Optional.empty();
      }
      try (InputStream in = files.open(file)) {
        return Optional.of(JSON.readValue(in, RolloutChecks.class));
      }
    } catch (IOException e) {
      throw LockstepException.environment(
          "Cannot read %s: %s. Delete it, or run the rollout's command again to have it written anew."
              .formatted(file, e.getMessage()),
          e);
    }
  }
}
