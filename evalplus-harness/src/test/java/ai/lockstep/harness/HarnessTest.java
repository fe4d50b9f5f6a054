package ai.lockstep.harness;

import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.lockstep.datasets.Suite;
import ai.lockstep.datasets.Task;
import ai.lockstep.failure.FailureCategory;
import ai.lockstep.failure.LockstepException;
import ai.lockstep.harness.HarnessSettings.Depth;
import ai.lockstep.harness.HarnessSettings.Scope;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a verdict is; every test runs real programs in the real sandbox. */
class HarnessTest {

  /** Squares: base 0, 1, 2 and plus -1, 10. */
  private static final Task SQUARE =
      Tasks.task("def f(x):\n    return x * x\n", "[[0], [1], [2]]", "[[-1], [10]]");

  /** For programs that run into them; what passes must not depend on how busy the machine is. */
  private static final Limits SHORT = new Limits(0.3, 4, 60, 0, 1);

  @TempDir static Path cache;
  private static Harness failFast;
  private static Harness everyTest;
  private static Harness impatient;

  @BeforeAll
  static void open() {
    HarnessSettings settings = Tasks.settings(cache);
    impatient = Harness.open(settings.withLimits(SHORT));
    failFast = Harness.open(settings);
    everyTest = Harness.open(settings.withDepth(Depth.EVERY_TEST));
  }

  @AfterAll
  static void close() {
    if (failFast != null) {
      failFast.close();
      everyTest.close();
      impatient.close();
    }
  }

  private static Verdict judge(String program) {
    return Tasks.judge(failFast, SQUARE, program);
  }

  private static String f(String body) {
    return "def f(x):\n    " + body.replace("\n", "\n    ") + "\n";
  }

  @Nested
  class Statuses {

    @Test
    void aRightProgramPassesBothRuns() {
      Verdict verdict = judge(f("return x ** 2"));

      assertThat(verdict.passed()).isTrue();
      assertThat(verdict.base().details()).isEqualTo("111");
      assertThat(verdict.plus().orElseThrow().details()).isEqualTo("11");
      assertThat(verdict.base().outcome()).isEqualTo(Outcome.PASSED);
      assertThat(verdict.base().message()).isEmpty();
    }

    @Test
    void baseAndPlusAreJudgedApart() {
      Verdict verdict = judge(f("return abs(x) * x"));

      assertThat(verdict.base().status()).isEqualTo(Status.PASS);
      assertThat(verdict.plus().orElseThrow().status()).isEqualTo(Status.FAIL);
      assertThat(verdict.passed()).isFalse();
    }

    @Test
    void aWrongAnswerNamesTheTestAndWhatWasReturned() {
      RunVerdict base = judge(f("return x + 1 if x == 1 else x * x")).base();

      assertThat(base.status()).isEqualTo(Status.FAIL);
      assertThat(base.outcome()).isEqualTo(Outcome.WRONG_ANSWER);
      assertThat(base.message()).isEqualTo("returned 2");
      assertThat(base.details()).isEqualTo("10");
      assertThat(base.firstFailedTest()).isEqualTo(OptionalInt.of(1));
      assertThat(base.firstFailedInput()).isEqualTo(Optional.of("[1]"));
    }

    @Test
    void everyTestIsRunOnRequest() {
      RunVerdict base = Tasks.judge(everyTest, SQUARE, f("return 0 if x < 2 else 4")).base();

      assertThat(base.status()).isEqualTo(Status.FAIL);
      assertThat(base.details()).isEqualTo("101");
    }

    @Test
    void anExceptionIsNamed() {
      RunVerdict base = judge(f("return [][x]")).base();

      assertThat(base.outcome()).isEqualTo(Outcome.EXCEPTION);
      assertThat(base.message()).isEqualTo("IndexError: list index out of range");
      assertThat(base.details()).isEqualTo("0");
    }

