package ai.lockstep.harness;

import static org.assertj.core.api.Assertions.assertThat;

import ai.lockstep.datasets.Task;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Programs that try to get out, to harm, to cheat or to outlive their run. After each the harness
 * judges an honest program as before.
 */
class SandboxAttackTest {

  /** The right answer is "contained": an attack says so when it got nowhere. */
  private static final Task CONTAINED = Tasks.expecting("'contained'");

  /** The right answer cannot be guessed. */
  private static final Task SECRET =
      Tasks.task(
          "def f(x):\n    import hashlib\n    return hashlib.sha256(b'k%d' % x).hexdigest()\n",
          "[[1], [2], [3]]", "[]");

  private static final String TOOLS =
      """
      import ctypes, errno, io, os, signal, socket, sys, time
      libc = ctypes.CDLL(None, use_errno=True)
      def refused(call):
          try:
              result = call()
          except (OSError, PermissionError, MemoryError) as e:
              return True
          return result == -1
      def contained(*calls):
          return 'contained' if all(refused(c) for c in calls) else 'escaped'
      def read(path):
          with io.open(path, 'rb') as f:
              return f.read(100)
      def write(path, count=1):
          with io.open(path, 'wb') as f:
              f.write(b'x' * count)
      """;

  @TempDir static Path cache;
  private static Harness harness;

  @BeforeAll
  static void open() {
    harness = Harness.open(Tasks.settings(cache).withLimits(new Limits(2, 4, 20, 1L << 30, 1)));
  }

  @AfterAll
  static void close() {
    if (harness != null) {
      harness.close();
    }
  }

  private static Verdict judge(Task task, String body) {
    return Tasks.judge(
        harness, task, TOOLS + "def f(x):\n    " + body.strip().replace("\n", "\n    ") + "\n");
  }

