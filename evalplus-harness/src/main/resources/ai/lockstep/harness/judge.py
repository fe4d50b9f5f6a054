"""Judges programs: holds the expected answers, lets a sandbox run a program, compares what comes back.

Reads requests from standard input and answers on standard output, one JSON object a line. Its first
line is the settings. A program's process never holds an expected answer, and only plain data comes
back from it (see `encode.py`), so a program can at most choose which answers it gives.
"""

import errno
import fcntl
import hashlib
import json
import math
import os
import pickle
import reprlib
import resource
import select
import signal
import socket
import struct
import subprocess
import sys
import time

# Kinds of frames and their head, as in `worker.py`.
PART, LOADED, RETURNED, RAISED, TIMED_OUT, NOT_PLAIN, LOAD_FAILED, NO_ENTRY_POINT, DONE, NOTE, UNCAUGHT = range(11)
HEADER = struct.Struct("<8sBI")
SECONDS = struct.Struct("<d")

# Tasks whose arguments a sandbox keeps, as in `server.py`.
KEPT_TASKS = 8

# EvalPlus waits a second for the process to end, one more when it keeps all details, and one for
# the join, before it kills (evalplus/eval/__init__.py, untrusted_check).
GRACE_SECONDS, DETAILS_SECONDS = 2.0, 1.0

# A test that took its whole limit and this much longer, seen from outside, did not keep to its timer.
LATE_SECONDS = 0.5

# Longer frames no worker writes.
MOST_FRAME_BYTES = 2 << 20
FORGED = "wrote to the channel of its answers"

# Room for a value on its way: several times the expected one, and this much in any case.
ANSWER_BYTES, ANSWER_RATIO = 64 << 20, 16

# Values above this are compared in a process of its own, and never by meaning when they are expected.
LARGE_BYTES = 16 << 20
COMPARE_BYTES, COMPARE_SECONDS = 6 << 30, 60

JUDGE_BYTES = 4 << 30

# Expected answers of a task up to this size stay in memory.
RESIDENT_BYTES, RESIDENT_TASKS = 32 << 20, 64

# How often a running program's answers are looked at: at first, and later.
FIRST_LOOK_SECONDS, LATER_LOOK_SECONDS, LOOKS_UNTIL_LATER = 0.001, 0.005, 50

PIPE_BYTES = 1 << 20
SANDBOX_TRIES = 3
REFERENCE_SECONDS = 1800

F_SETPIPE_SZ = 1031


class SandboxLost(Exception):
    """The sandbox ended by itself."""


class ReferenceFailed(Exception):
    """The reference program does not do what a reference program must."""


class Sandbox:
    """One server in its sandbox, and the tasks whose arguments it has."""

    def __init__(self, settings):
        ours, theirs = socket.socketpair()
        try:
            server = dict(settings["server"], control=theirs.fileno())
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
        self.keys = {}
        try:
            ready = self.receive(30)
        except SandboxLost:
            self.close()
            raise
        if ready["sandboxed"] != settings["sandboxed"]:
            self.close()
            raise SandboxLost("the server is not process 1 of a sandbox")

    def start(self, job, key, arguments, descriptor):
        job["key"] = key
        if key not in self.keys:
            job["inputs"] = arguments()
        self.keys.pop(key, None)
        self.keys[key] = True
        while len(self.keys) > KEPT_TASKS:
            del self.keys[next(iter(self.keys))]
        data = pickle.dumps(job)
        try:
            length = struct.pack("<I", len(data))
            socket.send_fds(self.control, [length], [descriptor])
            self.control.sendall(data)
        except OSError as e:
            raise SandboxLost(str(e)) from None

    def stop(self):
        """Asks for the end of the run; one that has ended just then is no error."""
        try:
            self.control.sendall(struct.pack("<I", 0))
        except OSError as e:
            raise SandboxLost(str(e)) from None

    def receive(self, seconds):
        data = self._exactly(4, time.monotonic() + seconds)
        return pickle.loads(self._exactly(struct.unpack("<I", data)[0], time.monotonic() + seconds))

    def _exactly(self, count, deadline):
        data = b""
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

    def close(self):
        self.control.close()
        self.process.kill()
        self.process.wait()


