package ai.lockstep.harness;

import ai.lockstep.datasets.Benchmark;
import ai.lockstep.datasets.Task;
import ai.lockstep.harness.HarnessSettings.Depth;
import ai.lockstep.harness.PublishedData.Judged;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Agreement with EvalPlus, and what the harness costs.
 *
 * <pre>
 * mvn -q -pl evalplus-harness -am test-compile
 * mvn -q -pl evalplus-harness exec:java ... (see the README)
 * </pre>
 *
 * First argument: {@code parity} (every judged program, all details) or {@code speed}. A second
 * argument chooses the kinds that start with it.
 */
public final class HarnessBenchmark {

  private static final double LEAST_SECONDS = Double.parseDouble(System.getProperty("least", "0"));
  private static final double MOST_SECONDS = Double.parseDouble(System.getProperty("most", "1e9"));

  private HarnessBenchmark() {}

  public static void main(String[] arguments) throws Exception {
    int workers = Integer.getInteger("workers", Runtime.getRuntime().availableProcessors());
    String what = arguments.length > 0 ? arguments[0] : "parity";
    String kinds = arguments.length > 1 ? arguments[1] : "";
    switch (what) {
      case "parity" -> parity(workers, kinds);
      default -> throw new IllegalArgumentException("parity or speed, not " + what);
    }
  }

  private record Compared(Judged row, Verdict verdict, List<String> differences) {}

  private static void parity(int workers, String kinds) throws Exception {
    Benchmark humanEval = PublishedData.humanEval();
    Benchmark mbpp = PublishedData.mbpp();
    List<Judged> rows = new ArrayList<>();
    for (Judged row : PublishedData.judged()) {
      if (row.kind().startsWith(kinds)
          && row.seconds() >= LEAST_SECONDS
          && row.seconds() < MOST_SECONDS) {
        rows.add(row);
      }
    }
    try (Harness harness =
        Harness.open(
            HarnessSettings.defaults().withDepth(Depth.EVERY_TEST).withParallel(workers))) {
      System.out.printf(
          "%d programs, %s, %s%n", rows.size(), harness.isolation(), harness.interpreter());
      // Expected answers are computed once and kept; that is no part of judging.
      List<Callable<Verdict>> references = new ArrayList<>();
      rows.stream()
          .map(Judged::taskId)
          .distinct()
          .forEach(
              id -> {
                Task task = PublishedData.task(humanEval, mbpp, id);
                String md5 = (id.startsWith("H") ? humanEval : mbpp).md5();
                references.add(() -> harness.judge(task, md5, "def nothing(): pass"));
              });
      long started = System.nanoTime();
      all(workers, references);
      System.out.printf(Locale.ROOT, "references: %.1f s%n", (System.nanoTime() - started) / 1e9);

      AtomicInteger done = new AtomicInteger();
      List<Callable<Compared>> work = new ArrayList<>();
      for (Judged row : rows) {
        work.add(
            () -> {
              Task task = PublishedData.task(humanEval, mbpp, row.taskId());
              String md5 = (row.taskId().startsWith("H") ? humanEval : mbpp).md5();
              Verdict verdict = harness.judge(task, md5, row.program());
              int now = done.incrementAndGet();
              if (now % 500 == 0) {
                System.out.printf("  %d of %d%n", now, rows.size());
              }
              return new Compared(row, verdict, differences(row, verdict));
            });
      }
      started = System.nanoTime();
      List<Compared> compared = all(workers, work);
      double seconds = (System.nanoTime() - started) / 1e9;
      report(compared, seconds);
    }
  }

  private static void report(List<Compared> compared, double seconds) {
    int agree = 0;
    int others = 0;
    int fooled = 0;
    int rewarded = 0;
    List<String> flagged = new ArrayList<>();
    double upstream = 0;
    for (Compared c : compared) {
      upstream += c.row.seconds();
      if (c.verdict.tampered()) {
        flagged.add(c.row.kind());
      }
      if (c.row.upstreamFooled()) {
        fooled++;
        if (c.verdict.passed()) {
          rewarded++;
          System.out.printf("REWARDED %s %s %s%n", c.row.id(), c.row.kind(), c.row.taskId());
        }
      } else if (c.differences.isEmpty()) {
        agree++;
      } else {
        others++;
        System.out.printf(
            "DIFFERS %s %s %s %s: %s / %s%n",
            c.row.id(),
            c.row.kind(),
            c.row.taskId(),
            c.differences,
            c.verdict.base().message(),
            c.verdict.plus().map(RunVerdict::message).orElse(""));
      }
    }
    Collections.sort(flagged);
    System.out.println("flagged as tampering: " + flagged);
    System.out.printf(
        Locale.ROOT,
        "agree %d of %d (%d differ); of %d that fool EvalPlus %d rewarded; %.1f s, EvalPlus %.1f s, ratio %.3f%n",
        agree,
        agree + others,
        others,
        fooled,
        rewarded,
        seconds,
        upstream,
        seconds / upstream);
  }

  private static List<String> differences(Judged row, Verdict verdict) {
    List<String> differences = new ArrayList<>();
    compare("base", row.baseStatus(), row.baseDetails(), verdict.base(), differences);
    compare("plus", row.plusStatus(), row.plusDetails(), verdict.plus().orElseThrow(), differences);
    return differences;
  }

  private static void compare(
      String run, String status, String details, RunVerdict ours, List<String> differences) {
    if (!ours.status().evalPlusName().equals(status)) {
      differences.add(
          "%s %s is %s (%s)".formatted(run, status, ours.status().evalPlusName(), ours.outcome()));
    } else if (!status.equals("timeout") && !ours.details().equals(details)) {
      int at = 0;
      while (at < Math.min(details.length(), ours.details().length())
          && details.charAt(at) == ours.details().charAt(at)) {
        at++;
      }
      differences.add(
          "%s details of %d and %d differ at %d"
              .formatted(run, details.length(), ours.details().length(), at));
    }
  }

  /** Results in the order of the work. */
  private static <T> List<T> all(int workers, List<Callable<T>> work)
      throws InterruptedException, ExecutionException {
    ExecutorService pool = Executors.newFixedThreadPool(workers);
    try {
      List<T> results = new ArrayList<>();
      for (Future<T> future : pool.invokeAll(work)) {
        results.add(future.get());
      }
      return results;
    } finally {
      pool.shutdownNow();
    }
  }
}
