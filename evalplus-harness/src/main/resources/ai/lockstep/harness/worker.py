"""Loads one program, calls it with each test's arguments and reports what it returned.

Runs in a process of its own that ends with the run. What it knows is the program and the tests'
arguments; expected answers are never here. The rules of a run (names taken away, timers, standard
streams, depth of the stack) are those of EvalPlus 0.3.1 (evalplus/eval/__init__.py, unsafe_execute,
and evalplus/eval/utils.py, reliability_guard). How it reports: `frames.py`.
"""

import _signal
import builtins
import copy
import faulthandler
import io
import mmap
import os
import pickle
import resource
import shutil
import subprocess
import sys
import time

# Frames that EvalPlus has on the stack when it calls the candidate: recursion ends where it ends there.
STACK_FRAMES = 29

# Characters of an exception's name and of its message, and the bytes that both take at most.
LONGEST_TEXT = 300
TEXT_BYTES = 4 * (2 * LONGEST_TEXT + 2)

# Exit codes of the process.
FINISHED, CHANNEL_LOST = 0, 77


class TimeoutException(Exception):
    """Raised in the candidate when a test's time is over, as EvalPlus does."""


class _TextStream(io.StringIO):
    """Standard output, error and input of one call: can be written, not read."""

    def read(self, *args, **kwargs):
        raise OSError

    def readline(self, *args, **kwargs):
        raise OSError

    def readlines(self, *args, **kwargs):
        raise OSError

    def readable(self, *args, **kwargs):
        return False


def limit_resources(limits):
    """Sets limits of the process, where they are not lower already."""
    for what, value in limits:
        _, hard = resource.getrlimit(what)
        if hard != resource.RLIM_INFINITY:
            value = min(value, hard)
        resource.setrlimit(what, (value, value))


def take_names_away():
    """EvalPlus's reliability_guard: no protection, but what programs find must be the same.

    Gives a function that puts everything back.
    """
    taken = []

    def take(owner, names):
        for name in names.split():
            taken.append((owner, name, getattr(owner, name)))
            setattr(owner, name, None)

    os.environ["OMP_NUM_THREADS"] = "1"
    faulthandler.disable()
    take(builtins, "exit quit open help")
    take(
        os,
        "kill system putenv remove removedirs rmdir fchdir setuid fork forkpty killpg rename renames"
        " truncate replace unlink fchmod fchown chmod chown chroot lchown getcwd chdir",
    )
    take(shutil, "rmtree move chown")
    take(subprocess, "Popen")
    hidden = dict.fromkeys(("ipdb", "joblib", "resource", "psutil", "tkinter"))
    kept = {name: sys.modules[name] for name in hidden if name in sys.modules}
    sys.modules.update(hidden)

    def put_back():
        for owner, name, value in taken:
            setattr(owner, name, value)
        for name in hidden:
            del sys.modules[name]
        sys.modules.update(kept)

    return put_back


class _Channel:
    """The socket to the judge: all it needs from modules is bound before the candidate runs.

    Built-in names need no such care here: this code has a table of its own, which no candidate sees.
    """

    def __init__(self, descriptor, secret):
        write, read, leave, pack = os.write, os.read, os._exit, HEADER.pack

        def frame(kind, text=b""):
            data = memoryview(pack(secret, kind, len(text)) + text)
            try:
                while data:
                    data = data[write(descriptor, data) :]
            except OSError:
                leave(CHANNEL_LOST)

        def full():
            """Until the judge has taken what is in the window."""
            frame(FULL)
            try:
                if read(descriptor, len(GO_ON)) == GO_ON:
                    return
            except OSError:
                pass
            leave(CHANNEL_LOST)

        self.frame = frame
        self.full = full


class _Window:
    """Where reports of calls go. Its methods are closures, so that no module can be changed under them."""

    def __init__(self, memory, full):
        view = memoryview(memory)
        counts = view[:ENDS_AT].cast("Q")
        ends = view[ENDS_AT:SECONDS_AT].cast("Q")
        seconds_of = view[SECONDS_AT:REPORTS_AT].cast("d")
        seek, tell, write = memory.seek, memory.tell, memory.write
        encoder, described = encoder_to, describe
        encode = encoder(memory)
        tests = 0  # whose reports are in the window
        start = REPORTS_AT  # of the next report
        seek(start)

        def empty():
            nonlocal tests, start
            counts[1] = tell() - start
            full()
            tests = 0
            start = REPORTS_AT
            seek(start)

        def write_parts(data):
            data = memoryview(data)
            while data:
                if tell() == WINDOW_BYTES:
                    empty()
                data = data[write(data[: WINDOW_BYTES - tell()]) :]

        def end(ending, seconds):
            nonlocal tests, start
            start = tell()
            ends[tests] = ending | start
            seconds_of[tests] = seconds
            tests += 1
            counts[0] = tests
            if tests == WINDOW_TESTS:
                empty()

        def text(ending, error, seconds):
            if WINDOW_BYTES - start < TEXT_BYTES:
                empty()
            if error is not None:
                write(described(error))
            end(ending, seconds)

        def value(ending, returned, seconds):
            nonlocal encode
            try:
                encode(returned)
            except BaseException:
                # Most often it is longer than the rest of the window.
                encode = encoder(memory)
                seek(start)
                try:
                    encoder(Sink(write_parts))(returned)
                except BaseException as e:
                    seek(start)
                    text(ending | NOT_PLAIN << ENDING_SHIFT, e, seconds)
                    return
            end(ending, seconds)

        self.text = text
        self.value = value


