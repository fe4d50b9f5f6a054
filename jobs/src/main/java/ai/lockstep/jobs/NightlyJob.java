package ai.lockstep.jobs;

import ai.lockstep.failure.FailureCategory;
import ai.lockstep.failure.LockstepException;
import ai.lockstep.harness.estimate.TaskTally;
import ai.lockstep.jobs.cli.JobContext;
import ai.lockstep.jobs.cli.JobDescription;
import ai.lockstep.jobs.cli.JobMain;
import ai.lockstep.jobs.config.NightlyConfig;
import ai.lockstep.jobs.config.RunConfig;
import ai.lockstep.jobs.decoding.DecodeInput;
import ai.lockstep.jobs.decoding.DecodeStage;
import ai.lockstep.jobs.metrics.NamedQuery;
import ai.lockstep.jobs.nightly.Night;
import ai.lockstep.jobs.nightly.NightHistory;
import ai.lockstep.jobs.nightly.NightResults;
import ai.lockstep.jobs.nightly.NightReview;
import ai.lockstep.jobs.nightly.NightSummary;
import ai.lockstep.jobs.nightly.Nights;
import ai.lockstep.jobs.nightly.Tidied;
import ai.lockstep.jobs.nightly.Verdict;
import ai.lockstep.jobs.nightly.Webhook;
import ai.lockstep.jobs.run.CodeVersion;
import ai.lockstep.jobs.run.Lease;
import ai.lockstep.jobs.run.PlannedRun;
import ai.lockstep.jobs.run.RunFolder;
import ai.lockstep.jobs.tables.RunsTable;
import ai.lockstep.jobs.tables.ScoresTable;
import ai.lockstep.jobs.tables.Table;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.sql.Timestamp;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** {@code nightly}: a preset sweep every night, held against earlier nights. */
public final class NightlyJob {

  private static final Logger LOG = LoggerFactory.getLogger(NightlyJob.class);

  static final JobDescription DESCRIPTION =
      new JobDescription(
          "nightly",
          "Evaluates a preset sweep under the night's date and says whether it got worse.",
          List.of(
              "hydra.mode=MULTIRUN",
              "sweep=nightly",
              "run.id=nightly-${nightly.date}",
              "output.dir=nightly",
              "output.sweep_dir=${output.dir}/${nightly.date}"),
          List.of(
              "",
              "Keys that matter most",
              "  output.dir=DIR         of all nights (default: nightly); each is DIR/DATE",
              "  nightly.date=DATE      another night than tonight",
              "  nightly.baseline=DATE  accept that night: compare with it from now on",
              "  nightly.{reference_nights,alpha,min_drop,tokens_per_pass_drop,slowdown}",
              "  nightly.full_nights=7  newest nights that keep all; older ones are compacted",
              "  nightly.keep_nights=365  newest nights that keep tables",
              "  sweep, dataset, limit, model, decode, plan: as in evaluate",
              "",
              "A configuration got worse when a paired exact test over the tasks (McNemar's,",
              "with one sample a task and one night) says so after Holm's correction and",
              "pass@1 fell by nightly.min_drop, or when its tokens a pass fell. The first",
              "night is the baseline.",
              "",
              "Writes DIR/DATE/{summary.md,night.json} beside the tables of evaluate, and",
              "DIR/history.md. LOCKSTEP_WEBHOOK=URL gets the verdict as JSON.",
              "",
              "A second run is refused while one is at work. A killed one goes on when it is",
              "called again for its date. The next run stands in for a night that was missed",
              "and says so; with nightly.catch_up=N it first measures those of the newest N",
              "missed nights for which the command names another checkpoint, adapter or file",
              "(model.adapter='checkpoints/${nightly.date}'). nightly.date=DATE measures any.",
              "",
              "Exit codes: 0 no regression, 5 a regression, 4 rows failed and nothing else",
              "got worse, 2 a mistake or another run at work, 3 the machine lacks something,",
              "70 a bug.",
              "",
              "Examples",
              "  submit/lockstep nightly model=dream dataset=humanevalplus output.dir=nights",
              "  submit/lockstep nightly output.dir=nights nightly.baseline=2026-01-31"));

  private NightlyJob() {}

  public static void main(String[] args) {
    JobMain.run(DESCRIPTION, args, NightlyJob::run);
  }

  static void run(JobContext context) throws IOException {
    run(context, System.getenv());
  }