class Expected:
    """Expected answers of a task's base or plus tests: encoded values, seconds, what is known of them."""

    def __init__(self, path):
        with open(path, "rb") as f:
            head = f.readline()
            header = json.loads(head)
            self.seconds = header["seconds"]
            self.floats = header["floats"]
            self.plain = header["plain"]
            self.sizes = header["sizes"]
            self.offsets = [len(head)]
            for size in self.sizes:
                self.offsets.append(self.offsets[-1] + size)
            self.bytes = self.offsets[-1]
            self.data = None
            self.path = path
            if self.bytes <= RESIDENT_BYTES:
                f.seek(0)
                self.data = f.read()
        self.values = {}

    def piece(self, index, start, length):
        at = self.offsets[index] + start
        end = min(at + length, self.offsets[index + 1])
        if self.data is not None:
            return self.data[at:end]
        with open(self.path, "rb") as f:
            f.seek(at)
            return f.read(end - at)

    def value(self, index):
        """The value itself; kept for later runs, since no oracle changes it."""
        if index not in self.values:
            value = decode(self.piece(index, 0, self.sizes[index]))
            if self.sizes[index] > LARGE_BYTES:
                return value
            self.values[index] = value
        return self.values[index]

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
    """One task of a request, with its parsed arguments."""

    def __init__(self, fields):
        self.key = fields["key"]
        self.dataset = fields["dataset"]
        self.suite = fields["suite"]
        self.task_id = fields["task_id"]
        self.entry_point = fields["entry_point"]
        self.reference = fields["reference"]
        self.atol = fields["atol"]
        self.tests = {
            name: arguments(self.task_id, json.loads(fields["tests"][name])) for name in ("base", "plus")
        }
        self.expected = {}

    def pickled(self, name):
        return pickle.dumps(self.tests[name], pickle.HIGHEST_PROTOCOL)


class Answer:
    """A value on its way: compared as it comes, kept from where it differs from the expected one."""

    def __init__(self, expected, index, seconds):
        self.expected = expected
        self.index = index
        self.seconds = seconds
        self.length = 0
        self.same = 0
        self.rest = []
        self.too_long = False
        self.arrived = time.monotonic()
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