def make_describer():
    """Gives a function that describes an exception without calling any code of the candidate."""
    name_of = type.__dict__["__name__"].__get__
    arguments_of = BaseException.args.__get__
    start_of, longest = str.__getitem__, slice(0, LONGEST_TEXT)

    def describe(error):
        text = start_of(name_of(type(error)), longest)
        arguments = arguments_of(error)
        if arguments:
            first = arguments[0]
            if type(first) is str:
                text += ": " + first[longest]
            elif type(first) is int and -(2**63) < first < 2**63:
                text += ": " + repr(first)
        return text.encode("utf-8", "replace")

    return describe


# A job that a worker does before its own, with what is common in programs.
REHEARSAL = pickle.dumps(
    {
        "program": """
import math
from typing import Dict, List, Tuple


class Pair:
    def __init__(self, first, second=0):
        self.first, self.second = first, second


def g(values: List[int], *rest: int, **names: int) -> Tuple[List[int], Dict[str, float]]:
    total, found = 0, {}
    for i, value in enumerate(sorted(set(values), key=lambda v: -v)):
        if value % 2 == 0 and i < len(values) or not value:
            total += value ** 2 // (i + 1)
        elif value > 5:
            continue
        else:
            found[str(value)] = math.sqrt(value) / 2
    while total > 100:
        total -= 10
    try:
        text = ",".join(f"{value:03d}" for value in values if value is not None)
        found[text[::-1].upper().strip()] = max(text.count("0"), int("12"))
    except (KeyError, ValueError) as e:
        return [], {"error": 1.0}
    return [[Pair(x, y).first for y in range(2)] for x in range(total % 7)], found


def f(x):
    if x > 1:
        raise ValueError(x)
    return g([1, 2, 3, x, 5])
""",
        "entry_point": "f",
        "inputs": [[0], [1], [2]],
        "limits": [60.0] * 3,
        "shape": "value",
        "reference": False,
    }
)


def run(descriptor, window_descriptor, sandbox, put_names_back):
    """Waits for a job, does the whole run and ends the process.

    job: program, entry_point, inputs (pickled), limits (seconds a test), memory_bytes, secret, shape
    (what is reported of a call: value, elements, is_not_none), reference (true: no limit of memory,
    arguments are copied, no name is taken away).
    """
    memory = mmap.mmap(window_descriptor, WINDOW_BYTES)
    os.close(window_descriptor)
    limit_resources(
        [
            (resource.RLIMIT_CORE, 0),
            (resource.RLIMIT_FSIZE, sandbox["file_bytes"]),
            (resource.RLIMIT_NOFILE, sandbox["open_files"]),
            (resource.RLIMIT_NPROC, sandbox["processes"]),
        ]
    )
    # A process has its own copy of a page once it has written there. A rehearsal writes where a run
    # will, so that this takes none of the run's time.
    _perform(pickle.loads(REHEARSAL), lambda kind, text=b"": None, _Window(memory, None))
    _signal.signal(_signal.SIGALRM, _signal.SIG_DFL)
    memory[:ENDS_AT] = bytes(ENDS_AT)

    os.write(descriptor, READY)
    (length,) = MESSAGE_LENGTH.unpack(_exactly(descriptor, MESSAGE_LENGTH.size))
    job = pickle.loads(_exactly(descriptor, length))
    job["inputs"] = pickle.loads(job["inputs"])
    if job["reference"]:
        put_names_back()
    else:
        size = job["memory_bytes"]
        limit_resources([(what, size) for what in (resource.RLIMIT_AS, resource.RLIMIT_DATA, resource.RLIMIT_STACK)])
    channel = _Channel(descriptor, job["secret"])
    _exactly(descriptor, len(START))
    _perform(job, channel.frame, _Window(memory, channel.full))
    os._exit(FINISHED)