    @Test
    void exitingIsAnException() {
      assertThat(judge(f("raise SystemExit(0)")).base().message()).isEqualTo("SystemExit: 0");
    }

    @Test
    void textThatDoesNotCompileFailsWithoutDetails() {
      RunVerdict base = judge("def f(x) return x").base();

      assertThat(base.status()).isEqualTo(Status.FAIL);
      assertThat(base.outcome()).isEqualTo(Outcome.SYNTAX_ERROR);
      assertThat(base.details()).isEmpty();
      assertThat(base.firstFailedTest()).isEmpty();
    }

    @Test
    void anExceptionWhileLoadingFailsWithoutDetails() {
      RunVerdict base = judge("import no_such_module\n" + f("return x * x")).base();

      assertThat(base.outcome()).isEqualTo(Outcome.EXCEPTION);
      assertThat(base.message()).isEqualTo("ModuleNotFoundError: No module named 'no_such_module'");
      assertThat(base.details()).isEmpty();
    }

    @Test
    void aMissingEntryPointIsNamed() {
      RunVerdict base = judge("def g(x):\n    return x * x\n").base();

      assertThat(base.outcome()).isEqualTo(Outcome.MISSING_ENTRY_POINT);
      assertThat(base.status()).isEqualTo(Status.FAIL);
    }

    @Test
    void aCallPastItsLimitFailsAndItsRunStops() {
      RunVerdict base = Tasks.judge(impatient, SQUARE, f("while True: pass")).base();

      assertThat(base.status()).isEqualTo(Status.FAIL);
      assertThat(base.outcome()).isEqualTo(Outcome.TIMEOUT);
      assertThat(base.details()).isEqualTo("0");
    }

    @Test
    void aTimersSignalThatAProgramSendsItselfEndsTheCall() {
      String program =
          f("import signal\nif x == 2: signal.raise_signal(signal.SIGALRM)\nreturn x * x");
      RunVerdict base = judge(program).base();

      assertThat(base.status()).isEqualTo(Status.FAIL);
      assertThat(base.outcome()).isEqualTo(Outcome.TIMEOUT);
      assertThat(base.details()).isEqualTo("110");
    }

    @Test
    void aRunPastItsBudgetIsATimeout() {
      // The timer cannot interrupt one long operation of C code.
      String program = f("return sum(range(10 ** 10)) if x == 2 else x * x");
      RunVerdict base = Tasks.judge(impatient, SQUARE, program).base();

      assertThat(base.status()).isEqualTo(Status.TIMEOUT);
      assertThat(base.outcome()).isEqualTo(Outcome.TIMEOUT);
      assertThat(base.details()).isEqualTo("11");
    }

    @Test
    void aProcessThatEndsByItselfIsATimeoutWithTheTestsSoFar() {
      RunVerdict base = judge(f("import os\nif x == 2: os._exit(0)\nreturn x * x")).base();

      assertThat(base.status()).isEqualTo(Status.TIMEOUT);
      assertThat(base.outcome()).isEqualTo(Outcome.CRASHED);
      assertThat(base.message())
          .isEqualTo("the process exited with code 0 before its tests were through");
      assertThat(base.details()).isEqualTo("11");
    }

    @Test
    void aFatalSignalIsNamed() {
      RunVerdict base = judge(f("import ctypes\nctypes.string_at(0)")).base();

      assertThat(base.status()).isEqualTo(Status.TIMEOUT);
      assertThat(base.message()).isEqualTo("the process was killed by SIGSEGV");
    }

    @Test
    void takingMoreMemoryThanAllowedIsNamed() {
      RunVerdict base = judge(f("return len(bytearray(5 << 30))")).base();

      assertThat(base.outcome()).isEqualTo(Outcome.MEMORY);
      assertThat(base.status()).isEqualTo(Status.FAIL);
    }

    @Test
    void aReturnedValueHasAMostSize() {
      assertThat(judge(f("return 'x' * (65 << 20)")).base().outcome())
          .isEqualTo(Outcome.OUTPUT_LIMIT);
    }