class Run:
    """One run: reads the worker's frames, compares, and knows how it ends."""

    def __init__(self, task, name, expected, fail_fast, secret, limits):
        self.expected = expected
        self.arguments = task.tests[name]
        self.tests = len(self.arguments)
        self.fail_fast = fail_fast
        self.secret = secret
        self.limits = limits
        self.oracle = Oracle(task.suite, task.entry_point, task.atol)
        self.buffer = bytearray()
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

    def feed(self, data):
        self.buffer += data
        at = 0
        while not self.failed and len(self.buffer) - at >= HEADER.size:
            secret, kind, length = HEADER.unpack_from(self.buffer, at)
            if secret != self.secret or kind > UNCAUGHT or length > MOST_FRAME_BYTES or self.done:
                self.tampered(FORGED)
                return
            if len(self.buffer) - at < HEADER.size + length:
                break
            at += HEADER.size
            self.frame(kind, bytes(self.buffer[at : at + length]))
            at += length
        del self.buffer[:at]

    def frame(self, kind, payload):
        index = len(self.details)
        if self.loaded == (kind in (LOAD_FAILED, NO_ENTRY_POINT, LOADED)):
            self.tampered(FORGED)
        elif kind == LOADED:
            self.loaded = True
            self.since = time.monotonic()
        elif kind == LOAD_FAILED:
            text = payload[1:].decode("utf-8", "replace")
            self.fail("syntax_error" if payload[:1] == b"S" else exception_outcome(text), text, None)
            self.failed = True
        elif kind == NO_ENTRY_POINT:
            self.fail("missing_entry_point", "the program does not define the entry point", None)
            self.failed = True
        elif kind == NOTE:
            self.tampering = self.tampering or payload.decode("utf-8", "replace")
        elif kind == UNCAUGHT:
            self.uncaught = True
        elif kind == DONE:
            if index < self.tests:
                self.tampered(self.tampering or "answered too few tests")
            self.done = True
        elif index >= self.tests:
            self.tampered(FORGED)
        elif kind == NOT_PLAIN:
            text = payload.decode("utf-8", "replace")
            self.test_failed("wrong_answer", "the returned value is no plain data: " + text)
        else:
            self.called(kind, payload, index)

    def called(self, kind, payload, index):
        """How a call ended: with a value, which may come in parts, or without one."""
        if self.answer is None:
            seconds = SECONDS.unpack_from(payload)[0] if len(payload) >= SECONDS.size else -1
            if not 0 <= seconds <= REFERENCE_SECONDS:
                self.tampered(FORGED)
                return
            payload = payload[SECONDS.size :]
            self.test_seconds += seconds
            self.answer = Answer(self.expected, index, seconds)
        if kind in (PART, RETURNED):
            self.answer.add(payload)
        if kind == RETURNED:
            self.returned(index)
        elif kind == RAISED:
            text = payload.decode("utf-8", "replace")
            self.test_failed(exception_outcome(text), text)
        elif kind == TIMED_OUT:
            self.test_failed("timeout", "the call ran past its limit")

    def returned(self, index):
        answer, self.answer = self.answer, None
        took = answer.arrived - self.since
        if self.expected is None:
            self.answers.append((answer.seconds, b"".join(answer.rest)))
            self.details.append(True)
            return
        if answer.too_long:
            self.test_failed("output_limit", f"the returned value takes more than {answer.limit} bytes")
            return
        if took > self.limits[index] + LATE_SECONDS:
            self.tampering = self.tampering or "a call ran past its limit and was not stopped"
            self.test_failed("timeout", "the call ran past its limit")
            return
        if answer.equal() and self.expected.plain[index] and not self.oracle.root:
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
            self.test_judged(self.oracle.accepts(value, self.expected.value(index), self.arguments[index]), value)
        self.since = time.monotonic()

    def compare_apart(self, answer, index):
        """In a process with limits: a long answer may take any time and memory to compare."""
        pid = os.fork()
        if pid == 0:
            right = False
            try:
                resource.setrlimit(resource.RLIMIT_AS, (COMPARE_BYTES, COMPARE_BYTES))
                signal.alarm(COMPARE_SECONDS)
                right = self.oracle.accepts(
                    decode(answer.data()), self.expected.value(index), self.arguments[index]
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
        self.since = time.monotonic()
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
        self.sandbox = None
        self.tasks = {}

    def answer(self, request):
        if "check" in request:
            self.discard()
            self.sandbox = Sandbox(self.settings)
            return {"sandboxed": self.settings["sandboxed"]}
        if "task" in request:
            task = Task(request["task"])
            self.tasks.pop(task.key, None)
            self.tasks[task.key] = task
            while len(self.tasks) > RESIDENT_TASKS:
                del self.tasks[next(iter(self.tasks))]
        task = self.tasks.get(request["key"])
        if task is None:
            return {"unknown_task": True}
        return {name: self.judge(task, name, request) for name in request["runs"]}

    def judge(self, task, name, request):
        expected = self.expected(task, name)
        factor = self.settings["machine_factor"]
        limits = [
            factor * max(self.settings["min_test_seconds"], self.settings["reference_factor"] * seconds)
            for seconds in expected.seconds
        ]
        budget = min(factor * self.settings["run_seconds"], sum(limits)) + GRACE_SECONDS
        if not request["fail_fast"]:
            budget += DETAILS_SECONDS
        started = time.monotonic()
        run, reply, over_budget = self.execute(
            task,
            name,
            expected,
            request["fail_fast"],
            budget,
            {
                "program": request["program"],
                "entry_point": task.entry_point,
                "limits": limits,
                "memory_bytes": self.settings["memory_bytes"],
                "shape": shape(task.suite, task.entry_point),
                "reference": False,
            },
        )
        verdict = run.verdict(reply, over_budget)
        verdict["seconds"] = time.monotonic() - started
        return verdict

    def execute(self, task, name, expected, fail_fast, budget, job):
        """Runs a job until it is decided; again in a new sandbox when the old one was lost."""
        lost = None
        for _ in range(SANDBOX_TRIES):
            try:
                if self.sandbox is None:
                    self.sandbox = Sandbox(self.settings)
                return self.attempt(task, name, expected, fail_fast, budget, dict(job))
            except SandboxLost as e:
                lost = e
                self.discard()
        raise lost

    def discard(self):
        if self.sandbox is not None:
            self.sandbox.close()
            self.sandbox = None

    def attempt(self, task, name, expected, fail_fast, budget, job):
        sandbox = self.sandbox
        secret = job["secret"] = os.urandom(8)
        reader, writer = os.pipe()
        try:
            os.set_blocking(reader, False)
            try:
                fcntl.fcntl(reader, F_SETPIPE_SZ, PIPE_BYTES)
            except OSError as e:
                if e.errno != errno.EPERM:  # too many pages in pipes: smaller is slower only
                    raise
            run = Run(task, name, expected, fail_fast, secret, job["limits"])
            try:
                sandbox.start(job, f"{task.key}/{name}", lambda: task.pickled(name), writer)
            finally:
                os.close(writer)
            reply, over_budget = self.follow(run, sandbox, reader, time.monotonic() + budget)
        finally:
            os.close(reader)
        if not reply["clean"]:
            self.discard()
        return run, reply, over_budget

    def follow(self, run, sandbox, reader, deadline):
        """Takes frames as they come; the run's end, a decision or the deadline stops it."""
        poll = select.poll()
        poll.register(sandbox.control, select.POLLIN)
        looks = 0
        while True:
            more = drain(run, reader)
            if run.failed or time.monotonic() > deadline:
                over_budget = not run.failed and not run.done
                sandbox.stop()
                reply = sandbox.receive(30)
                return reply, over_budget and not run.done
            if more:
                pause = 0
            else:
                looks += 1
                pause = FIRST_LOOK_SECONDS if looks < LOOKS_UNTIL_LATER else LATER_LOOK_SECONDS
            if poll.poll(pause * 1000):
                reply = sandbox.receive(30)
                while drain(run, reader):
                    pass
                return reply, False

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
                    os.unlink(path + ".lock")
            task.expected[name] = Expected(path)
        return task.expected[name]

    def run_reference(self, task, name):
        """(seconds, encoded value) of every test, by the reference program."""
        tests = len(task.tests[name])
        reported = "is_not_none" if task.suite == "mbpp" and task.entry_point in NOT_NONE else "value"
        run, reply, over_budget = self.execute(
            task,
            name,
            None,
            True,
            REFERENCE_SECONDS,
            {
                "program": task.reference,
                "entry_point": task.entry_point,
                "limits": [0.0] * tests,
                "memory_bytes": 0,
                "shape": reported,
                "reference": True,
            },
        )
        if not run.done or len(run.answers) != tests:
            verdict = run.verdict(reply, over_budget)
            at = "" if verdict["first_failed"] is None else f" {verdict['first_failed']}"
            raise ReferenceFailed(
                f"the reference solution of {task.task_id} fails on {name} test{at}: {verdict['message']}"
            )
        return run.answers


def drain(run, reader):
    """Takes what is there; true when there may be more."""
    try:
        data = os.read(reader, PIPE_BYTES)
    except BlockingIOError:
        return False
    if not data:
        return False
    run.feed(data)
    return not run.failed


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
    finally:
        judge.discard()


if __name__ == "judge":
    answers, sys.stdout = sys.stdout, sys.stderr
    main()