  /** The same with an environment. */
  static void run(JobContext context, Map<String, String> environment) throws IOException {
    List<PlannedRun> runs = PlannedRun.of(context.compositions());
    RunConfig first = runs.get(0).config();
    NightlyConfig settings = first.nightly();
    requireOneNight(runs);
    for (PlannedRun run : runs) {
      DecodeStage.check(run.config());
    }
    if (first.plan()) {
      DecodingRun.forecast(context, runs, first.output().sweepDir(), DecodeInput::benchmark);
      return;
    }
    SparkSession spark =
        context.spark(first.hardware().sparkProperties(), DecodeStage.sparkProperties(first));
    Configuration hadoop = spark.sessionState().newHadoopConf();
    String root = first.output().dir();
    try (Lease lease = Lease.take(root, hadoop)) {
      Nights nights = Nights.in(root, hadoop);
      nights.settle(settings.date());
      NightReview.requireBaseline(nights.finished(), settings);
      Optional<Webhook> webhook =
          Webhook.at(
              Optional.ofNullable(environment.get(settings.webhookVariable())),
              settings.webhookVariable());
      MissedNights.catchUp(
          context,
          nights,
          settings,
          root,
          hadoop,
          late -> {
            NightlyConfig missed = RunConfig.of(late.compositions().get(0)).nightly();
            System.out.println(finish(late, nights, missed, webhook, lease).headline());
          });
      NightReview review = finish(context, nights, settings, webhook, lease);
      tidy(spark, nights, settings, review);
      System.out.printf(
          "summary: %s/%s/%s%nhistory: %s/%s%n%s%n",
          root, settings.date(), Nights.SUMMARY, root, Nights.HISTORY, review.headline());
      failUnlessGood(review);
    }
  }

  private static void requireOneNight(List<PlannedRun> runs) {
    RunConfig first = runs.get(0).config();
    for (PlannedRun run : runs) {
      if (!run.config().nightly().equals(first.nightly())
          || !run.config().output().equals(first.output())) {
        throw LockstepException.user(
            "Cannot sweep over nightly or output: one run is one night. Sweep over keys of model, decode or harness.");
      }
    }
    String expected = first.output().dir() + "/" + first.nightly().date();
    if (!first.output().sweepDir().equals(expected)) {
      throw LockstepException.user(
          "Cannot run nightly with output.sweep_dir=%s: a night lies in %s. Set output.dir only."
              .formatted(first.output().sweepDir(), expected));
    }
  }

  /** Runs the night; whatever happens, who listens is told. */
  private static NightReview finish(
      JobContext context,
      Nights nights,
      NightlyConfig settings,
      Optional<Webhook> webhook,
      Lease lease)
      throws IOException {
    try {
      NightReview review = review(context, nights, settings, lease);
      webhook.ifPresent(
          hook ->
              hook.tell(
                  settings.date(),
                  review.verdict().spelling(),
                  exitCode(review.verdict()),
                  review.headline(),
                  location(context)));
      return review;
    } catch (LockstepException e) {
      webhook.ifPresent(hook -> tellFailure(hook, context, settings, e.category(), e));
      throw e;
    } catch (IOException | RuntimeException e) {
      webhook.ifPresent(hook -> tellFailure(hook, context, settings, FailureCategory.INTERNAL, e));
      throw e;
    }
  }

  private static void tellFailure(
      Webhook webhook,
      JobContext context,
      NightlyConfig settings,
      FailureCategory category,
      Exception failure) {
    webhook.tell(
        settings.date(),
        "failed",
        category.exitCode(),
        "nightly %s: failed: %s".formatted(settings.date(), failure.getMessage()),
        location(context));
  }

  private static String location(JobContext context) {
    return RunConfig.of(context.compositions().get(0)).output().sweepDir();
  }

  private static NightReview review(
      JobContext context, Nights nights, NightlyConfig settings, Lease lease) throws IOException {
    EvaluateJob.Evaluated evaluated = EvaluateJob.evaluate(context);
    NightReview review =
        NightReview.of(results(evaluated, settings.date()), nights.finished(), settings);
    lease.requireHeld();
    RunFolder folder = evaluated.run().folder();
    write(
        folder,
        Nights.SUMMARY,
        NightSummary.of(
            review, Nights.missed(nights.dates(), settings.date()), measured(evaluated.run())));
    folder.write(Nights.NIGHT, review.night().json());
    List<Night> finished = nights.finished();
    nights.writeHistory(NightHistory.of(finished));
    return review;
  }

  /** The day on which the first of a run's configurations was begun. */
  private static LocalDate measured(DecodingRun<?> run) {
    return RunsTable.TABLE
        .read(run.spark(), run.location())
        .select("started_at")
        .collectAsList()
        .stream()
        .map(row -> row.<Timestamp>getAs("started_at").toLocalDateTime().toLocalDate())
        .min(LocalDate::compareTo)
        .orElseThrow();
  }

  private static void write(RunFolder folder, String name, String text) throws IOException {
    folder.write(name, text.getBytes(StandardCharsets.UTF_8));
  }

