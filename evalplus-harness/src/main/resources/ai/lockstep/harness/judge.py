"""Judges programs: holds the expected answers, lets a sandbox run a program, compares what comes back.

Reads requests from standard input and answers on standard output, one JSON object a line. Its first
line is the settings. A program's process never holds an expected answer, and only plain data comes
back from it (see `encode.py`), so a program can at most choose which answers it gives.
"""

import fcntl
import hashlib
import json
import math
import mmap
import os
import pickle
import reprlib
import resource
import select
import signal
import socket
import subprocess
import sys
import time

import numpy

# EvalPlus waits a second for the process to end, one more when it keeps all details, and one for
# the join, before it kills (evalplus/eval/__init__.py, untrusted_check).
GRACE_SECONDS, DETAILS_SECONDS = 2.0, 1.0

# A test that took its whole limit and this much longer, seen from outside, did not keep to its timer.
LATE_SECONDS = 0.5

# Longer texts no worker writes.
MOST_FRAME_BYTES = 1 << 16
FORGED = "wrote to the channel of its answers"

# Room for a value on its way: several times the expected one, and this much in any case.
ANSWER_BYTES, ANSWER_RATIO = 64 << 20, 16

# Values above this are compared in a process of its own, and never by meaning when they are expected.
LARGE_BYTES = 16 << 20
COMPARE_BYTES, COMPARE_SECONDS = 6 << 30, 60

JUDGE_BYTES = 4 << 30

# Expected answers of a task up to this size stay in memory, and tasks up to this size together.
IN_MEMORY_BYTES, RESIDENT_BYTES = 32 << 20, 256 << 20

# How often a running program's answers are looked at: at first, and later.
FIRST_LOOK_SECONDS, LATER_LOOK_SECONDS, LOOKS_UNTIL_LATER = 0.001, 0.005, 50

# Sandboxes of one judge: while one runs a program, the others clean up and start their next worker.
SANDBOXES = 4

READ_BYTES = 1 << 16
SANDBOX_SECONDS = 30
SANDBOX_TRIES = 3
REFERENCE_SECONDS = 1800


class SandboxLost(Exception):
    """The sandbox ended by itself."""


class ReferenceFailed(Exception):
    """The reference program does not do what a reference program must."""


