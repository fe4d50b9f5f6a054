package ai.lockstep.datasets;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.lockstep.datasets.download.Downloader;
import ai.lockstep.datasets.download.ProgressListener;
import ai.lockstep.datasets.download.RetryPolicy;
import ai.lockstep.datasets.download.TestServer;
import ai.lockstep.failure.LockstepException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BenchmarksTest {

  private static final String TASK =
      "{\"task_id\": \"Mbpp/2\", \"prompt\": \"p\", \"canonical_solution\": \"c\","
          + " \"entry_point\": \"f\", \"base_input\": [], \"plus_input\": [], \"atol\": 0}";

  @TempDir private Path cache;
  private DatasetCatalog catalog;

  @BeforeEach
  void openCatalog() {
    catalog = new DatasetCatalog(DatasetCatalog.GITHUB, cache);
  }

  @Nested
  class Opening {

    @Test
    void theStarterSuiteNeedsNoFile() {
      Benchmark starter = Benchmarks.open(Suite.STARTER);

      assertThat(starter.tasks()).isNotEmpty();
      assertThat(starter.tasks().get(0).taskId()).isEqualTo("Starter/0");
      assertThat(starter.md5()).matches("[0-9a-f]{32}");
    }

    @Test
    void readsTheCache() throws IOException {
      Path cached = catalog.cachedFile(Suite.MBPP, Edition.FULL);
      Files.createDirectories(cached.getParent());
      Files.writeString(cached, TASK);

      assertThat(open(Suite.MBPP, Edition.FULL, Map.of()).tasks()).hasSize(1);
    }

    @Test
    void prefersTheFileThatEvalPlusIsToldToUse() throws IOException {
      Path file = Files.writeString(cache.resolve("mine.jsonl"), TASK);

      assertThat(
              open(Suite.MBPP, Edition.FULL, Map.of("MBPP_OVERRIDE_PATH", file.toString())).tasks())
          .hasSize(1);
      assertThatThrownBy(
              () ->
                  open(
                      Suite.HUMANEVAL,
                      Edition.FULL,
                      Map.of("HUMANEVAL_OVERRIDE_PATH", file.toString())))
          .hasMessageContaining("task Mbpp/2 belongs to dataset=mbppplus");
    }

    @Test
    void saysHowToGetAFileThatIsNotThere() {
      assertThatThrownBy(
              () -> open(Suite.HUMANEVAL, Edition.FULL, Map.of("HUMANEVAL_OVERRIDE_PATH", "")))
          .isInstanceOf(LockstepException.class)
          .hasMessage(
              "Cannot open dataset=humanevalplus: "
                  + cache.resolve("datasets/HumanEvalPlus-v0.1.10.jsonl.gz")
                  + " does not exist; run `submit/lockstep fetch dataset=humanevalplus`"
                  + " or set dataset.path=FILE.");
    }

    @Test
    void saysHowToGetTheMiniEdition() {
      assertThatThrownBy(() -> open(Suite.HUMANEVAL, Edition.MINI, Map.of()))
          .isInstanceOf(LockstepException.class)
          .hasMessage(
              "Cannot open dataset=humanevalplus: "
                  + cache.resolve("datasets/HumanEvalPlus-Mini-v0.1.10.jsonl.gz")
                  + " does not exist; run `submit/lockstep fetch dataset=humanevalplus"
                  + " dataset.mini=true` or set dataset.path=FILE.");
    }

    @Test
    void refusesAMiniEditionOfMbpp() {
      assertThatThrownBy(() -> open(Suite.MBPP, Edition.MINI, Map.of()))
          .isInstanceOf(LockstepException.class)
          .hasMessage(
              "Cannot use dataset.mini=true with dataset=mbppplus: EvalPlus publishes a mini"
                  + " edition of humanevalplus only.");
    }

    private Benchmark open(Suite suite, Edition edition, Map<String, String> environment) {
      return Benchmarks.open(suite, edition, catalog, environment);
    }
  }

  @Nested
  class Fetching {

    private final Downloader downloader = new Downloader(new RetryPolicy(1, Duration.ZERO));

    @Test
    void namesTheReleaseOfEachEdition() {
      assertThat(catalog.download(Suite.HUMANEVAL, Edition.FULL).source())
          .hasToString(
              "https://github.com/evalplus/humanevalplus_release/releases/download/v0.1.10/"
                  + "HumanEvalPlus.jsonl.gz");
      assertThat(catalog.download(Suite.HUMANEVAL, Edition.MINI).source())
          .hasToString(
              "https://github.com/evalplus/humanevalplus_release/releases/download/v0.1.10/"
                  + "HumanEvalPlus-Mini.jsonl.gz");
      assertThat(catalog.download(Suite.MBPP, Edition.NO_EXTREME).source())
          .hasToString(
              "https://github.com/evalplus/mbppplus_release/releases/download/v0.2.0/"
                  + "MbppPlus-NoExtreme.jsonl.gz");
    }

    @Test
    void fillsTheCacheFromAMirror() {
      try (TestServer mirror =
          TestServer.answering(TestServer.content(TASK.getBytes(UTF_8), "\"1\""))) {
        catalog = new DatasetCatalog(mirror.uri("/mirror/"), cache);

        Path file =
            catalog.fetch(Suite.MBPP, Edition.NO_EXTREME, downloader, ProgressListener.NONE);

        assertThat(file).hasContent(TASK);
        assertThat(Benchmarks.open(Suite.MBPP, Edition.NO_EXTREME, catalog, Map.of()).tasks())
            .hasSize(1);
      }
    }

    @Test
    void acceptsThePublishedBytesOnly() {
      try (TestServer mirror =
          TestServer.answering(TestServer.content(TASK.getBytes(UTF_8), "\"1\""))) {
        catalog = new DatasetCatalog(mirror.uri(""), cache);

        assertThatThrownBy(
                () -> catalog.fetch(Suite.MBPP, Edition.FULL, downloader, ProgressListener.NONE))
            .isInstanceOf(LockstepException.class)
            .hasMessageContaining(
                "af43697e8791c4c149bdfd6b489d8b5412507551ac20e28a439f650b8225db63 is expected;"
                    + " the file was removed, try again or copy the file to this machine and set"
                    + " dataset.path=FILE.");
        assertThat(catalog.cachedFile(Suite.MBPP, Edition.FULL)).doesNotExist();
      }
    }

    @Test
    void refusesTheBundledSuite() {
      assertThatThrownBy(() -> catalog.download(Suite.STARTER, Edition.FULL))
          .isInstanceOf(LockstepException.class)
          .hasMessage("Cannot fetch dataset=starter: it comes with lockstep and needs no file.");
    }
  }

  @Nested
  class ASuite {

    @Test
    void isFoundByItsName() {
      assertThat(Suite.named("mbppplus")).isEqualTo(Suite.MBPP);
    }

    @Test
    void isNotFoundByAnotherName() {
      assertThatThrownBy(() -> Suite.named("humaneval"))
          .isInstanceOf(LockstepException.class)
          .hasMessage(
              "Cannot use dataset.name=humaneval: the benchmarks are humanevalplus, mbppplus,"
                  + " starter.");
    }

    @Test
    void isToldByATasksId() {
      assertThat(Suite.ofTask("Starter/3")).contains(Suite.STARTER);
      assertThat(Suite.ofTask("Other/3")).isEmpty();
    }
  }
}
