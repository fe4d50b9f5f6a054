package ai.lockstep.udf.checkpoint;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * How to reach the Hugging Face hub and where its cache lies, from the environment variables that
 * its Python library reads (huggingface_hub, {@code constants.py}).
 *
 * @param cache {@code HF_HUB_CACHE}, else {@code HF_HOME/hub}, else {@code
 *     XDG_CACHE_HOME/huggingface/hub}, else {@code ~/.cache/huggingface/hub}
 * @param endpoint {@code HF_ENDPOINT}, else {@code https://huggingface.co}
 * @param token {@code HF_TOKEN}, else the content of the file at {@code HF_TOKEN_PATH} or {@code
 *     HF_HOME/token}
 * @param offline {@code HF_HUB_OFFLINE} is 1, true, yes or on
 */
public record HubSettings(Path cache, URI endpoint, Optional<String> token, boolean offline) {

  private static final String DEFAULT_ENDPOINT = "https://huggingface.co";
  private static final Set<String> TRUE = Set.of("1", "true", "yes", "on");

  /** Reads the variables. */
  public static HubSettings fromEnvironment() {
    return from(System.getenv(), Path.of(System.getProperty("user.home")));
  }

  /**
   * Reads variables from a map.
   *
   * @param environment variables by name; an empty value counts as absent
   * @param home the user's home folder
   */
  public static HubSettings from(Map<String, String> environment, Path home) {
    Path hfHome =
        value(environment, "HF_HOME")
            .map(Path::of)
            .orElseGet(
                () ->
                    value(environment, "XDG_CACHE_HOME")
                        .map(Path::of)
                        .orElse(home.resolve(".cache"))
                        .resolve("huggingface"));
    Path cache = value(environment, "HF_HUB_CACHE").map(Path::of).orElse(hfHome.resolve("hub"));
    String endpoint =
        value(environment, "HF_ENDPOINT").orElse(DEFAULT_ENDPOINT).replaceAll("/+$", "");
    Path tokenFile =
        value(environment, "HF_TOKEN_PATH").map(Path::of).orElse(hfHome.resolve("token"));
    Optional<String> token =
        value(environment, "HF_TOKEN").or(() -> readToken(tokenFile)).map(String::strip);
    boolean offline =
        value(environment, "HF_HUB_OFFLINE")
            .map(flag -> TRUE.contains(flag.toLowerCase(Locale.ROOT)))
            .orElse(false);

    return new HubSettings(cache, URI.create(endpoint), token, offline);
  }

  private static Optional<String> value(Map<String, String> environment, String name) {
    return Optional.ofNullable(environment.get(name)).filter(value -> !value.isBlank());
  }

  private static Optional<String> readToken(Path file) {
    if (!Files.isRegularFile(file)) {
      return Optional.empty();
    }
    try {
      return Optional.of(Files.readString(file)).filter(text -> !text.isBlank());
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot read the hub's token file " + file, e);
    }
  }

  /** Without the token: settings are logged. */
  @Override
  public String toString() {
    return "HubSettings[cache=%s, endpoint=%s, token=%s, offline=%s]"
        .formatted(cache, endpoint, token.isPresent() ? "set" : "none", offline);
  }
}