def _perform(job, frame, window):
    calls = _Calls(job, frame, window)
    here = 0
    caller = sys._getframe()
    while caller is not None:
        here += 1
        caller = caller.f_back
    # Frames too: the last `_deepen` and `perform`.
    _deepen(STACK_FRAMES - here - 2, calls.perform)


def _exactly(descriptor, length):
    data = bytearray()
    while len(data) < length:
        part = os.read(descriptor, length - len(data))
        if not part:
            os._exit(CHANNEL_LOST)  # the judge has no job any more
        data += part
    return data


def _deepen(levels, function):
    if levels <= 0:
        function()
    else:
        _deepen(levels - 1, function)


# Made once in the server, ready in every worker.
encoder_to, iterated = make_encoder()
describe = make_describer()


class _Calls:
    """The run itself. Its one method is a closure, so that no module can be changed under it."""

    def __init__(self, job, frame, window):
        program, entry_point, inputs = job["program"], job["entry_point"], job["inputs"]
        limits, shape, reference = job["limits"], job["shape"], job["reference"]
        report_value, report_text = window.value, window.text
        elements, description = iterated, describe
        clock, deepcopy = time.perf_counter, copy.deepcopy
        set_timer, left_of = _signal.setitimer, _signal.getitimer
        set_handler, handler_of = _signal.signal, _signal.getsignal
        real_timer, alarm = _signal.ITIMER_REAL, _signal.SIGALRM
        raised, timed_out = RAISED << ENDING_SHIFT, TIMED_OUT << ENDING_SHIFT
        system = sys
        public_names = vars(builtins)
        standard = (sys.stdout, sys.stderr, sys.stdin)
        calling = rang = False
        deadline = allowed = 0.0  # of the call: until when, and seconds

        def expired(signal_number, stack):
            """The timer is not set anew for each call, which would cost more than most calls take."""
            nonlocal rang
            if not calling:
                set_timer(real_timer, allowed)
                return
            early = deadline - clock()
            # While the timer still runs, the signal is somebody's own and ends the call as well.
            if early > 0 and left_of(real_timer)[0] == 0:
                set_timer(real_timer, early)
                return
            rang = True
            raise TimeoutException("Timed out!")

        def load():
            """The function to call, or None when there is none; the reason has been reported."""
            names = {"__builtins__": public_names}
            try:
                system.stdout = system.stderr = system.stdin = _TextStream()
                try:
                    exec(program, names)
                finally:
                    system.stdout, system.stderr, system.stdin = standard
            except SyntaxError as e:
                frame(LOAD_FAILED, b"S" + description(e))
                return None
            except BaseException as e:
                frame(LOAD_FAILED, b"E" + description(e))
                return None
            try:
                return names[entry_point]
            except BaseException:
                frame(NO_ENTRY_POINT)
                return None

        def perform():
            nonlocal calling, rang, deadline, allowed
            function = load()
            if function is None:
                return
            frame(LOADED)
            if public_names.get("enumerate") is not enumerate:
                # EvalPlus's own loop over the tests then does what the program says.
                frame(NOTE, b"the program replaced the built-in function enumerate")
                frame(DONE)
                return
            handler, changed, running = _signal.SIG_DFL, False, False
            for arguments, allowed in zip(inputs, limits):
                if reference:
                    arguments = deepcopy(arguments)
                mark = 0 if public_names.get("BaseException") is BaseException else UNCAUGHT
                seconds = 0.0
                out = None
                if handler_of(alarm) is not handler:
                    changed = True
                    handler = None
                if handler is not expired:
                    set_handler(alarm, expired)
                    handler = expired
                left = left_of(real_timer)[0]
                if running and left == 0 and not rang:
                    changed = True
                if left == 0 or left > allowed:
                    set_timer(real_timer, allowed)
                running = allowed > 0
                rang = False
                try:
                    system.stdout = system.stderr = system.stdin = _TextStream()
                    started = clock()
                    deadline = started + allowed
                    try:
                        calling = True
                        out = function(*arguments)
                    finally:
                        seconds = clock() - started
                        calling = False
                        system.stdout, system.stderr, system.stdin = standard
                    late = rang
                    if shape == "elements":
                        out = elements(out)
                    elif shape == "is_not_none":
                        out = out is not None
                except BaseException as e:
                    calling = False
                    system.stdout, system.stderr, system.stdin = standard
                    if rang:
                        report_text(timed_out | mark, None, seconds)
                    else:
                        report_text(raised | mark, e, seconds)
                    continue
                if late:
                    report_text(timed_out | mark, None, seconds)
                else:
                    report_value(mark, out, seconds)
            left = set_timer(real_timer, 0)[0]
            if changed or (running and left == 0 and not rang):
                frame(NOTE, b"the program changed the timer of its tests")
            frame(DONE)

        self.perform = perform
