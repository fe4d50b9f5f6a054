package ai.lockstep.udf.checkpoint;

import ai.lockstep.datasets.download.Download;
import ai.lockstep.datasets.download.Downloader;
import ai.lockstep.datasets.download.ProgressListener;
import ai.lockstep.datasets.download.RetryPolicy;
import ai.lockstep.failure.LockstepException;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Fetches a model's files from the hub into its cache, so that Python's tools find them there too:
 * the content goes to {@code blobs/ENTITY_TAG}, a link to it to {@code snapshots/COMMIT/FILE}, the
 * commit to {@code refs/REVISION}.
 *
 * <p>Weights are checked against the SHA-256 that the hub announces ({@code X-Linked-Etag}). What
 * is resolved after the first file is resolved at that file's commit: a push in between cannot mix
 * two versions.
 */
final class HubDownload {

  private static final Logger LOG = LoggerFactory.getLogger(HubDownload.class);

  private static final String INDEX = "model.safetensors.index.json";

  /** Beside config.json, the weights and the vocabulary: what Python's tools want to find. */
  private static final List<String> OPTIONAL =
      List.of(
          INDEX,
          "tokenizer.json",
          "vocab.json",
          "merges.txt",
          "added_tokens.json",
          "special_tokens_map.json",
          "tokenizer_config.json",
          "generation_config.json",
          "configuration_dream.py",
          "modeling_dream.py",
          "generation_utils.py",
          "tokenization_dream.py");

  private static final String SHA_256_HEX = "[0-9a-f]{64}";
  private static final int MAX_REDIRECTS = 5;
  private static final Duration ANSWER_LIMIT = Duration.ofSeconds(30);
  private static final String REMEDY =
      "copy the checkpoint to this machine and set model.path=FOLDER";

  private final HubSettings settings;
  private final CheckpointSource.Hub model;
  private final HubCache cache;
  private final HttpClient client;
  private final Downloader downloader = new Downloader(RetryPolicy.DEFAULT);

  /**
   * What the hub says of a file.
   *
   * @param commit the version it belongs to
   * @param id what its blob is called
   * @param bytes its size, when announced
   */
  private record Remote(String commit, String id, OptionalLong bytes) {}

  HubDownload(HubSettings settings, CheckpointSource.Hub model, HubCache cache) {
    this.settings = settings;
    this.model = model;
    this.cache = cache;
    this.client =
        HttpClient.newBuilder()
            .followRedirects(HttpClient.Redirect.NEVER)
            .connectTimeout(ANSWER_LIMIT)
            .build();
  }

  /** Fetches what is missing and returns the complete snapshot. */
  HubModel.Located fetch() {
    Remote config =
        describe(model.revision(), "config.json")
            .orElseThrow(
                () ->
                    LockstepException.user(
                        "Cannot download %s at revision %s: %s has no config.json for it. Check model.hf_name and model.revision, or %s."
                            .formatted(
                                model.name(), model.revision(), settings.endpoint(), REMEDY)));
    Path snapshot = cache.snapshot(config.commit());
    fetch(config, "config.json");
    for (String name : OPTIONAL) {
      describe(config.commit(), name).ifPresent(remote -> fetch(remote, name));
    }
    // The index, if there is one, has just said which shards there are.
    for (String name : HubModel.missing(snapshot)) {
      Remote remote =
          describe(config.commit(), name)
              .orElseThrow(
                  () ->
                      LockstepException.user(
                          "Cannot download %s at revision %s: the hub has no %s for it. Choose a checkpoint with safetensors weights and a tokenizer, or %s."
                              .formatted(model.name(), model.revision(), name, REMEDY)));
      fetch(remote, name);
    }
    remember(config.commit());

    return new HubModel.Located(snapshot, config.commit());
  }

