package ai.lockstep.harness;

import ai.lockstep.datasets.Benchmark;
import ai.lockstep.datasets.Task;
import ai.lockstep.harness.HarnessSettings.Depth;
import ai.lockstep.harness.PublishedData.Judged;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Agreement with EvalPlus, and what judging costs beside the tests themselves.
 *
 * <ul>
 *   <li>{@code parity [KIND]}: judges every program of which EvalPlus's verdict is known (or those
 *       whose kind starts so), with every test, and names each difference;
 *   <li>{@code speed}: judges the reference programs of both suites one after the other, each right
 *       after the same tests in a warm interpreter without isolation;
 *   <li>{@code many [COUNT]}: judges so many programs (10,000), then looks for what was left. Three
 *       kinds are told apart: what users have (language models' programs and reference solutions),
 *       other honest ones, made to be difficult, and those that attack the harness or take all they
 *       can, whose time beside the tests is mostly their own.
 * </ul>
 *
 * <p>{@code speed} adds to the tests' time in the warm interpreter, {@code many} to what the calls
 * of the tests took where they ran. What is added depends on what this machine takes to fork and
 * end a Python process with numpy, which is printed first.
 *
 * <p>{@code -Dworkers=N} for another number than the cores, {@code -Dleast=S -Dmost=S} for the
 * programs that took EvalPlus so many seconds.
 */
public final class HarnessBenchmark {

  private static final int MANY = 10_000;

  /** Programs that EvalPlus judges faster; a heavy one takes as long as its tests. */
  private static final double LIGHT_SECONDS = 0.5;

  /** After which every sandbox has cleaned up and has its next worker. */
  private static final long REST_MILLIS = 2000;

  /** Kinds of programs that attack the harness, or take all the memory or processes there are. */
  private static final List<String> HOSTILE = List.of("tamper", "fooled", "mem");

  /** Kinds of programs that nobody made for a test of the harness. */
  private static final List<String> ORDINARY = List.of("llm", "canonical");

  private final Benchmark humanEval = PublishedData.humanEval();
  private final Benchmark mbpp = PublishedData.mbpp();
  private final int workers =
      Integer.getInteger("workers", Runtime.getRuntime().availableProcessors());

  private HarnessBenchmark() {}

  public static void main(String[] arguments) throws Exception {
    HarnessBenchmark benchmark = new HarnessBenchmark();
    printBareFork();
    String what = arguments.length > 0 ? arguments[0] : "speed";
    switch (what) {
      case "parity" -> benchmark.parity(arguments.length > 1 ? arguments[1] : "");
      case "speed" -> benchmark.speed();
      case "many" -> benchmark.many(arguments.length > 1 ? Integer.parseInt(arguments[1]) : MANY);
      default -> throw new IllegalArgumentException("parity, speed or many, not " + what);
    }
  }

  private static void printBareFork() throws IOException {
    Process process =
        new ProcessBuilder(
                HarnessSettings.defaults().python().toString(),
                "-s",
                "-c",
                PythonProgram.read("bare_fork.py"))
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try (BufferedReader answer = process.inputReader(StandardCharsets.US_ASCII)) {
      print("a fork and exit of Python with numpy: %s", answer.readLine());
    }
  }

  private HarnessSettings settings() {
    return HarnessSettings.defaults().withParallel(workers);
  }

  private Task task(String taskId) {
    return benchmarkOf(taskId).task(taskId).orElseThrow();
  }

  private Benchmark benchmarkOf(String taskId) {
    return taskId.startsWith("HumanEval/") ? humanEval : mbpp;
  }

  private Verdict judge(Harness harness, String taskId, String program) {
    return harness.judge(task(taskId), benchmarkOf(taskId).md5(), program);
  }

  /** Expected answers are computed once and kept; that is no part of judging. */
  private void computeExpected(Harness harness, List<String> taskIds) throws Exception {
    long started = System.nanoTime();
    List<Callable<Verdict>> work = new ArrayList<>();
    for (String taskId : taskIds) {
      work.add(() -> judge(harness, taskId, ""));
    }
    all(work);
    print("expected answers of %d tasks: %.1f s", taskIds.size(), secondsSince(started));
  }

  // parity

  private record Compared(Judged row, Verdict verdict, List<String> differences) {}

  private void parity(String kind) throws Exception {
    double least = Double.parseDouble(System.getProperty("least", "0"));
    double most = Double.parseDouble(System.getProperty("most", "Infinity"));
    List<Judged> rows = new ArrayList<>();
    for (Judged row : PublishedData.judged()) {
      if (row.kind().startsWith(kind) && row.seconds() >= least && row.seconds() < most) {
        rows.add(row);
      }
    }
    try (Harness harness = Harness.open(settings().withDepth(Depth.EVERY_TEST))) {
      print(
          "%d programs, %d workers, %s, %s",
          rows.size(), workers, harness.isolation(), harness.interpreter());
      computeExpected(harness, rows.stream().map(Judged::taskId).distinct().toList());
      List<Callable<Compared>> work = new ArrayList<>();
      for (Judged row : rows) {
        work.add(
            () -> {
              Verdict verdict = judge(harness, row.taskId(), row.program());
              return new Compared(row, verdict, differences(row, verdict));
            });
      }
      long started = System.nanoTime();
      List<Compared> compared = all(work);
      report(compared, secondsSince(started));
    }
  }

  private static void report(List<Compared> compared, double seconds) {
    int agreed = 0;
    int differed = 0;
    int fooled = 0;
    int rewarded = 0;
    int flagged = 0;
    double upstream = 0;
    for (Compared each : compared) {
      Judged row = each.row;
      upstream += row.seconds();
      flagged += each.verdict.tampered() ? 1 : 0;
      if (row.upstreamFooled()) {
        fooled++;
        rewarded += each.verdict.passed() ? 1 : 0;
      } else if (each.differences.isEmpty()) {
        agreed++;
      } else {
        differed++;
        print("differs: %s %s %s %s", row.id(), row.kind(), row.taskId(), each.differences);
      }
    }
    print("agreed on %d of %d", agreed, agreed + differed);
    print(
        "of %d that fool EvalPlus %d are rewarded; %d flagged as tampering",
        fooled, rewarded, flagged);
    print(
        "%.1f s; EvalPlus took %.1f s for them; ratio %.3f", seconds, upstream, seconds / upstream);
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
          "%s: %s there, %s here (%s: %s)"
              .formatted(
                  run, status, ours.status().evalPlusName(), ours.outcome(), ours.message()));
    } else if (!status.equals("timeout") && !ours.details().equals(details)) {
      differences.add(
          "%s: details from test %d"
              .formatted(
                  run, Arrays.mismatch(details.toCharArray(), ours.details().toCharArray())));
    }
  }

  // speed

  private void speed() throws Exception {
    try (Harness harness = Harness.open(settings().withParallel(1));
        WarmInterpreter floor = new WarmInterpreter()) {
      print("%s, %s", harness.isolation(), harness.interpreter());
      for (Benchmark benchmark : List.of(humanEval, mbpp)) {
        computeExpected(harness, benchmark.tasks().stream().map(Task::taskId).toList());
        double[] added = new double[benchmark.tasks().size()];
        double ours = 0;
        double least = 0;
        for (int i = 0; i < added.length; i++) {
          Task task = benchmark.tasks().get(i);
          double floorSeconds = floor.seconds(task);
          long started = System.nanoTime();
          Verdict verdict = harness.judge(task, benchmark.md5(), task.referenceProgram());
          double seconds = secondsSince(started);
          if (!verdict.passed()) {
            throw new IllegalStateException(task + ": " + verdict);
          }
          added[i] = seconds - floorSeconds;
          ours += seconds;
          least += floorSeconds;
        }
        print(
            "%s: %d reference programs in %.1f s, the tests alone %.1f s, ratio %.2f",
            benchmark.suite().datasetName(), added.length, ours, least, ours / least);
        print("  added a program: %s", quantiles(added));
      }
    }
  }

  // many

  private void many(int count) throws Exception {
    List<Judged> rows =
        PublishedData.judged().stream()
            .filter(row -> row.seconds() < LIGHT_SECONDS && !row.kind().startsWith("time"))
            .toList();
    long temporary = temporaryFiles();
    try (Harness harness = Harness.open(settings())) {
      computeExpected(harness, rows.stream().map(Judged::taskId).distinct().toList());
      Thread.sleep(REST_MILLIS);
      long processes = ProcessHandle.current().descendants().count();
      long descriptors = descriptors();
      double[] added = new double[count];
      List<Callable<Void>> work = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        int at = i;
        Judged row = rows.get(i % rows.size());
        work.add(
            () -> {
              long before = System.nanoTime();
              Verdict verdict = judge(harness, row.taskId(), row.program());
              added[at] =
                  secondsSince(before)
                      - verdict.base().testSeconds()
                      - verdict.plus().orElseThrow().testSeconds();
              return null;
            });
      }
      long started = System.nanoTime();
      all(work);
      double seconds = secondsSince(started);
      Thread.sleep(REST_MILLIS);
      print(
          "%d programs in %.1f s, %.0f a second with %d workers",
          count, seconds, count / seconds, workers);
      print("  added a program: %s", quantiles(added));
      boolean[] ordinary = ofKinds(ORDINARY, rows, count);
      boolean[] hostile = ofKinds(HOSTILE, rows, count);
      boolean[] difficult = new boolean[count];
      for (int i = 0; i < count; i++) {
        difficult[i] = !ordinary[i] && !hostile[i];
      }
      print("  to what users have: %s", quantiles(where(ordinary, added)));
      print("  to other honest programs: %s", quantiles(where(difficult, added)));
      print("  to hostile ones, their own time included: %s", quantiles(where(hostile, added)));
      print(
          "processes %d before, %d after; descriptors %d before, %d after",
          processes, ProcessHandle.current().descendants().count(), descriptors, descriptors());
    }
    print(
        "temporary files %d before, %d after; processes after closing %d",
        temporary, temporaryFiles(), ProcessHandle.current().descendants().count());
  }

  /** Open descriptors of this JVM and the judges. */
  private static long descriptors() throws IOException {
    long open = 0;
    for (ProcessHandle process :
        Stream.concat(Stream.of(ProcessHandle.current()), ProcessHandle.current().children())
            .toList()) {
      try (Stream<Path> found = Files.list(Path.of("/proc/" + process.pid() + "/fd"))) {
        open += found.count();
      }
    }
    return open;
  }

  private static long temporaryFiles() throws IOException {
    try (Stream<Path> found = Files.list(Path.of(System.getProperty("java.io.tmpdir")))) {
      return found.count();
    }
  }

  private static boolean[] ofKinds(List<String> kinds, List<Judged> rows, int count) {
    boolean[] found = new boolean[count];
    for (int i = 0; i < count; i++) {
      found[i] = kinds.stream().anyMatch(rows.get(i % rows.size()).kind()::startsWith);
    }
    return found;
  }

  private static double[] where(boolean[] condition, double[] values) {
    return IntStream.range(0, values.length)
        .filter(i -> condition[i])
        .mapToDouble(i -> values[i])
        .toArray();
  }

  private static String quantiles(double[] seconds) {
    double[] sorted = seconds.clone();
    Arrays.sort(sorted);
    if (sorted.length == 0) {
      return "none";
    }
    return String.format(
        Locale.ROOT,
        "median %.1f ms, 90%% %.1f ms, 99%% %.1f ms, most %.1f ms",
        1e3 * sorted[sorted.length / 2],
        1e3 * sorted[sorted.length * 9 / 10],
        1e3 * sorted[sorted.length * 99 / 100],
        1e3 * sorted[sorted.length - 1]);
  }

  private static double secondsSince(long nanos) {
    return (System.nanoTime() - nanos) / 1e9;
  }

  private static void print(String format, Object... values) {
    System.out.println(String.format(Locale.ROOT, format, values));
  }

  /** Results in the order of the work. */
  private <T> List<T> all(List<Callable<T>> work) throws InterruptedException, ExecutionException {
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
