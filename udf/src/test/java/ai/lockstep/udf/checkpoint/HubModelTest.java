package ai.lockstep.udf.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.lockstep.failure.FailureCategory;
import ai.lockstep.failure.LockstepException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A model of the hub: from its cache as Python left it, or downloaded into it. */
class HubModelTest {

  private static final String NAME = "org/tiny";
  private static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";
  private static final String TOKEN = "hf_secret";

  @TempDir Path temporary;

  private final Map<String, byte[]> files = new HashMap<>();
  private Path cache;
  private Path root;
  private HubServer hub;

  @BeforeEach
  void serveATinyModel() throws IOException {
    cache = temporary.resolve("hub");
    root = cache.resolve("models--org--tiny");
    Path source = Files.createDirectories(temporary.resolve("source"));
    CheckpointFiles.writeRandom(source, CheckpointFiles.smallest());
    for (String name : List.of("config.json", "model.safetensors")) {
      files.put(name, Files.readAllBytes(source.resolve(name)));
    }
    files.put("vocab.json", "{\"a\": 0}".getBytes(StandardCharsets.UTF_8));
    files.put("merges.txt", "#version: 0.2\n".getBytes(StandardCharsets.UTF_8));
    hub = new HubServer(NAME, COMMIT, files);
  }

  @AfterEach
  void stop() {
    hub.close();
  }

  private HubSettings settings(String... more) {
    Map<String, String> environment = new HashMap<>();
    environment.put("HF_HUB_CACHE", cache.toString());
    environment.put("HF_ENDPOINT", hub.endpoint());
    for (int i = 0; i < more.length; i += 2) {
      environment.put(more[i], more[i + 1]);
    }
    return HubSettings.from(environment, temporary);
  }

  private Checkpoint locate(String revision, String... variables) {
    return new CheckpointLocator(settings(variables), temporary.resolve("lockstep"))
        .locate(new CheckpointSource.Hub(NAME, revision));
  }

  private byte[] weights() {
    return files.get("model.safetensors");
  }

  private void assertRefused(
      FailureCategory category, String revision, List<String> variables, String message) {
    assertThatThrownBy(() -> locate(revision, variables.toArray(String[]::new)))
        .isInstanceOfSatisfying(
            LockstepException.class, e -> assertThat(e.category()).isEqualTo(category))
        .hasMessage(message);
  }

  /** Lays the files down as huggingface_hub does. */
  private void cacheSnapshot(String commit, String... names) throws IOException {
    Path snapshot = Files.createDirectories(root.resolve("snapshots").resolve(commit));
    Path blobs = Files.createDirectories(root.resolve("blobs"));
    for (String name : names) {
      Path blob = Files.write(blobs.resolve("blob-of-" + name), files.get(name));
      Files.createSymbolicLink(snapshot.resolve(name), snapshot.relativize(blob));
    }
  }

  private void pointTo(String revision, String commit) throws IOException {
    Path ref = root.resolve("refs").resolve(revision);
    Files.createDirectories(ref.getParent());
    Files.writeString(ref, commit);
  }

  private String[] everything() {
    return files.keySet().toArray(String[]::new);
  }

  @Nested
  class FromTheCache {

    @Test
    void aBranchIsTheCommitItWasWhenFetchedAndTheHubIsNotAsked() throws IOException {
      cacheSnapshot(COMMIT, everything());
      pointTo("main", COMMIT);

      Checkpoint checkpoint = locate("main");

      assertThat(checkpoint.folder()).isEqualTo(root.resolve("snapshots").resolve(COMMIT));
      assertThat(checkpoint.revision()).isEqualTo(COMMIT);
      assertThat(checkpoint.name()).isEqualTo(NAME);
      assertThat(checkpoint.weights().names()).contains("lm_head.weight");
      assertThat(hub.requests()).isEmpty();
    }