    @Test
    void answersOfAnySizeAndNumberAreJudged() {
      String many =
          IntStream.range(0, 5000).mapToObj("[%d]"::formatted).collect(joining(",", "[", "]"));
      Task repeat = Tasks.task(f("return 'ab' * x"), "[[700000], [3], [800000]]", many);

      assertThat(Tasks.judge(failFast, repeat, f("return 'ab' * x")).passed()).isTrue();
      assertThat(Tasks.judge(failFast, repeat, f("return 'ab' * x + '.' * (x == 490)")).plus())
          .hasValueSatisfying(
              plus -> assertThat(plus.firstFailedTest()).isEqualTo(OptionalInt.of(490)));
      assertThat(Tasks.judge(failFast, repeat, f("return 'ab' * x + '.' * (x > 700000)")).base())
          .satisfies(base -> assertThat(base.details()).isEqualTo("110"));
    }

    @Test
    void onlyTheBaseTestsAreRunOnRequest() {
      try (Harness baseOnly = Harness.open(Tasks.settings(cache).withScope(Scope.BASE_ONLY))) {
        assertThat(Tasks.judge(baseOnly, SQUARE, f("return abs(x) * x")))
            .satisfies(verdict -> assertThat(verdict.plus()).isEmpty())
            .matches(Verdict::passed);
      }
    }

    @Test
    void programsMayHoldAnyText() {
      assertThat(judge("# \ud800\n" + f("return x * x")).base().outcome())
          .isEqualTo(Outcome.EXCEPTION);
      assertThat(judge("# \0\n" + f("return x * x")).base().status()).isEqualTo(Status.FAIL);
      assertThat(judge("s = 'é€😀'\r\n" + f("return x * x")).passed()).isTrue();
    }
  }

  /** Rows: what the program returns, what the reference returns, whether that is right. */
  @Nested
  class Equality {

    @ParameterizedTest(name = "{0} for {1}: {2}")
    @CsvSource(
        delimiter = ';',
        quoteCharacter = '`',
        value = {
          "1.0; 1; true",
          "True; 1; true",
          "1 + 0j; 1; true",
          "[1, 2]; (1, 2); false",
          "(1, 2); (1, 2); true",
          "{1: 2, 3: 4}; {3: 4, 1: 2}; true",
          "{3, 1, 2}; {1, 2, 3}; true",
          "frozenset((1, 2)); {1, 2}; true",
          "0.1 + 0.2; 0.3; true",
          "0.3001; 0.3; false",
          "1.0000001; 1; false",
          "[0.1 + 0.2, 1.0]; [0.3, 1.0]; true",
          "(0.1 + 0.2, 1.0); [0.3, 1.0]; false",
          "[(0.1 + 0.2,)]; [(0.3,)]; false",
          "float('nan'); float('nan'); false",
          "float('inf'); float('inf'); true",
          "10 ** 400; 10 ** 400; true",
          "10 ** 400 + 1; 10 ** 400; false",
          "'abc'; 'abc'; true",
          "b'abc'; 'abc'; false",
          "None; None; true",
          "iter([1]); [1]; false",
          "range(2); [0, 1]; false",
          "type('L', (list,), {})([1]); [1]; true",
          "__import__('collections').OrderedDict(a=1); {'a': 1}; true",
          "__import__('collections').deque([1]); [1]; false",
          "__import__('decimal').Decimal(3); 3; true",
          "__import__('fractions').Fraction(6, 2); 3; true",
          "__import__('numpy').float64(0.5); 0.5; true",
          "__import__('numpy').int64(3); 3; true",
          "__import__('numpy').array([3]); 3; true",
          "__import__('numpy').array([3, 4]); [3, 4]; false",
          "__import__('numpy').str_('a'); 'a'; true",
          "__import__('collections').ChainMap({'a': 1}); {'a': 1}; true",
          "{'a': 1}.keys(); {'a'}; true",
          "[[1, [2, {'a': (3,)}]]]; [[1, [2, {'a': (3,)}]]]; true",
        })
    void isPythonsOrWithinTheTolerance(String returned, String expected, boolean right) {
      Verdict verdict = Tasks.judge(failFast, Tasks.expecting(expected), f("return " + returned));

      assertThat(verdict.base().passed()).as(verdict.base().message()).isEqualTo(right);
    }