  private Optional<Remote> describe(String revision, String file) {
    URI uri = uri(revision, file);
    try {
      for (int redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
        HttpResponse<Void> response = head(uri);
        int status = response.statusCode();
        if (status == 404) {
          return Optional.empty();
        }
        Optional<String> id = header(response, "X-Linked-Etag").or(() -> header(response, "ETag"));
        Optional<String> commit = header(response, "X-Repo-Commit");
        if (status < 400 && id.isPresent() && commit.isPresent()) {
          return Optional.of(new Remote(commit.get(), plain(id.get()), size(response, status)));
        }
        Optional<String> location = header(response, "Location");
        if (status < 300 || status >= 400 || location.isEmpty()) {
          throw refused(file, status);
        }
        URI next = uri.resolve(location.get());
        if (!next.getAuthority().equals(uri.getAuthority())) {
          // The token must not follow to another host.
          throw refused(file, status);
        }
        uri = next;
      }
    } catch (IOException e) {
      throw LockstepException.environment(
          "Cannot download %s of %s: %s does not answer (%s). Try again later, or %s."
              .formatted(file, model.name(), settings.endpoint(), e, REMEDY),
          e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw LockstepException.environment(
          "Cannot download %s of %s: interrupted.".formatted(file, model.name()), e);
    }

    throw refused(file, 310);
  }

  private HttpResponse<Void> head(URI uri) throws IOException, InterruptedException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(uri)
            .method("HEAD", HttpRequest.BodyPublishers.noBody())
            .header("User-Agent", "lockstep")
            // Else the size announced would be that of a compressed body.
            .header("Accept-Encoding", "identity")
            .timeout(ANSWER_LIMIT);
    settings.token().ifPresent(token -> request.header("Authorization", "Bearer " + token));

    return client.send(request.build(), HttpResponse.BodyHandlers.discarding());
  }

  private void fetch(Remote remote, String file) {
    Path link = cache.snapshot(remote.commit()).resolve(file);
    if (Files.exists(link)) {
      return;
    }

    LOG.info("Downloading {} of {} at {}", file, model.name(), remote.commit());
    Download download =
        new Download(
            uri(remote.commit(), file),
            cache.blob(remote.id()),
            Optional.of(remote.id()).filter(id -> id.matches(SHA_256_HEX)),
            remote.bytes(),
            settings.token(),
            REMEDY);
    downloader.fetch(download, ProgressListener.NONE);
    link(link, cache.blob(remote.id()));
  }

  private void link(Path link, Path blob) {
    try {
      Files.createDirectories(link.getParent());
      Files.createSymbolicLink(link, link.getParent().relativize(blob));
    } catch (FileAlreadyExistsException e) {
      LOG.debug("Another process has linked {}", link);
    } catch (IOException e) {
      throw cannotWrite(link, e);
    }
  }

  private void remember(String commit) {
    if (commit.equals(model.revision())) {
      return;
    }

    Path ref = cache.ref(model.revision());
    try {
      Files.createDirectories(ref.getParent());
      Path temporary = Files.createTempFile(ref.getParent(), "ref", ".part");
      Files.writeString(temporary, commit);
      Files.move(
          temporary, ref, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw cannotWrite(ref, e);
    }
  }

  private URI uri(String revision, String file) {
    return URI.create(
        "%s/%s/resolve/%s/%s"
            .formatted(settings.endpoint(), model.name(), revision.replace("/", "%2F"), file));
  }

  private static Optional<String> header(HttpResponse<?> response, String name) {
    return response.headers().firstValue(name);
  }

  /** An entity tag without its quotes and its mark of weakness, as huggingface_hub names blobs. */
  private static String plain(String etag) {
    return etag.replaceFirst("^W/", "").replace("\"", "");
  }

  private static OptionalLong size(HttpResponse<?> response, int status) {
    OptionalLong linked = response.headers().firstValueAsLong("X-Linked-Size");
    if (linked.isPresent() || status >= 300) {
      return linked; // the length of a redirect is that of its own body
    }

    return response.headers().firstValueAsLong("Content-Length");
  }

  private LockstepException refused(String file, int status) {
    String failure =
        "Cannot download %s of %s: %s".formatted(file, model.name(), settings.endpoint());
    if (status == 401 || status == 403) {
      return LockstepException.user(
          "%s refuses access (status %d). Check model.hf_name, since the hub also hides what does not exist, and set HF_TOKEN to a token that may read it, or %s."
              .formatted(failure, status, REMEDY));
    }

    return LockstepException.environment(
        "%s answered with status %d. Try again later, or %s.".formatted(failure, status, REMEDY));
  }

  private static LockstepException cannotWrite(Path file, IOException cause) {
    return LockstepException.environment(
        "Cannot write %s (%s). Make the hub's cache writable or set HF_HUB_CACHE to a folder that is."
            .formatted(file, cause),
        cause);
  }
}
