package ai.lockstep.datasets;

import ai.lockstep.datasets.download.CacheFolder;
import ai.lockstep.datasets.download.Download;
import ai.lockstep.datasets.download.Downloader;
import ai.lockstep.datasets.download.ProgressListener;
import ai.lockstep.failure.LockstepException;
import java.net.URI;
import java.nio.file.Path;

/**
 * EvalPlus's published benchmarks and where fetched copies of them are kept: {@code
 * CACHE/datasets/NAME-VERSION.jsonl.gz}.
 */
public final class DatasetCatalog {

  /** Where EvalPlus publishes its releases. */
  public static final URI GITHUB = URI.create("https://github.com");

  private final URI endpoint;
  private final Path cacheFolder;

  /** The catalog on GitHub, with this user's cache. */
  public DatasetCatalog() {
    this(GITHUB, CacheFolder.current());
  }

  /**
   * A catalog whose files lie elsewhere.
   *
   * @param endpoint scheme, host and possibly a path, in front of the paths that GitHub uses; for a
   *     mirror
   * @param cacheFolder keeps the fetched files; need not exist yet
   */
  public DatasetCatalog(URI endpoint, Path cacheFolder) {
    this.endpoint = endpoint;
    this.cacheFolder = cacheFolder;
  }

  /**
   * Where a fetched file is, or would be.
   *
   * @throws LockstepException of category user where EvalPlus publishes no such file
   */
  public Path cachedFile(Suite suite, Edition edition) {
    return cacheFolder.resolve("datasets").resolve(DatasetFile.of(suite, edition).cacheName());
  }

  /**
   * What has to be fetched.
   *
   * @throws LockstepException of category user where EvalPlus publishes no such file
   */
  public Download download(Suite suite, Edition edition) {
    DatasetFile file = DatasetFile.of(suite, edition);
    String base = endpoint.toString().replaceAll("/+$", "");
    Download download =
        Download.of(
            URI.create(base + file.releasePath()),
            cachedFile(suite, edition),
            "copy the file to this machine and set dataset.path=FILE");
    return file.sha256().map(download::withSha256).orElse(download);
  }

  /**
   * Makes sure that a file is in the cache.
   *
   * @return the file
   * @throws LockstepException as {@link Downloader#fetch} does
   */
  public Path fetch(
      Suite suite, Edition edition, Downloader downloader, ProgressListener listener) {
    return downloader.fetch(download(suite, edition), listener);
  }

  /** The command that makes {@link #cachedFile} exist. */
  static String fetchCommand(Suite suite, Edition edition) {
    String command = "submit/lockstep fetch dataset=" + suite.datasetName();
    return edition == Edition.MINI ? command + " dataset.mini=true" : command;
  }
}