class Worker:
    """This side of a worker: the socket and the window that it reports through."""

    def __init__(self):
        self.socket, self.theirs = socket.socketpair()
        self.socket.setblocking(False)
        self.descriptor = os.memfd_create("window", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(self.descriptor, WINDOW_BYTES)
        # A worker that made it shorter would take this process down with it.
        seals = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL
        fcntl.fcntl(self.descriptor, fcntl.F_ADD_SEALS, seals)
        self.memory = mmap.mmap(self.descriptor, WINDOW_BYTES)
        self.counts = memoryview(self.memory)[:ENDS_AT].cast("Q")

    def hand_over(self, control):
        socket.send_fds(control, [PARK], [self.theirs.fileno(), self.descriptor])
        self.close_theirs()

    def close_theirs(self):
        self.theirs.close()
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def prepare(self, plan):
        """Sends a job that is to start later."""
        self.secret = os.urandom(8)
        data = pickle.dumps(dict(plan.job, secret=self.secret))
        self.socket.settimeout(SANDBOX_SECONDS)
        try:
            self.socket.sendall(MESSAGE_LENGTH.pack(len(data)) + data)
        except OSError as e:
            raise SandboxLost(str(e)) from None
        self.socket.setblocking(False)

    def start(self):
        try:
            self.socket.send(START)
        except OSError as e:
            raise SandboxLost(str(e)) from None

    def read(self):
        """What has come: empty at the end, None when there is nothing yet."""
        try:
            return self.socket.recv(READ_BYTES)
        except BlockingIOError:
            return None
        except OSError:
            return b""

    def go_on(self):
        """Gives the window back empty."""
        self.counts[0] = self.counts[1] = 0
        try:
            self.socket.send(GO_ON)
        except OSError:
            pass  # it has ended

    def close(self):
        self.close_theirs()
        self.socket.close()
        self.counts.release()
        self.memory.close()


class Sandbox:
    """One server in its sandbox, with a worker that waits for a job or runs it."""

    def __init__(self, settings, index):
        self.settings = settings
        ours, theirs = socket.socketpair()
        server = dict(settings["server"], control=theirs.fileno(), memory_bytes=settings["memory_bytes"])
        if server["user"] is not None:
            server["user"] += index
        try:
            self.process = subprocess.Popen(
                [*settings["command"], "-c", settings["bootstrap"], settings["program"], json.dumps(server)],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        self.control = ours
        self.owed = 1  # messages that the server will send: now that it is there
        self.worker = None
        self.park()

    def park(self):
        """Has a worker started for the next run; its server does so when it has cleaned up."""
        self.worker = Worker()
        self.ready = False  # for a job
        self.plan = None  # its job
        self.decided = False  # and not released yet
        try:
            self.worker.hand_over(self.control)
        except OSError:
            pass  # found lost when it is waited for
        self.owed += 1

    def wait(self, seconds):
        """Whether, in that time, the worker is ready for a job; raises SandboxLost when it never will be."""
        if self.plan:
            return False
        deadline = time.monotonic() + seconds
        poll = select.poll()
        poll.register(self.control, select.POLLIN)
        poll.register(self.worker.socket, select.POLLIN)
        while not self.ready:
            found = dict(poll.poll(1000 * max(0, deadline - time.monotonic())))
            if not found:
                return False
            if self.worker.socket.fileno() in found:
                if self.worker.read() != READY:
                    raise SandboxLost("no worker starts")
                self.ready = True
            while self.owed > 1 and (self.ready or self.control.fileno() in found):
                self.check(self.receive())
                found = {}
        return True

    def prepare(self, plan):
        self.plan = plan
        self.worker.prepare(plan)

    def check(self, said):
        if said.get("sandboxed", self.settings["sandboxed"]) != self.settings["sandboxed"]:
            raise SandboxLost("the server is not process 1 of a sandbox")
        if not said.get("clean", True):
            raise SandboxLost("a run left what cannot be removed")

    def tell(self, message):
        try:
            self.control.sendall(message)
        except OSError as e:
            raise SandboxLost(str(e)) from None

    def receive(self):
        self.owed -= 1
        return json.loads(self._exactly(*MESSAGE_LENGTH.unpack(self._exactly(MESSAGE_LENGTH.size))))

    def _exactly(self, count):
        data = b""
        deadline = time.monotonic() + SANDBOX_SECONDS
        while len(data) < count:
            self.control.settimeout(max(0.001, deadline - time.monotonic()))
            try:
                part = self.control.recv(count - len(data))
            except OSError as e:
                raise SandboxLost(str(e)) from None
            finally:
                self.control.settimeout(None)
            if not part:
                raise SandboxLost("the server ended")
            data += part
        return data

    def release(self):
        """After a run: ends what is left of it and gets ready for the next."""
        self.worker.close()
        try:
            self.tell(STOP)
        except SandboxLost:
            pass  # found when it is waited for
        self.park()

    def close(self):
        self.worker.close()
        self.control.close()
        self.process.kill()
        self.process.wait()


class Expected:
    """Expected answers of a task's base or plus tests: encoded values, seconds, what is known of them."""

    def __init__(self, path):
        with open(path, "rb") as f:
            header = json.loads(f.readline())
            start = f.tell()
            self.seconds = header["seconds"]
            self.floats = header["floats"]
            self.plain = header["plain"]
            self.sizes = header["sizes"]
            # Where each value starts, and where the last one ends.
            self.offsets = numpy.cumsum([start, *self.sizes], dtype=numpy.uint64)
            self.starts = self.offsets.tolist()
            self.values = {}
            self.data = None
            self.path = path
            if self.starts[-1] <= IN_MEMORY_BYTES:
                f.seek(0)
                self.data = f.read()
            self.held_bytes = len(self.data or b"")  # in memory, about

    def read(self, start, end):
        if self.data is not None:
            return self.data[start:end]
        with open(self.path, "rb") as f:
            f.seek(start)
            return f.read(end - start)

    def piece(self, index, start, length):
        at = self.starts[index] + start
        return self.read(at, min(at + length, self.starts[index + 1]))

    def value(self, index):
        """The value itself; kept for later runs, since no oracle changes it."""
        if index in self.values:
            return self.values[index]
        value = decode(self.piece(index, 0, self.sizes[index]))
        if self.sizes[index] <= LARGE_BYTES:
            self.values[index] = value
            self.held_bytes += self.sizes[index]
        return value

    def are(self, index, ends, data):
        """Whether answers are byte for byte the expected ones from an index on, and those are equal to themselves.

        ends: where in `data`, bytes, each of the answers ends.
        """
        after = index + len(ends)
        start = self.starts[index]
        return (
            all(self.plain[index:after])
            and bool((self.offsets[index + 1 : after + 1] - numpy.uint64(start) == ends).all())
            and self.read(start, start + len(data)) == data
        )

    @staticmethod
    def write(path, answers):
        """answers: (seconds, encoded value) of every test."""
        header = {"seconds": [], "sizes": [], "floats": [], "plain": []}
        for seconds, data in answers:
            small = len(data) <= LARGE_BYTES
            header["seconds"].append(seconds)
            header["sizes"].append(len(data))
            header["floats"].append(small and is_floats(decode(data)))
            # NaN is not equal to itself: equal bytes then prove nothing.
            header["plain"].append(not small or bool(decode(data) == decode(data)))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        temporary = f"{path}.{os.getpid()}"
        try:
            with open(temporary, "wb") as f:
                f.write(json.dumps(header).encode() + b"\n")
                for _, data in answers:
                    f.write(data)
            os.replace(temporary, path)
        except BaseException:
            if os.path.exists(temporary):
                os.unlink(temporary)
            raise


class Task:
    """One task of a request; its tests' arguments are kept as workers get them."""

    def __init__(self, fields):
        self.key = fields["key"]
        self.dataset = fields["dataset"]
        self.suite = fields["suite"]
        self.task_id = fields["task_id"]
        self.entry_point = fields["entry_point"]
        self.reference = fields["reference"]
        self.atol = fields["atol"]
        self.tests = {}
        self.inputs = {}
        for name in ("base", "plus"):
            tests = arguments(self.task_id, json.loads(fields["tests"][name]))
            self.tests[name] = len(tests)
            self.inputs[name] = pickle.dumps(tests, pickle.HIGHEST_PROTOCOL)
        self.expected = {}
        self.limits = {}

    def held_bytes(self):
        inputs, expected = self.inputs.values(), self.expected.values()
        return sum(len(each) for each in inputs) + sum(each.held_bytes for each in expected)


class Answer:
    """A value on its way: compared as it comes, kept from where it differs from the expected one."""

    def __init__(self, expected, index, took):
        self.expected = expected
        self.index = index
        self.took = took  # seconds of the call, seen from here
        self.length = 0
        self.same = 0
        self.rest = []
        self.too_long = False
        self.limit = max(ANSWER_BYTES, ANSWER_RATIO * expected.sizes[index]) if expected else math.inf

    def add(self, data):
        self.length += len(data)
        if self.length > self.limit:
            self.too_long = True
            self.rest = []
            return
        if self.expected and not self.rest:
            if self.expected.piece(self.index, self.same, len(data)) == data:
                self.same += len(data)
                return
        self.rest.append(data)

    def equal(self):
        return not self.rest and not self.too_long and self.same == self.expected.sizes[self.index]

    def data(self):
        return self.expected.piece(self.index, 0, self.same) + b"".join(self.rest)


class Plan:
    """What one run is to be; without expected answers it is to give them."""

    def __init__(self, task, name, expected, fail_fast, budget, job):
        self.task = task
        self.name = name
        self.expected = expected
        self.fail_fast = fail_fast
        self.budget = budget  # seconds
        self.job = dict(job, entry_point=task.entry_point, inputs=task.inputs[name])


class Run:
    """One run: reads what the worker reports, compares, and knows how it ends."""

    def __init__(self, plan, secret):
        task = plan.task
        self.expected = plan.expected
        self.inputs = plan.job["inputs"]
        self.unpickled = None
        self.tests = task.tests[plan.name]
        self.fail_fast = plan.fail_fast
        self.secret = secret
        self.limits = plan.job["limits"]
        self.oracle = Oracle(task.suite, task.entry_point, task.atol)
        self.buffer = bytearray()
        self.in_window = 0  # tests of the window that were taken
        self.position = REPORTS_AT  # and where they end
        self.details = []
        self.answer = None
        self.answers = []  # of a reference program
        self.loaded = False
        self.done = False
        self.crashed = False
        self.uncaught = False  # EvalPlus does not survive the next failing test
        self.failed = False  # and there is nothing more to wait for
        self.outcome = "passed"
        self.message = ""
        self.first_failed = None
        self.tampering = None
        self.test_seconds = 0.0  # by the worker's clock, which a program can change
        self.since = time.monotonic()

    def feed(self, data, worker):
        self.buffer += data
        at = 0
        while not self.failed and len(self.buffer) - at >= HEADER.size:
            secret, kind, length = HEADER.unpack_from(self.buffer, at)
            if secret != self.secret or kind > DONE or length > MOST_FRAME_BYTES or self.done:
                self.tampered(FORGED)
                return
            if len(self.buffer) - at < HEADER.size + length:
                break
            at += HEADER.size
            self.frame(kind, bytes(self.buffer[at : at + length]), worker)
            at += length
        del self.buffer[:at]

    def frame(self, kind, text, worker):
        if self.loaded == (kind in (LOAD_FAILED, NO_ENTRY_POINT, LOADED)):
            self.tampered(FORGED)
        elif kind == LOADED:
            self.loaded = True
            self.since = time.monotonic()
        elif kind == LOAD_FAILED:
            message = text[1:].decode("utf-8", "replace")
            self.fail("syntax_error" if text[:1] == b"S" else exception_outcome(message), message, None)
            self.failed = True
        elif kind == NO_ENTRY_POINT:
            self.fail("missing_entry_point", "the program does not define the entry point", None)
            self.failed = True
        elif kind == NOTE:
            self.tampering = self.tampering or text.decode("utf-8", "replace")
        elif kind == FULL:
            self.take(worker)
            self.take_part(worker)
        elif kind == DONE:
            self.take(worker)
            if not self.failed and len(self.details) < self.tests:
                self.tampered(self.tampering or "answered too few tests")
            self.done = True

    def take(self, worker):
        """Takes the tests that the window shows and did not show before."""
        count = worker.counts[0]
        if count == self.in_window or self.failed:
            return
        index = len(self.details)
        news = count - self.in_window
        if not (0 < news <= self.tests - index and count <= WINDOW_TESTS):
            self.tampered(FORGED)
            return
        ends = numbers(worker.memory, ENDS_AT, numpy.uint64, self.in_window, count)
        seconds = numbers(worker.memory, SECONDS_AT, numpy.float64, self.in_window, count)
        last = int(ends[-1]) & POSITION_MASK
        if not (self.position <= last <= WINDOW_BYTES and 0 <= seconds.min() and seconds.max() <= REFERENCE_SECONDS):
            self.tampered(FORGED)
            return
        self.test_seconds += float(seconds.sum())
        took = time.monotonic() - self.since
        start = self.position
        reports = worker.memory[start:last]
        if not self.all_equal(index, ends - numpy.uint64(start), reports, took):
            for end, each in zip(ends.tolist(), seconds.tolist()):
                position = end & POSITION_MASK
                if not self.position <= position <= last:
                    self.tampered(FORGED)
                    return
                self.uncaught = self.uncaught or end >= UNCAUGHT
                ending = (end & ~UNCAUGHT) >> ENDING_SHIFT
                self.called(ending, reports[self.position - start : position - start], each, took)
                if self.failed:
                    return
                self.position = position
                took = 0
        self.position = last
        self.in_window = count
        self.since = time.monotonic()

    def all_equal(self, index, ends, reports, took):
        """Takes answers that are all the expected ones, byte for byte, at once."""
        if self.expected is None or self.answer or self.oracle.root or took > self.limits[index] + LATE_SECONDS:
            return False
        if not self.expected.are(index, ends, reports):
            return False
        after = index + len(ends)
        self.oracle.accepts_equal(any(self.expected.floats[index:after]))
        self.details += [True] * len(ends)
        return True

    def take_part(self, worker):
        """Takes the first part of a value that does not fit in what is left of the window, which is then empty."""
        length = worker.counts[1]
        if self.failed:
            return
        if length > WINDOW_BYTES - self.position or (length and len(self.details) >= self.tests):
            self.tampered(FORGED)
            return
        if length:
            took = time.monotonic() - self.since
            self.answer = self.answer or Answer(self.expected, len(self.details), took)
            self.answer.add(worker.memory[self.position : self.position + length])
            self.since = time.monotonic()
        self.in_window = 0
        self.position = REPORTS_AT
        worker.go_on()

    def called(self, ending, report, seconds, took):
        """How a call ended: with a value, of which parts may have come before, or without one."""
        index = len(self.details)
        if ending == RETURNED:
            answer = self.answer or Answer(self.expected, index, took)
            self.answer = None
            answer.add(report)
            self.returned(answer, index, seconds)
            return
        text = report.decode("utf-8", "replace")
        if ending == RAISED:
            self.test_failed(exception_outcome(text), text)
        elif ending == TIMED_OUT:
            self.test_failed("timeout", "the call ran past its limit")
        elif ending == NOT_PLAIN:
            self.test_failed("wrong_answer", "the returned value is no plain data: " + text)
        else:
            self.tampered(FORGED)

    def returned(self, answer, index, seconds):
        if self.expected is None:
            self.answers.append((seconds, b"".join(answer.rest)))
            self.details.append(True)
        elif answer.too_long:
            self.test_failed("output_limit", f"the returned value takes more than {answer.limit} bytes")
        elif answer.took > self.limits[index] + LATE_SECONDS:
            self.tampering = self.tampering or "a call ran past its limit and was not stopped"
            self.test_failed("timeout", "the call ran past its limit")
        elif answer.equal() and self.expected.plain[index] and not self.oracle.root:
            self.oracle.accepts_equal(self.expected.floats[index])
            self.details.append(True)
        elif answer.length > LARGE_BYTES or self.expected.sizes[index] > LARGE_BYTES:
            self.test_judged(self.compare_apart(answer, index), None)
        else:
            try:
                value = decode(answer.data())
            except (ValueError, MemoryError):
                self.tampered(FORGED)
                return
            self.test_judged(self.oracle.accepts(value, self.expected.value(index), self.arguments(index)), value)

    def arguments(self, index):
        """Of a test, for the oracles that read them."""
        if not self.oracle.reads_arguments:
            return None
        if self.unpickled is None:
            self.unpickled = pickle.loads(self.inputs)
        return self.unpickled[index]

    def compare_apart(self, answer, index):
        """In a process with limits: a long answer may take any time and memory to compare."""
        pid = os.fork()
        if pid == 0:
            right = False
            try:
                resource.setrlimit(resource.RLIMIT_AS, (COMPARE_BYTES, COMPARE_BYTES))
                signal.alarm(COMPARE_SECONDS)
                right = self.oracle.accepts(
                    decode(answer.data()), self.expected.value(index), self.arguments(index)
                )
            finally:
                os._exit(10 if right else 11)
        right = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 10
        self.oracle.accepts_equal(self.expected.floats[index])
        return right

    def test_judged(self, right, value):
        if right:
            self.details.append(True)
            return
        if overrides_equality(value):
            self.tampering = self.tampering or "returned an object that says itself what it is equal to"
        self.test_failed("wrong_answer", "returned " + shown(value))

    def test_failed(self, outcome, message):
        if self.uncaught:
            self.fail("crashed", "a test failed after the program had replaced BaseException", len(self.details))
            self.crashed = self.failed = True
            return
        self.fail(outcome, message, len(self.details))
        self.details.append(False)
        self.answer = None
        if self.fail_fast:
            self.failed = True

    def fail(self, outcome, message, index):
        if self.outcome == "passed":
            self.outcome, self.message, self.first_failed = outcome, message, index

    def tampered(self, how):
        self.tampering = how
        self.fail("tampered", how, len(self.details))
        self.failed = True

    def verdict(self, reply, over_budget):
        """EvalPlus's status and the rest, when nothing more will come."""
        reached = len(self.details)
        if self.failed:
            status = "timeout" if self.crashed else "fail"
        elif self.done:
            status = "pass" if all(self.details) else "fail"
        elif over_budget:
            status = "timeout"
            self.fail("timeout", "the run took longer than all its tests may", reached)
        elif reply["reason"] == "memory":
            status = "timeout"
            self.fail("memory", "the processes of the program took more memory than it may have", reached)
        else:
            status = "timeout"
            self.fail("crashed", ending(reply["exit"]), reached)
        if status == "pass" and self.outcome != "passed":
            raise AssertionError(f"a run that passed has outcome {self.outcome}")
        return {
            "status": status,
            "outcome": self.outcome,
            "message": self.message,
            "tests": self.tests,
            "details": "".join("1" if d else "0" for d in self.details),
            "first_failed": self.first_failed,
            "tampering": self.tampering,
            "test_seconds": self.test_seconds,
        }


def exception_outcome(text):
    return "memory" if text.startswith("MemoryError") else "exception"


def overrides_equality(value):
    if isinstance(value, (list, tuple)):
        return any(isinstance(v, Opaque) and v.overrides_equality for v in value)
    return isinstance(value, Opaque) and value.overrides_equality


def shown(value):
    if isinstance(value, Opaque):
        return "an object of a class that no expected answer has"
    try:
        return reprlib.repr(value)
    except Exception:
        return f"a {type(value).__name__}"


def ending(code):
    if code < 0:
        return f"the process was killed by {signal.Signals(-code).name}"
    if code == 77:
        return "the process lost the channel of its answers"
    return f"the process exited with code {code} before its tests were through"


class Judge:
    def __init__(self, settings):
        self.settings = settings
        self.sandboxes = []  # the one that was used last is the last
        self.tasks = {}

    def answer(self, request):
        if "check" in request:
            self.discard()
            self.sandboxes.append(Sandbox(self.settings, 0))
            if not self.sandboxes[0].wait(SANDBOX_SECONDS):
                raise SandboxLost("it does not start")
            return {"sandboxed": self.settings["sandboxed"]}
        if "task" in request:
            task = Task(request["task"])
            self.tasks.pop(task.key, None)
            self.tasks[task.key] = task
            while len(self.tasks) > 1 and sum(t.held_bytes() for t in self.tasks.values()) > RESIDENT_BYTES:
                del self.tasks[next(iter(self.tasks))]
        task = self.tasks.get(request["key"])
        if task is None:
            return {"unknown_task": True}
        plans = [self.plan(task, name, request) for name in request["runs"]]
        return {plan.name: self.judge(plan, later) for plan, later in zip(plans, [*plans[1:], None])}

    def plan(self, task, name, request):
        expected = self.expected(task, name)
        factor = self.settings["machine_factor"]
        if name not in task.limits:
            least, times = self.settings["min_test_seconds"], self.settings["reference_factor"]
            task.limits[name] = [factor * max(least, times * seconds) for seconds in expected.seconds]
        limits = task.limits[name]
        budget = min(factor * self.settings["run_seconds"], sum(limits)) + GRACE_SECONDS
        if not request["fail_fast"]:
            budget += DETAILS_SECONDS
        job = {
            "program": request["program"],
            "limits": limits,
            "memory_bytes": self.settings["memory_bytes"],
            "shape": shape(task.suite, task.entry_point),
            "reference": False,
        }
        return Plan(task, name, expected, request["fail_fast"], budget, job)

    def judge(self, plan, later):
        started = time.monotonic()
        run, reply, over_budget = self.execute(plan, later)
        verdict = run.verdict(reply, over_budget)
        verdict["seconds"] = time.monotonic() - started
        return verdict

    def execute(self, plan, later):
        """Runs a plan until it is decided; again in new sandboxes when the one it ran in was lost."""
        lost = None
        for _ in range(SANDBOX_TRIES):
            try:
                return self.attempt(plan, later)
            except SandboxLost as e:
                lost = e
                self.discard()
        raise lost

    def sandbox_for(self, plan):
        """One whose worker has the plan's job; while all clean up another is started, to be there later."""
        found = next((sandbox for sandbox in self.sandboxes if sandbox.plan is plan), None) or self.prepared(plan)
        if found is None:
            self.tidy()
            if len(self.sandboxes) < SANDBOXES:
                self.sandboxes.append(Sandbox(self.settings, len(self.sandboxes)))
            found = self.sandboxes[0]
            if not found.wait(SANDBOX_SECONDS):
                raise SandboxLost("it does not start")
            found.prepare(plan)
        self.sandboxes.remove(found)
        self.sandboxes.append(found)
        return found

    def prepared(self, plan):
        """A sandbox that was ready for the plan's job and now has it, or None."""
        ready = next((sandbox for sandbox in self.sandboxes if sandbox.wait(0)), None)
        if ready:
            ready.prepare(plan)
        return ready

    def discard(self):
        while self.sandboxes:
            self.sandboxes.pop().close()

    def tidy(self):
        """What can wait until a program is running or has been answered."""
        for sandbox in self.sandboxes:
            if sandbox.decided:
                sandbox.release()

    def attempt(self, plan, later):
        sandbox = self.sandbox_for(plan)
        sandbox.worker.start()
        if not plan.job["reference"]:
            sandbox.tell(WATCH)
        run = Run(plan, sandbox.worker.secret)
        deadline = time.monotonic() + plan.budget
        self.tidy()
        if later:
            self.prepared(later)
        reply, over_budget = self.follow(run, sandbox, deadline)
        sandbox.decided = True
        return run, reply, over_budget

    def follow(self, run, sandbox, deadline):
        """Takes reports as they come until the run is decided, ends or is over its budget.

        Gives what the server told of the run's end, if that was waited for, and whether it was over.
        """
        worker, control = sandbox.worker, sandbox.control
        poll = select.poll()
        poll.register(worker.socket, select.POLLIN)
        poll.register(control, select.POLLIN)
        looks = 0
        listening = True
        while True:
            ready = dict(poll.poll(1000 * look_seconds(looks)))
            looks += 1
            # First whether it has ended: what it reported before is all here then.
            reply = sandbox.receive() if control.fileno() in ready else None
            while listening and not run.failed and (data := worker.read()) is not None:
                run.feed(data, worker)
                if not data:
                    poll.unregister(worker.socket)
                    listening = False
                if not reply:
                    break  # there may be ever more, and this has a deadline
            if run.loaded and not run.done:
                run.take(worker)
            if run.failed or run.done:
                return reply, False
            if reply:
                return reply, False
            if time.monotonic() > deadline:
                return reply, True

    def expected(self, task, name):
        if name not in task.expected:
            folder = os.path.join(self.settings["expected_folder"], task.dataset)
            digest = hashlib.sha256(task.reference.encode("utf-8", "surrogatepass")).hexdigest()[:16]
            path = os.path.join(folder, f"{task.task_id.replace('/', '_')}-{name}-{digest}")
            if not os.path.exists(path):
                os.makedirs(folder, exist_ok=True)
                with open(path + ".lock", "w") as lock:
                    fcntl.flock(lock, fcntl.LOCK_EX)
                    if not os.path.exists(path):
                        say({"computing": path})
                        Expected.write(path, self.run_reference(task, name))
                    try:
                        os.unlink(path + ".lock")
                    except FileNotFoundError:
                        pass  # another judge waited for the same file and has removed it
            task.expected[name] = Expected(path)
        return task.expected[name]

    def run_reference(self, task, name):
        """(seconds, encoded value) of every test, by the reference program."""
        tests = task.tests[name]
        reported = "is_not_none" if task.suite == "mbpp" and task.entry_point in NOT_NONE else "value"
        job = {
            "program": task.reference,
            "limits": [0.0] * tests,
            "memory_bytes": 0,
            "shape": reported,
            "reference": True,
        }
        run, reply, over_budget = self.execute(Plan(task, name, None, True, REFERENCE_SECONDS, job), None)
        if not run.done or len(run.answers) != tests:
            verdict = run.verdict(reply, over_budget)
            at = "" if verdict["first_failed"] is None else f" {verdict['first_failed']}"
            raise ReferenceFailed(
                f"the reference solution of {task.task_id} fails on {name} test{at}: {verdict['message']}"
            )
        return run.answers


def look_seconds(looks):
    """How long to wait for more after so many looks."""
    return FIRST_LOOK_SECONDS if looks < LOOKS_UNTIL_LATER else LATER_LOOK_SECONDS


def numbers(memory, start, kind, first, after):
    """A copy of some of the 8-byte numbers that start there."""
    return numpy.frombuffer(memory[start + 8 * first : start + 8 * after], kind)


def say(message):
    answers.write(json.dumps(message) + "\n")
    answers.flush()


def main():
    # A short answer can describe a large value; this process must not grow with it.
    resource.setrlimit(resource.RLIMIT_AS, (JUDGE_BYTES, resource.getrlimit(resource.RLIMIT_AS)[1]))
    judge = Judge(json.loads(sys.stdin.readline()))
    try:
        for line in sys.stdin:
            try:
                say(judge.answer(json.loads(line)))
            except SandboxLost as e:
                say({"sandbox_lost": str(e)})
            except ReferenceFailed as e:
                say({"reference_failed": str(e)})
            judge.tidy()
    finally:
        judge.discard()


if __name__ == "judge":
    answers, sys.stdout = sys.stdout, sys.stderr
    main()