    @Test
    void aToleranceOnceSetStaysForTheRun() {
      Task floatThenInt =
          Tasks.task("def f(x):\n    return [0.5, 10**9][x]\n", "[[0], [1]]", "[[1], [0]]");
      String off = f("return [0.5, 10**9 + 50][x]");

      Verdict verdict = Tasks.judge(failFast, floatThenInt, off);

      assertThat(verdict.base().status()).isEqualTo(Status.PASS);
      assertThat(verdict.plus().orElseThrow().status()).isEqualTo(Status.FAIL);
    }

    @Test
    void aTaskMayHaveAToleranceOfItsOwn() {
      Task task =
          new Task(
              Suite.STARTER,
              "Starter/2",
              "",
              "def f(x):\n    return 1.0\n",
              "f",
              "[[0]]",
              "[]",
              0.01);

      assertThat(Tasks.judge(failFast, task, f("return 1.009")).passed()).isTrue();
      assertThat(Tasks.judge(failFast, task, f("return 1.011")).passed()).isFalse();
    }

    @Test
    void anObjectThatIsEqualToWhatItHoldsIsJudgedByThat() {
      String box =
          "class Box:\n  def __init__(self, v): self.v = v\n"
              + "  def __eq__(self, o): return self.v == o\n";

      assertThat(judge(box + f("return Box(x * x)")).passed()).isTrue();
      assertThat(judge(box + f("return Box(x)")).passed()).isFalse();
    }

    @Test
    void someMbppTasksCompareSetsOnly() {
      Task similar =
          new Task(
              Suite.MBPP,
              "Mbpp/2",
              "",
              "def similar_elements(a, b):\n  return tuple(set(a) & set(b))\n",
              "similar_elements",
              "[[[3, 4, 5], [5, 4, 7]]]",
              "[]",
              0);

      assertThat(
              Tasks.judge(
                      failFast,
                      similar,
                      "def similar_elements(a, b):\n  yield 5\n  yield 4\n  yield 5\n")
                  .passed())
          .isTrue();
      assertThat(Tasks.judge(failFast, similar, "def similar_elements(a, b): return [5]").passed())
          .isFalse();
      assertThat(Tasks.judge(failFast, similar, "def similar_elements(a, b): return 5").passed())
          .isFalse();
    }

    @Test
    void mbppArgumentsAreRebuilt() {
      Task area =
          new Task(
              Suite.MBPP,
              "Mbpp/124",
              "",
              "def angle_complex(a, b):\n  return [type(a).__name__, type(b).__name__]\n",
              "angle_complex",
              "[[0, \"1j\"]]",
              "[]",
              0);

      assertThat(
              Tasks.judge(failFast, area, "def angle_complex(a, b): return ['float', 'complex']")
                  .passed())
          .isTrue();
    }

    @Test
    void rootsAreJudgedByThePolynomial() {
      Task root =
          new Task(
              Suite.HUMANEVAL,
              "HumanEval/32",
              "",
              "def find_zero(xs):\n  return -0.5\n",
              "find_zero",
              "[[[1, 2]]]",
              "[]",
              1e-4);

      assertThat(Tasks.judge(failFast, root, "def find_zero(xs): return -0.50001").passed())
          .isTrue();
      assertThat(
              Tasks.judge(failFast, root, "def find_zero(xs):\n  xs[:] = [0]\n  return 7").passed())
          .isFalse();
    }
  }

  @Nested
  class Surroundings {

