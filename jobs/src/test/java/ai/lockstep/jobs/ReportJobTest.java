package ai.lockstep.jobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.lockstep.jobs.tables.GrpoTable;
import ai.lockstep.jobs.tables.ScoresTable;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.logging.Level;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.openqa.selenium.By;
import org.openqa.selenium.Keys;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.chrome.ChromeDriverService;
import org.openqa.selenium.chrome.ChromeOptions;
import org.openqa.selenium.logging.LogType;
import org.openqa.selenium.logging.LoggingPreferences;
import org.openqa.selenium.support.ui.Select;
import org.openqa.selenium.support.ui.WebDriverWait;

/** One small sweep, its report, and the report in a real browser. */
@ExtendWith(LocalSpark.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ReportJobTest {

  private static final Path CHROMIUM = Path.of("/usr/bin/chromium");
  private static final Path DRIVER = Path.of("/usr/bin/chromedriver");
  private static final int TASKS = 4;

  private Path folder;
  private Path out;
  private JobRun evaluated;
  private SparkSession spark;

  @BeforeAll
  void runASweep(SparkSession session, @TempDir Path temporary) {
    spark = session;
    folder = temporary;
    out = folder.resolve("out");
    evaluated =
        JobRun.of(
            EvaluateJob.DESCRIPTION,
            EvaluateJob::run,
            List.of(
                "output.dir=" + out,
                "run.id=test",
                "tasks=0-3",
                "decode.r_length=8",
                "decode.a_length=40",
                "-m",
                "decode.tau_a=0.5,0.9"));
    assertThat(evaluated.exitCode()).isZero();
  }

  private JobRun report(String... words) {
    List<String> all = new ArrayList<>(List.of("output.dir=" + out));
    all.addAll(List.of(words));
    return JobRun.of(ReportJob.DESCRIPTION, ReportJob::run, all);
  }

  /** What a run's report shows. */
  static JsonNode data(Path run) throws IOException {
    Matcher packed =
        Pattern.compile("id=\"data-packed\">([^<]+)<")
            .matcher(Files.readString(run.resolve("report.html")));
    assertThat(packed.find()).isTrue();
    byte[] bytes = Base64.getDecoder().decode(packed.group(1));
    return new ObjectMapper().readTree(new GZIPInputStream(new ByteArrayInputStream(bytes)));
  }

  private static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.toList()) {
        Files.copy(file, to.resolve(from.relativize(file).toString()));
      }
    }
  }

  private static void delete(Path from) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }

  @Test
  void evaluateWritesItAndSaysWhere() throws IOException {
    assertThat(evaluated.output()).contains("report: " + out + "/report.html");

    JsonNode data = data(out);

    assertThat(data.path("configs").findValuesAsText("label"))
        .containsExactly("decode.tau_a=0.5", "decode.tau_a=0.9");
    assertThat(data.path("tasks")).hasSize(TASKS);
    assertThat(data.path("missing")).isEmpty();
    assertThat(data.has("rewards")).isFalse();
    assertThat(data.path("aup").get(0).path("configurations").asInt()).isEqualTo(2);
    JsonNode config = data.path("configs").get(0);
    long passes = 0;
    long committed = 0;
    for (JsonNode pass : config.path("passes")) {
      passes += pass.get(2).asLong();
      committed += pass.get(3).asLong();
    }
    assertThat(config.path("metrics").path("tokens_per_pass").asDouble())
        .isEqualTo((double) committed / passes);
    JsonNode sample = data.path("samples").get(0);
    assertThat(sample.path("ids")).hasSameSizeAs(sample.path("pass"));
    StringBuilder answer = new StringBuilder();
    for (JsonNode id : sample.path("ids")) {
      answer.append(data.path("tokens").path(id.asText()).asText());
    }
    assertThat(answer).contains(sample.path("answer").asText());
  }

  @Test
  void aHalfDoneRunIsReportedAsFarAsItIs() throws IOException {
    Path half = folder.resolve("half");
    copy(out, half);
    for (String table : List.of("scores", "metrics", "runs")) {
      delete(half.resolve(table));
    }
    Files.delete(half.resolve("report.html"));

    JobRun result = report("output.dir=" + half);

    assertThat(result.errors()).isEmpty();
    assertThat(result.exitCode()).isZero();
    assertThat(result.output())
        .isEqualTo(
            """
            report: %s/report.html
            missing: decode.tau_a=0.5: 4 of 4 samples are not judged yet.
            missing: decode.tau_a=0.9: 4 of 4 samples are not judged yet.
            missing: The run has not come to its end: start the same command again to go on with it.
            """
                .formatted(half));
    assertThat(data(half).path("samples")).hasSize(2 * TASKS);
  }

  @Test
  void picturesAreWrittenForTheFirstSamples() throws IOException {
    JobRun result = report("viz.gif=first", "viz.gif_samples=1");

    assertThat(result.exitCode()).isZero();
    assertThat(result.output()).contains("/Starter_0.0.gif\n").contains("/Starter_0.0.png\n");
    try (Stream<Path> files = Files.walk(out.resolve("viz"))) {
      assertThat(files.filter(Files::isRegularFile)).hasSize(2);
    }
  }

  @Test
  void aFolderWithoutARunIsRefused() {
    JobRun result = report("output.dir=" + folder.resolve("nothing"));

    assertThat(result.exitCode()).isEqualTo(2);
    assertThat(result.errors())
        .isEqualTo(
            "lockstep: Cannot read output.dir=%s: no run of lockstep is there. Name a run's folder with output.dir=DIR.\n"
                .formatted(folder.resolve("nothing")));
  }

  @Test
  void showPrintsASampleWhereThereIsNoTerminal() {
    JobRun result = JobRun.of(() -> ShowJob.exitCode(out.toString(), "Starter/0", "config=0.9"));

    assertThat(result.errors()).isEmpty();
    assertThat(result.exitCode()).isZero();
    assertThat(result.output())
        .startsWith("decode.tau_a=0.9\nStarter/0  sample 0\nR ████████████████████████ 8 of 8\n")
        .contains("A ████████████████████████ 40 of 40\n", "\npass 1 of ");
  }

  @Test
  void showNamesTasksWhenOneIsMisspelt() {
    JobRun result = JobRun.of(() -> ShowJob.exitCode("run=" + out, "task=Starter/99"));

    assertThat(result.exitCode()).isEqualTo(2);
    assertThat(result.errors())
        .isEqualTo(
            "lockstep: Cannot show task=Starter/99: the run has decoded no such task with sample=0; its tasks begin with Starter/0, Starter/1, Starter/2, Starter/3.\n");
  }

  /** Adds what a rollout of two groups of two would have left, as far as a report reads it. */
  private void reward(Path run) throws IOException {
    spark
        .sql(
            """
            SELECT
              'test' AS config_id, task_id AS group_id, task_id, reward, zero_spread, duplicate_of,
              TRUE AS replayable, reward_plus, reward_base, reward_tests, reward_format,
              0.25D AS reward_length, reward_tamper
            FROM VALUES
              ('Starter/0', 2.5D, FALSE, NULL, 1D, 1D, 1D, 1D, 0D),
              ('Starter/0', 0.5D, FALSE, NULL, 0D, 1D, 0.5D, 1D, 0D),
              ('Starter/1', 0.5D, TRUE, NULL, 0D, 0D, 0D, 1D, 0D),
              ('Starter/1', 0.5D, TRUE, 0, 0D, 0D, 0D, 1D, 1D)
              AS grpo(task_id, reward, zero_spread, duplicate_of, reward_plus, reward_base,
                reward_tests, reward_format, reward_tamper)
            """)
        .coalesce(1)
        .write()
        .partitionBy("config_id")
        .parquet(GrpoTable.TABLE.location(run.toString()));
    Files.writeString(
        run.resolve("rollout_checks.json"),
        """
        {"drift": {"against": "old", "distance": 0.25, "shift": -0.125, "p": 0.5, "common_tasks": 2},
         "replay": "not checked (rl.replay=0)",
         "failed_gates": ["tamper rate 0.250 is above rl.gates.max_tamper_rate=0.1"]}
        """);
  }

  /** What a reader sees and does; skipped where there is no Chromium. */
  @Nested
  @TestInstance(TestInstance.Lifecycle.PER_CLASS)
  class InChromium {

    private Optional<ChromeDriver> started = Optional.empty();
    private Path shown;

    @BeforeAll
    void start() throws IOException {
      boolean there = Files.isExecutable(CHROMIUM) && Files.isExecutable(DRIVER);
      if (!there) {
        System.err.println(
            "SKIPPED: the report is NOT tested in a browser, for there is no %s or no %s (Debian: apt-get install chromium chromium-driver)"
                .formatted(CHROMIUM, DRIVER));
      }
      assumeTrue(there, "no Chromium with its driver");
      shown = folder.resolve("shown");
      copy(out, shown);
      reward(shown);
      assertThat(report("output.dir=" + shown, "compare=" + out).errors()).isEmpty();
      LoggingPreferences logs = new LoggingPreferences();
      logs.enable(LogType.BROWSER, Level.ALL);
      ChromeOptions options = new ChromeOptions();
      options.setBinary(CHROMIUM.toFile());
      options.addArguments(
          "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage");
      options.setCapability("goog:loggingPrefs", logs);
      // Naming the driver keeps Selenium from looking for one in the network.
      started =
          Optional.of(
              new ChromeDriver(
                  new ChromeDriverService.Builder()
                      .usingDriverExecutable(DRIVER.toFile())
                      .usingAnyFreePort()
                      .build(),
                  options));
    }

    @AfterAll
    void stop() {
      started.ifPresent(ChromeDriver::quit);
    }

    @BeforeEach
    void open() {
      look("light", 1200);
    }

    private ChromeDriver browser() {
      return started.orElseThrow();
    }

    private void look(String scheme, int width) {
      look(shown, scheme, width);
    }

    private void look(Path run, String scheme, int width) {
      browser()
          .executeCdpCommand(
              "Emulation.setDeviceMetricsOverride",
              Map.of("width", width, "height", 900, "deviceScaleFactor", 1, "mobile", width < 500));
      browser()
          .executeCdpCommand(
              "Emulation.setEmulatedMedia",
              Map.of("features", List.of(Map.of("name", "prefers-color-scheme", "value", scheme))));
      browser().get("about:blank");
      browser().get(run.resolve("report.html").toUri().toString());
      new WebDriverWait(browser(), Duration.ofSeconds(60))
          .until(driver -> !browser().findElements(By.cssSelector("html[data-ready]")).isEmpty());
    }

    private WebElement find(String id) {
      return browser().findElement(By.id(id));
    }

    private static String axe() {
      try (InputStream in = ReportJobTest.class.getResourceAsStream("/axe.min.js")) {
        return new String(in.readAllBytes(), StandardCharsets.UTF_8);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    private void isCleanAndAccessible() {
      assertThat(browser().manage().logs().get(LogType.BROWSER).getAll()).isEmpty();
      browser().executeScript(axe());
      assertThat(
              browser()
                  .executeAsyncScript(
                      """
                      const done = arguments[arguments.length - 1];
                      axe.run().then(r => done(r.violations.flatMap(v =>
                          v.nodes.map(n => v.id + ": " + n.html + " " + n.failureSummary))));
                      """))
          .as("axe")
          .isEqualTo(List.of());
    }

    @Test
    void itIsAccessibleInLight() {
      isCleanAndAccessible();
    }

    @Test
    void itIsAccessibleInDark() {
      look("dark", 1200);

      assertThat(browser().executeScript("return document.documentElement.dataset.theme"))
          .isEqualTo("dark");
      isCleanAndAccessible();
    }

    @Test
    void itFitsAPhone() {
      look("light", 390);
      browser()
          .executeScript(
              "document.querySelectorAll('.choose option').forEach(o => o.textContent += ' decode.mode=gauss_seidel decode.tau_r=0.9')");

      assertThat(browser().executeScript("return document.documentElement.scrollWidth"))
          .isEqualTo(390L);
      isCleanAndAccessible();
    }

    @Test
    void itFetchesNothing() {
      assertThat(
              browser()
                  .executeScript(
                      "return performance.getEntriesByType('resource').map(e => e.name).filter(n => !/^(data|blob):/.test(n))"))
          .isEqualTo(List.of());
    }

    @Test
    void everyChartIsDrawn() {
      for (String chart : List.of("frontier", "rewards", "passes", "confidence")) {
        assertThat(find(chart).findElements(By.cssSelector("svg path"))).as(chart).isNotEmpty();
      }
    }

    @Test
    void rewardsAreShownOfARolloutOnly() {
      assertThat(find("h-rewards").isDisplayed()).isTrue();
      assertThat(find("rewards-text").getText())
          .isEqualTo(
              "4 samples in 2 groups, of all configurations: rewards from 0.500 to 2.500. 50.0% of the groups have zero spread: all rewards equal, nothing to learn.");
      assertThat(find("reward-sums").findElements(By.tagName("dt")))
          .extracting(WebElement::getText)
          .containsExactly(
              "mean reward",
              "part: plus",
              "part: base",
              "part: tests",
              "part: format",
              "part: length",
              "part: tamper",
              "zero spread",
              "duplicates");
      assertThat(find("reward-sums").findElements(By.className("value")))
          .extracting(WebElement::getText)
          .containsExactly(
              "1.000", "0.250", "0.500", "0.375", "1.000", "0.250", "25.0%", "50.0%", "1");
      assertThat(find("rewards").findElements(By.cssSelector("svg .mark-rect path"))).hasSize(2);
      assertThat(find("rewards-table").findElements(By.cssSelector("tbody tr")))
          .extracting(row -> row.getAttribute("textContent"))
          .containsExactly("0.500375.0%", "2.500125.0%");
      assertThat(find("gates").getText())
          .isEqualTo(
              "Before training, look at this: tamper rate 0.250 is above rl.gates.max_tamper_rate=0.1.");
      assertThat(find("drift").getText())
          .isEqualTo(
              "Against old, with its parts weighted as here: the mean reward of a task moved by −0.125 (p 0.5, 2 tasks in common); the largest distance between the two distributions is 0.250.");
      assertThat(find("replay").getText()).isEqualTo("Replay: not checked (rl.replay=0).");

      look(out, "light", 1200);
      assertThat(find("h-rewards").isDisplayed()).isFalse();
    }

    @Test
    void filtersNarrowTheGrid() {
      assertThat(find("grid").findElements(By.className("cell"))).hasSize(TASKS);
      assertThat(find("count").getText()).isEqualTo("4 tasks");

      find("find").sendKeys("starter/2");
      assertThat(find("count").getText()).isEqualTo("1 task");
      find("find").sendKeys(Keys.CONTROL, "a");
      find("find").sendKeys(Keys.DELETE);

      long failing =
          ScoresTable.TABLE
              .read(spark, out.toString())
              .where("NOT passed_plus")
              .where("config_id = '%s'".formatted(configOf("decode.tau_a=0.5")))
              .count();
      boolean offered =
          !browser().findElements(By.cssSelector("#filter option[value=failed]")).isEmpty();
      assertThat(offered).isEqualTo(failing > 0);
      if (offered) {
        new Select(find("filter")).selectByValue("failed");
        assertThat(find("grid").findElements(By.className("cell"))).hasSize((int) failing);
      }
    }

    private String configOf(String label) {
      try {
        for (JsonNode config : data(out).path("configs")) {
          if (config.path("label").asText().equals(label)) {
            return config.path("id").asText();
          }
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      throw new AssertionError("no configuration " + label);
    }

    @Test
    void theKeyboardOpensATaskAndPlaysItsFilling() {
      browser().executeScript("document.querySelector('#grid [data-task=\"0\"]').focus()");
      browser().switchTo().activeElement().sendKeys(Keys.ARROW_RIGHT, Keys.ENTER);

      assertThat(find("detail").findElement(By.tagName("h3")).getText()).isEqualTo("Starter/1");
      WebElement slider = find("detail").findElement(By.cssSelector("input[type=range]"));
      assertThat(find("detail").findElements(By.cssSelector(".fill .mask"))).isEmpty();
      slider.sendKeys(Keys.HOME);
      assertThat(find("detail").findElement(By.tagName("output")).getText())
          .startsWith("Pass 1 of ");
      assertThat(find("detail").findElements(By.cssSelector(".fill .mask"))).isNotEmpty();
    }

    @Test
    void anotherConfigurationCanBeChosenAndComparedWith() {
      new Select(find("config")).selectByVisibleText("decode.tau_a=0.9");

      assertThat(browser().findElements(By.className("change"))).isNotEmpty();
      assertThat(new Select(find("baseline")).getOptions()).hasSize(5);
    }
  }
}