  private static void assertHonestProgramsStillPass() {
    Verdict honest = Tasks.judge(harness, CONTAINED, "def f(x): return 'contained'");
    assertThat(honest.passed()).as(honest.base().message()).isTrue();
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "reads the password file | contained(lambda: read('/etc/passwd'), lambda: read('/etc/shadow'))",
        "reads home folders | contained(lambda: os.listdir('/root'), lambda: os.listdir('/home'))",
        "reads the expected answers | contained(lambda: os.listdir('@cache@'))",
        "reads the server's environment | contained(lambda: read('/proc/1/environ'))",
        "reads the server's memory | contained(lambda: read('/proc/1/mem'), lambda: os.listdir('/proc/1/fd'))",
        "leaves through the server's root | contained(lambda: os.listdir(os.path.join('/proc/1/root', '')), lambda: os.listdir('/proc/1/cwd/'))",
        "follows a link of its own making | contained(lambda: (os.symlink(os.path.join('/proc/1/root', 'etc/shadow'), '@work@/l'), read('@work@/l')))",
        "writes to the system | contained(lambda: write('/usr/x'), lambda: write('/x'), lambda: write('/etc/x'), lambda: write('/dev/x'), lambda: write('/proc/sys/kernel/hostname'))",
        "fills the disk | contained(lambda: [write('@work@/%d' % i, 1 << 20) for i in range(200)])",
        "writes a huge file | contained(lambda: os.ftruncate(os.open('@work@/a', os.O_RDWR + os.O_CREAT), 1 << 40))",
        "kills the server | contained(lambda: libc.kill(1, 9), lambda: signal.pidfd_send_signal(os.pidfd_open(1), 9))",
        "stops the server | contained(lambda: libc.kill(1, 19), lambda: libc.tgkill(1, 1, 19))",
        "lowers the server's limits | contained(lambda: libc.prlimit(1, 0, ctypes.byref((ctypes.c_ulong * 2)(0, 0)), None))",
        "traces the server | contained(lambda: libc.ptrace(16, 1, 0, 0), lambda: libc.process_vm_readv(1, None, 0, None, 0, 0))",
        "mounts | contained(lambda: libc.mount(b'none', b'/tmp', b'tmpfs', 0, None), lambda: libc.umount2(b'/proc', 2), lambda: libc.syscall(442, 0))",
        "changes its root | contained(lambda: libc.chroot(b'/tmp'), lambda: libc.syscall(155, b'/tmp', b'/tmp'))",
        "makes namespaces | contained(lambda: libc.unshare(0x10000000), lambda: libc.unshare(0x20000000), lambda: libc.syscall(56, 0x10000000 + 17, 0, 0, 0, 0))",
        "becomes root | contained(lambda: libc.setuid(0), lambda: libc.setgid(0), lambda: os.setgroups([0]))",
        "makes devices | contained(lambda: libc.mknod(b'@work@/d', 0o60000, 0x800))",
        "uses kernel keyrings | contained(lambda: libc.syscall(248, b'user', b'a', b'b', 1, -3), lambda: libc.syscall(250, 0, -3, 1))",
        "uses io_uring | contained(lambda: libc.syscall(425, 4, None))",
        "loads kernel programs | contained(lambda: libc.syscall(321, 0, None, 0), lambda: libc.syscall(298, None, 0, -1, -1, 0))",
        "uses shared memory of the old kind | contained(lambda: libc.shmget(1, 4096, 0o1666), lambda: libc.msgget(1, 0o1666), lambda: libc.semget(1, 1, 0o1666))",
        "uses message queues | contained(lambda: libc.syscall(240, b'q', 0o102, 0o666, None))",
        "sets the clock and the host name | contained(lambda: time.clock_settime(time.CLOCK_REALTIME, 0), lambda: libc.sethostname(b'x', 1))",
        "types on a terminal | contained(lambda: __import__('fcntl').ioctl(1, 0x5412, b'x'))",
        "connects to this machine | contained(lambda: socket.create_connection(('127.0.0.1', 22), 1), lambda: socket.create_connection(('10.0.0.1', 80), 1))",
        "connects over IPv6 | contained(lambda: socket.create_connection(('::1', 22), 1))",
        "opens sockets of other families | contained(*[lambda n=n: socket.socket(n, k) for n in range(3, 46) if n != 10 for k in (1, 2, 3)])",
        "opens raw sockets | contained(lambda: socket.socket(2, 3, 1), lambda: socket.socket(10, 3, 1))",
        "shrinks the memory it shares with the judge | contained(*[lambda d=d: libc.ftruncate(d, 0) for d in range(3, 30)])",
        "takes all memory | contained(lambda: bytearray(2 << 30))",
      })
  void isContained(String attack, String expression) {
    Verdict verdict =
        judge(
            CONTAINED,
            "return "
                + expression
                    .replace("@cache@", cache.toString())
                    .replace("@work@", SandboxCommand.WORK_FOLDER));

    assertThat(verdict.passed()).as("%s: %s", attack, verdict.base().message()).isTrue();
    assertHonestProgramsStillPass();
  }

  @Nested
  class Bombs {

    @Test
    void aForkBombEndsWithItsRun() {
      judge(CONTAINED, "while True: libc.fork()");

      assertThat(judge(CONTAINED, ONLY_WE_ARE_HERE).passed()).isTrue();
    }

    @Test
    void manyProcessesShareOneMemoryLimit() {
      RunVerdict run =
          judge(
                  CONTAINED,
                  """
                  for i in range(6):
                      if libc.fork() == 0:
                          block = bytearray(300 << 20)
                          time.sleep(10)
                  time.sleep(10)
                  """)
              .base();

      assertThat(run.outcome()).isIn(Outcome.MEMORY, Outcome.TIMEOUT);
      assertThat(judge(CONTAINED, ONLY_WE_ARE_HERE).passed()).isTrue();
    }

    @Test
    void aFloodOfOutputTakesItsOwnMemoryOnly() {
      RunVerdict run = judge(CONTAINED, "while True: print('x' * 1_000_000)").base();

      assertThat(run.outcome()).isIn(Outcome.MEMORY, Outcome.TIMEOUT);
      assertHonestProgramsStillPass();
    }

    @Test
    void aFloodOnTheResultChannelIsTampering() {
      RunVerdict run =
          judge(
                  CONTAINED,
                  """
                  while True:
                      for d in range(3, 20):
                          try: os.write(d, b'x' * 65536)
                          except OSError: pass
                  """)
              .base();

      assertThat(run.outcome()).isEqualTo(Outcome.TAMPERED);
      assertHonestProgramsStillPass();
    }
  }

  private static final String ONLY_WE_ARE_HERE =
      """
      others = [p for p in os.listdir('/proc') if p.isdigit() and int(p) not in (1, os.getpid())]
      return 'contained' if not others else 'others are here: %s' % others
      """;

  @Nested
  class Cheats {

    @ParameterizedTest(name = "{0}")
    @CsvSource(
        delimiter = '|',
        quoteCharacter = '`',
        value = {
          "returns what is equal to all | type('Liar', (), {'__eq__': lambda s, o: True})()",
          "returns a string that lies | type('Liar', (str,), {'__eq__': lambda s, o: True, '__hash__': str.__hash__})('wrong')",
          "returns a mock | __import__('unittest.mock').mock.ANY",
          "returns what compares by a bent truth | type('Q', (), {'__eq__': lambda s, o: type('B', (), {'__bool__': lambda b: True})()})()",
          "looks for the answer in the frames | next((str(v) for f in iter(lambda: sys._getframe(1), None) for v in f.f_locals.values() if isinstance(v, str) and len(v) == 64), 'none')",
          "looks for the answer in the heap | next((o for o in __import__('gc').get_objects() if isinstance(o, str) and len(o) == 64), 'none')",
          "ends with success | os._exit(0)",
          "replaces numpy's comparison | [setattr(__import__('numpy'), 'allclose', lambda *a, **k: True), 0.5][1]",
          "replaces built-in names | [setattr(__import__('builtins'), n, lambda *a: True) for n in ('isinstance', 'len', 'abs', 'set', 'all', 'type')][0]",
        })
    void areNotRewarded(String cheat, String expression) {
      Verdict verdict = judge(SECRET, "return " + expression);

      assertThat(verdict.passed()).as(cheat).isFalse();
      assertHonestProgramsStillPass();
    }

    @Test
    void anObjectThatLiesIsFlagged() {
      Verdict verdict = judge(SECRET, "return type('Liar', (), {'__eq__': lambda s, o: True})()");

      assertThat(verdict.tampering())
          .hasValue("returned an object that says itself what it is equal to");
    }

    @Test
    void aForgedAnswerIsFlaggedAndFails() {
      Verdict verdict =
          judge(
              CONTAINED,
              """
              import struct
              for d in range(3, 20):
                  try: os.write(d, struct.pack('<8sBI', b'\\0' * 8, 8, 0))
                  except OSError: pass
              return 'contained'
              """);

      assertThat(verdict.base().outcome()).isEqualTo(Outcome.TAMPERED);
      assertThat(verdict.tampering()).hasValue("wrote to the channel of its answers");
      assertHonestProgramsStillPass();
    }

    @Test
    void scribblingOverTheAnswersIsFlaggedAndFails() {
      Verdict verdict =
          judge(
              CONTAINED,
              """
              for line in io.open('/proc/self/maps'):
                  if 'memfd:window' in line:
                      start, end = (int(n, 16) for n in line.split()[0].split('-'))
                      ctypes.memset(start, 0xff, end - start)
              os._exit(0)
              """);

      assertThat(verdict.base().outcome()).isEqualTo(Outcome.TAMPERED);
      assertThat(verdict.tampering()).hasValue("wrote to the channel of its answers");
      assertHonestProgramsStillPass();
    }

    @Test
    void closingTheChannelIsNoAnswer() {
      Verdict verdict = judge(CONTAINED, "os.closerange(3, 50)\nreturn 'contained'");

      assertThat(verdict.base().message()).isEqualTo("the process lost the channel of its answers");
      assertThat(verdict.passed()).isFalse();
    }

    @Test
    void aCancelledTimerDoesNotBuyTime() {
      Verdict verdict =
          judge(
              CONTAINED,
              "signal.setitimer(signal.ITIMER_REAL, 0)\ntime.sleep(3)\nreturn 'contained'");

      assertThat(verdict.passed()).isFalse();
      assertThat(verdict.base().outcome()).isEqualTo(Outcome.TIMEOUT);
      assertThat(verdict.tampered()).isTrue();
    }

    @Test
    void aSwallowedTimeoutDoesNotBuyTime() {
      Verdict verdict =
          judge(
              CONTAINED,
              """
              try: time.sleep(9)
              except Exception: pass
              return 'contained'
              """);

      assertThat(verdict.base().outcome()).isEqualTo(Outcome.TIMEOUT);
    }

    @Test
    void aPickleBombIsNoAnswer() {
      Verdict verdict =
          judge(
              CONTAINED,
              """
              class Bomb(list):
                  def __reduce__(self): return os._exit, (0,)
                  def __reduce_ex__(self, p): return os._exit, (0,)
              return Bomb(['contained'])
              """);

      assertThat(verdict.base().outcome()).isEqualTo(Outcome.WRONG_ANSWER);
    }
  }

  /** What a run leaves behind, as the next runs see it. */
  @Nested
  class NextSample {

    @ParameterizedTest(name = "{0}")
    @CsvSource(
        delimiter = '|',
        quoteCharacter = '`',
        value = {
          "a process that left its session | 'contained' if libc.fork() else [os.setsid(), libc.fork() and os._exit(0), time.sleep(60)] | [p for p in os.listdir('/proc') if p.isdigit() and int(p) not in (1, os.getpid())] == []",
          "files in the working folder | [write('left'), os.mkdir('d'), write('d/e'), os.listdir('.')] | os.listdir('.') == [] and os.listdir('/tmp') == ['work'] and os.listdir('/dev/shm') == []",
          "shared memory | write('/dev/shm/left') | os.listdir('/dev/shm') == []",
          "another folder and mask | [libc.chdir(b'/usr'), os.umask(0)] | os.listdir('.') == [] and os.umask(0o22) == 0o22",
          "variables | os.environ.__setitem__('LEFT', '1') | 'LEFT' not in os.environ",
          "modules | [setattr(__import__('math'), 'sqrt', None), sys.modules.__setitem__('left', os)] | __import__('math').sqrt(4) == 2 and 'left' not in sys.modules",
          "signal handlers | signal.signal(signal.SIGTERM, signal.SIG_IGN) | signal.getsignal(signal.SIGTERM) is signal.SIG_DFL",
          "open descriptors | [os.dup2(0, 40), os.dup2(0, 41)] | not os.path.exists('/proc/self/fd/40')",
          "a recursion limit | sys.setrecursionlimit(90) | sys.getrecursionlimit() == 1000",
          "a thread | __import__('threading').Thread(target=time.sleep, args=(60,)).start() | __import__('threading').active_count() == 1",
        })
    void findsNothingOf(String what, String poison, String clean) {
      judge(CONTAINED, "return " + poison);

      // Sandboxes take turns; after so many runs the one that was poisoned has had its own again.
      for (int i = 0; i < 4; i++) {
        Verdict next = judge(CONTAINED, "return 'contained' if " + clean + " else 'found'");
        assertThat(next.passed()).as("%s: %s", what, next.base().message()).isTrue();
      }
    }
  }
}
