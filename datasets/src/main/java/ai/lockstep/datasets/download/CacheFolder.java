package ai.lockstep.datasets.download;

import java.nio.file.Path;
import java.util.Map;

/**
 * Where fetched files are kept between runs: {@code LOCKSTEP_CACHE}, else {@code
 * XDG_CACHE_HOME/lockstep}, else {@code ~/.cache/lockstep}.
 */
public final class CacheFolder {

  private CacheFolder() {}

  /** The folder of this process's user; it need not exist yet. */
  public static Path current() {
    return of(System.getenv(), Path.of(System.getProperty("user.home")));
  }

  /**
   * The folder that an environment names.
   *
   * @param environment variables by name; an empty value counts as absent, and so does a relative
   *     {@code XDG_CACHE_HOME} (XDG Base Directory Specification 0.8)
   * @param home the user's home folder
   * @return an absolute path
   */
  public static Path of(Map<String, String> environment, Path home) {
    String own = environment.getOrDefault("LOCKSTEP_CACHE", "");

    if (!own.isEmpty()) {
      return Path.of(own).toAbsolutePath();
    }

    String xdg = environment.getOrDefault("XDG_CACHE_HOME", "");
    Path caches = xdg.startsWith("/") ? Path.of(xdg) : home.resolve(".cache");
    return caches.resolve("lockstep").toAbsolutePath();
  }
}