    @Test
    void mutatedArgumentsDoNotReachTheNextRun() {
      Task task = Tasks.task("def f(x):\n    return sorted(x)\n", "[[[2, 1]]]", "[[[2, 1]]]");

      assertThat(Tasks.judge(failFast, task, f("x.sort()\nreturn x")).passed()).isTrue();
      assertThat(Tasks.judge(failFast, task, f("return x + []")).passed()).isFalse();
    }

    @Test
    void globalsLiveFromTestToTestAndNotFromRunToRun() {
      String counting = "n = -1\n" + f("global n\nn += 1\nreturn n * n");

      assertThat(judge(counting).base().details()).isEqualTo("111");
      assertThat(judge(counting).plus().orElseThrow().details()).isEqualTo("0");
    }

    @Test
    void printingIsHarmlessAndReadingFails() {
      assertThat(judge(f("print('x' * 1000)\nreturn x * x")).passed()).isTrue();
      assertThat(judge(f("return input()")).base().message()).isEqualTo("OSError");
    }

    @Test
    void namesThatEvalPlusTakesAwayAreMissing() {
      assertThat(judge(f("open('a')")).base().message())
          .isEqualTo("TypeError: 'NoneType' object is not callable");
      assertThat(judge(f("import os\nos.system('true')")).base().outcome())
          .isEqualTo(Outcome.EXCEPTION);
    }

    @Test
    void aMainGuardDoesNotFire() {
      assertThat(
              judge(f("return x * x") + "if __name__ == '__main__':\n  raise ValueError\n")
                  .passed())
          .isTrue();
    }

    @Test
    void recursionEndsWhereEvalPlusEndsIt() {
      // EvalPlus 0.3.1 has 29 frames of 1000 on the stack when it calls the entry point.
      String depth = "def g(n): return 0 if n == 0 else g(n - 1)\n";

      assertThat(judge(depth + f("g(967)\nreturn x * x")).passed()).isTrue();
      assertThat(judge(depth + f("g(970)\nreturn x * x")).base().message())
          .startsWith("RecursionError");
    }

    @Test
    void setsHaveOneOrder() {
      Task order = Tasks.task("def f(x):\n    return list({'a', 'b', 'c', 'd'})\n", "[[0]]", "[]");

      assertThat(Tasks.judge(failFast, order, order.referenceProgram()).passed()).isTrue();
    }
  }

  @Nested
  class Robustness {

    private final String slow = f("import time\ntime.sleep(0.2)\nreturn x * x");

    @Test
    void aKilledServerCostsNoVerdict() {
      CompletableFuture<Verdict> verdict = CompletableFuture.supplyAsync(() -> judge(slow));
      kill(1, verdict);

      assertThat(verdict.join().passed()).isTrue();
    }

    @Test
    void aKilledJudgeCostsNoVerdict() {
      CompletableFuture<Verdict> verdict = CompletableFuture.supplyAsync(() -> judge(slow));
      kill(0, verdict);

      assertThat(verdict.join().passed()).isTrue();
    }

    /** Kills processes so many levels below this JVM's children, until one was there. */
    private static void kill(int level, CompletableFuture<?> running) {
      boolean killed = false;
      while (!killed && !running.isDone()) {
        Stream<ProcessHandle> processes = ProcessHandle.current().children();
        for (int i = 0; i < level; i++) {
          processes = processes.flatMap(ProcessHandle::children);
        }
        for (ProcessHandle process : processes.toList()) {
          killed |= process.destroyForcibly();
        }
      }
    }

    @Test
    void closingEndsEveryProcess() {
      List<ProcessHandle> before = ProcessHandle.current().descendants().toList();
      Harness harness = Harness.open(Tasks.settings(cache));
      Tasks.judge(harness, SQUARE, f("return x * x"));
      List<ProcessHandle> started =
          ProcessHandle.current().descendants().filter(p -> !before.contains(p)).toList();

      harness.close();

      assertThat(started).hasSizeGreaterThan(1);
      started.forEach(process -> process.onExit().join());
    }