    @Test
    void aCommitNeedsNoRef() throws IOException {
      cacheSnapshot(COMMIT, everything());

      assertThat(locate(COMMIT, "HF_HUB_OFFLINE", "1").revision()).isEqualTo(COMMIT);
    }

    @Test
    void aRevisionWithASlashIsARefInAFolder() throws IOException {
      cacheSnapshot(COMMIT, everything());
      pointTo("refs/pr/7", COMMIT);

      assertThat(locate("refs/pr/7", "HF_HUB_OFFLINE", "1").revision()).isEqualTo(COMMIT);
    }

    @Test
    void aPinnedRevisionIsNotReplacedByMain() throws IOException {
      cacheSnapshot(COMMIT, everything());
      pointTo("main", COMMIT);

      assertRefused(
          FailureCategory.USER,
          "v2",
          List.of("HF_HUB_OFFLINE", "1"),
          "Cannot load org/tiny at revision v2: the hub may not be asked and neither %s nor %s is there. Set model.download=true (and unset HF_HUB_OFFLINE), or set model.path to a folder with the checkpoint."
              .formatted(root.resolve("refs/v2"), root.resolve("snapshots/v2")));
    }

    @Test
    void offlineAnIncompleteSnapshotIsNamedWithWhatItLacks() throws IOException {
      cacheSnapshot(COMMIT, "config.json", "vocab.json");
      pointTo("main", COMMIT);

      assertRefused(
          FailureCategory.USER,
          "main",
          List.of("HF_HUB_OFFLINE", "1"),
          "Cannot load org/tiny at revision main: the hub may not be asked and %s lacks model.safetensors, merges.txt. Set model.download=true (and unset HF_HUB_OFFLINE), or set model.path to a folder with the checkpoint."
              .formatted(root.resolve("snapshots").resolve(COMMIT)));
      assertThat(hub.requests()).isEmpty();
    }
  }

  @Nested
  class FromTheHub {

    @Test
    void filesBecomeBlobsWithLinksAndTheBranchARef() throws IOException {
      Checkpoint checkpoint = locate("main");

      Path snapshot = root.resolve("snapshots").resolve(COMMIT);
      assertThat(checkpoint.folder()).isEqualTo(snapshot);
      assertThat(root.resolve("refs/main")).hasContent(COMMIT);
      for (Map.Entry<String, byte[]> file : files.entrySet()) {
        String id =
            file.getKey().equals("model.safetensors")
                ? HubServer.sha256(file.getValue())
                : HubServer.smallFileId(file.getValue());
        assertThat(Files.readSymbolicLink(snapshot.resolve(file.getKey())))
            .isEqualTo(Path.of("../../blobs", id));
        assertThat(snapshot.resolve(file.getKey())).hasBinaryContent(file.getValue());
      }
      try (Stream<Path> blobs = Files.list(root.resolve("blobs"))) {
        assertThat(blobs).hasSize(files.size()); // nothing incomplete is left
      }
    }

    @Test
    void everythingAfterTheFirstAnswerIsAskedForAtItsCommit() {
      locate("v1");

      assertThat(hub.requests().get(0).line()).isEqualTo("HEAD /org/tiny/resolve/v1/config.json");
      assertThat(hub.requests().subList(1, hub.requests().size()))
          .allSatisfy(
              request ->
                  assertThat(request.line()).containsAnyOf("/resolve/" + COMMIT, "/storage/"));
      assertThat(root.resolve("refs/v1")).hasContent(COMMIT);
    }

    @Test
    void aCommitLeavesNoRef() {
      locate(COMMIT);

      assertThat(root.resolve("refs")).doesNotExist();
    }

    @Test
    void whatIsThereIsNotFetchedAgain() throws IOException {
      cacheSnapshot(COMMIT, "config.json", "model.safetensors");
      pointTo("main", COMMIT);

      locate("main");

      assertThat(hub.requests().stream().map(HubServer.Request::line))
          .filteredOn(line -> line.startsWith("GET"))
          .containsExactlyInAnyOrder(
              "GET /org/tiny/resolve/%s/vocab.json".formatted(COMMIT),
              "GET /org/tiny/resolve/%s/merges.txt".formatted(COMMIT));
    }