  /** A night is not lost because old ones cannot be made smaller. */
  private static void tidy(
      SparkSession spark, Nights nights, NightlyConfig settings, NightReview review) {
    Set<LocalDate> needed = new HashSet<>(review.comparedWith());
    needed.add(review.results().date());
    try {
      if (settings.keepNights().isPresent()) {
        tell("removed", nights.prune(settings.keepNights().getAsInt(), needed));
      }
      if (settings.fullNights().isPresent()) {
        tell("compacted", nights.compact(spark, settings.fullNights().getAsInt(), needed));
      }
    } catch (IOException e) {
      LOG.warn("could not make old nights smaller", e);
    }
  }

  private static void tell(String what, Tidied tidied) {
    if (!tidied.isNothing()) {
      System.out.printf("%s: %s%n", what, tidied);
    }
  }

  private static NightResults results(EvaluateJob.Evaluated evaluated, LocalDate date) {
    DecodingRun<?> run = evaluated.run();
    List<String> labels = labels(run.runs());
    Map<String, Map<String, Tests>> tests = tests(run);
    List<NightResults.Configuration> configurations = new ArrayList<>();
    for (int i = 0; i < labels.size(); i++) {
      Row metrics = evaluated.metrics().get(i);
      String configId = run.runs().get(i).config().configId();
      Map<String, Tests> tasks = tests.getOrDefault(configId, Map.of());
      boolean plus = tasks.values().stream().allMatch(Tests::isPlusJudged);
      Map<String, TaskTally> tallies = new TreeMap<>();
      tasks.forEach(
          (task, judged) -> {
            if (judged.samples > 0) {
              tallies.put(
                  task,
                  new TaskTally(
                      Math.toIntExact(judged.samples),
                      Math.toIntExact(plus ? judged.plus : judged.base)));
            }
          });
      configurations.add(
          new NightResults.Configuration(
              labels.get(i),
              configId,
              plus ? "plus" : "base",
              tallies,
              Optional.ofNullable(metrics.<Double>getAs("tokens_per_pass")),
              Optional.ofNullable(metrics.<Double>getAs("tokens_per_second"))));
    }
    return new NightResults(
        date,
        run.folder().runId(),
        run.input().dataset(),
        run.input().md5(),
        run.model().name(),
        run.model().revision(),
        CodeVersion.commit().orElseGet(CodeVersion::version),
        sum(evaluated.metrics(), "failed_rows"),
        sum(evaluated.metrics(), "unjudged"),
        configurations);
  }

  /** Labels must outlive a change of defaults, so a configuration alone goes by its decoder. */
  private static List<String> labels(List<PlannedRun> runs) {
    return runs.size() > 1
        ? PlannedRun.labels(runs)
        : List.of("decode=" + runs.get(0).composition().choices().get("decode"));
  }

  private static long sum(List<Row> metrics, String column) {
    return metrics.stream().mapToLong(row -> row.<Long>getAs(column)).sum();
  }

  /**
   * The judged samples of a task; those whose sandbox was lost say nothing about the model.
   *
   * @param samples that were judged
   * @param isPlusJudged whether the plus tests ran for all
   */
  private record Tests(long samples, long base, long plus, boolean isPlusJudged) {

    static Tests of(Row row) {
      long samples = row.<Long>getAs("samples");
      return new Tests(
          samples - row.<Long>getAs("unjudged"),
          row.getAs("base"),
          row.getAs("plus"),
          row.<Long>getAs("plus_judged") == samples);
    }
  }

  /** Config id to task to what its samples came to. */
  private static Map<String, Map<String, Tests>> tests(DecodingRun<?> run) {
    ScoresTable.TABLE.read(run.spark(), run.location()).createOrReplaceTempView("scores");
    Map<String, Map<String, Tests>> tests = new TreeMap<>();
    for (Row row : run.spark().sql(NamedQuery.VERDICTS.sql()).collectAsList()) {
      tests
          .computeIfAbsent(row.getAs(Table.PARTITION), id -> new TreeMap<>())
          .put(row.getAs("task_id"), Tests.of(row));
    }
    return tests;
  }

  private static int exitCode(Verdict verdict) {
    return switch (verdict) {
      case BASELINE, GOOD -> 0;
      case REGRESSION -> FailureCategory.REGRESSION.exitCode();
      case INCOMPLETE -> FailureCategory.PARTIAL.exitCode();
    };
  }

  private static void failUnlessGood(NightReview review) {
    switch (review.verdict()) {
      case BASELINE, GOOD -> {}
      case REGRESSION -> throw LockstepException.regression(review.headline());
      case INCOMPLETE -> throw LockstepException.partial(review.headline());
    }
  }
}