    @Test
    void expectedAnswersAreComputedOnceAndKept() throws IOException {
      Path own = Files.createTempDirectory(cache, "own");
      Task task = Tasks.task("def f(x):\n    return x\n", "[[1]]", "[]");
      try (Harness harness = Harness.open(Tasks.settings(own))) {
        Tasks.judge(harness, task, f("return x"));
      }
      List<Path> files = files(own);

      assertThat(files).hasSize(2).allMatch(file -> file.toString().contains(Tasks.md5(task)));
      for (Path file : files) {
        Files.setLastModifiedTime(file, java.nio.file.attribute.FileTime.fromMillis(0));
      }
      try (Harness harness = Harness.open(Tasks.settings(own))) {
        Tasks.judge(harness, task, f("return x"));
      }
      for (Path file : files(own)) {
        assertThat(Files.getLastModifiedTime(file).toMillis()).isZero();
      }
    }

    private static List<Path> files(Path folder) throws IOException {
      try (Stream<Path> found = Files.walk(folder)) {
        return found.filter(Files::isRegularFile).toList();
      }
    }

    @Test
    void aReferenceThatFailsIsTheDatasetsFault() {
      Task broken = Tasks.task("def f(x):\n    return 1 // x\n", "[[1], [0]]", "[]");

      assertThatThrownBy(() -> Tasks.judge(failFast, broken, f("return 1")))
          .isInstanceOfSatisfying(
              LockstepException.class,
              e -> assertThat(e.category()).isEqualTo(FailureCategory.USER))
          .hasMessage(
              "Cannot judge programs for Starter/1: the reference solution of Starter/1 fails on base test 1: "
                  + "ZeroDivisionError: integer division or modulo by zero. Check the dataset with this interpreter (%s)."
                      .formatted(failFast.interpreter()));
    }
  }

  @Nested
  class Environment {

    @Test
    void aMissingInterpreterIsNamed() {
      assertThatThrownBy(
              () -> Harness.open(Tasks.settings(cache).withPython(Path.of("/no/python3"))))
          .isInstanceOfSatisfying(
              LockstepException.class,
              e -> assertThat(e.category()).isEqualTo(FailureCategory.ENVIRONMENT))
          .hasMessage(
              "Cannot run programs with harness.python=/no/python3: there is no such executable. Install it (Debian: apt-get install python3 python3-numpy) or name another.");
    }

    @Test
    void whatIsNoPythonIsNamed() {
      assertThatThrownBy(() -> Harness.open(Tasks.settings(cache).withPython(Path.of("/bin/true"))))
          .hasMessage(
              "Cannot run programs with harness.python=/bin/true: it does not run as Python does (it ended without an answer).");
    }

    @Test
    void limitsCanBeScaledByWhatTheMachineMeasures() {
      HarnessSettings measured =
          Tasks.settings(cache).withLimits(Limits.EVALPLUS.withMachineFactor(0));
      try (Harness harness = Harness.open(measured)) {
        // A hundredth or a hundred times the baseline would be no machine that runs this test.
        assertThat(harness.machineFactor()).isBetween(0.01, 100.0);
      }
      assertThat(failFast.machineFactor()).isEqualTo(1);
    }

    @Test
    void theWeakerLevelRunsProgramsToo() {
      try (Harness harness = Harness.open(Tasks.settings(cache).withSandbox("seccomp"))) {
        assertThat(harness.isolation()).isEqualTo(Isolation.SECCOMP);
        assertThat(Tasks.judge(harness, SQUARE, f("return x * x")).passed()).isTrue();
        assertThat(
                Tasks.judge(
                        harness,
                        SQUARE,
                        f("import ctypes\nreturn x * x if ctypes.CDLL(None).fork() < 0 else -1"))
                    .passed())
            .isTrue();
      }
    }
  }
}