    @Test
    void aDownloadThatWasCutGoesOnWhereItStopped() throws IOException {
      int had = weights().length / 2;
      Path blobs = Files.createDirectories(root.resolve("blobs"));
      Files.write(
          blobs.resolve(HubServer.sha256(weights()) + ".incomplete"),
          Arrays.copyOf(weights(), had));

      locate("main");

      assertThat(hub.requests())
          .contains(
              new HubServer.Request(
                  "GET /storage/model.safetensors", "", "bytes=%d-".formatted(had)));
      assertThat(root.resolve("snapshots").resolve(COMMIT).resolve("model.safetensors"))
          .hasBinaryContent(weights());
    }

    @Test
    void theTokenGoesToTheHubAndNotToItsStorage() {
      hub.requireToken(TOKEN);

      locate("main", "HF_TOKEN", TOKEN);

      assertThat(hub.requests())
          .allSatisfy(
              request ->
                  assertThat(request.authorization())
                      .isEqualTo(request.line().contains("/storage/") ? "" : "Bearer " + TOKEN));
      assertThat(hub.requests().stream().map(HubServer.Request::line))
          .contains("GET /storage/model.safetensors");
    }

    @Test
    void aRefusalSaysHowToGetIn() {
      hub.requireToken(TOKEN);

      assertRefused(
          FailureCategory.USER,
          "main",
          List.of("HF_TOKEN", "hf_other"),
          "Cannot download config.json of org/tiny: %s refuses access (status 401). Check model.hf_name, since the hub also hides what does not exist, and set HF_TOKEN to a token that may read it, or copy the checkpoint to this machine and set model.path=FOLDER."
              .formatted(hub.endpoint()));
    }

    @Test
    void aRevisionThatTheHubDoesNotKnowIsNamed() {
      assertRefused(
          FailureCategory.USER,
          "v9",
          List.of(),
          "Cannot download org/tiny at revision v9: %s has no config.json for it. Check model.hf_name and model.revision, or copy the checkpoint to this machine and set model.path=FOLDER."
              .formatted(hub.endpoint()));
    }

    @Test
    void aCheckpointWithoutSafetensorsIsRefused() {
      hub.close();
      files.remove("model.safetensors");
      hub = new HubServer(NAME, COMMIT, files);

      assertRefused(
          FailureCategory.USER,
          "main",
          List.of(),
          "Cannot download org/tiny at revision main: the hub has no model.safetensors for it. Choose a checkpoint with safetensors weights and a tokenizer, or copy the checkpoint to this machine and set model.path=FOLDER.");
    }

    @Test
    void otherBytesThanTheHubAnnouncedAreRemoved() throws IOException {
      byte[] other = weights().clone();
      other[other.length - 1] ^= 1;
      hub.damageStorage(other);

      String blob = HubServer.sha256(weights());
      assertRefused(
          FailureCategory.ENVIRONMENT,
          "main",
          List.of(),
          "Cannot download %s from %s/org/tiny/resolve/%s/model.safetensors: its SHA-256 is %s where %s is expected; the file was removed, try again or copy the checkpoint to this machine and set model.path=FOLDER."
              .formatted(blob, hub.endpoint(), COMMIT, HubServer.sha256(other), blob));
      try (Stream<Path> blobs = Files.list(root.resolve("blobs"))) {
        assertThat(blobs.map(path -> path.getFileName().toString()))
            .noneMatch(name -> name.startsWith(blob));
      }
      assertThat(root.resolve("snapshots").resolve(COMMIT).resolve("model.safetensors"))
          .doesNotExist();
      assertThat(root.resolve("refs")).doesNotExist();
    }
  }
}
