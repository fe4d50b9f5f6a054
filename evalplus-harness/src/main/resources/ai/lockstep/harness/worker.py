"""Loads one program, calls it with each test's arguments and reports what it returned.

Runs in a process of its own that ends with the run. What it knows is the program and the tests'
arguments; expected answers are never here. The rules of a run (names taken away, timers, standard
streams, depth of the stack) are those of EvalPlus 0.3.1 (evalplus/eval/__init__.py, unsafe_execute,
and evalplus/eval/utils.py, reliability_guard).

A report is a frame: the run's secret (8 bytes), a kind (1 byte), the length of what follows (4
bytes, little-endian). Values that are long come as parts before the frame that ends them.
"""

import builtins
import copy
import faulthandler
import io
import os
import resource
import shutil
import signal
import struct
import subprocess
import sys
import time

# Kinds of frames. PART and RETURNED carry an encoded value, the others a text; before the value or
# the text of RETURNED, RAISED and TIMED_OUT (or the first of their parts) are the call's seconds.
PART, LOADED, RETURNED, RAISED, TIMED_OUT, NOT_PLAIN, LOAD_FAILED, NO_ENTRY_POINT, DONE, NOTE, UNCAUGHT = range(11)

# A value is cut into parts of at least this many bytes, and at most the second number.
PART_BYTES, MOST_PART_BYTES = 1 << 16, 1 << 20

# Frames that EvalPlus has on the stack when it calls the candidate: recursion ends where it ends there.
STACK_FRAMES = 29

LONGEST_TEXT = 300

# Exit codes of the process.
FINISHED, CHANNEL_LOST = 0, 77

_HEADER = struct.Struct("<8sBI")


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


def limit_resources(memory_bytes, sandbox):
    """Sets the limits of the process; `memory_bytes` is 0 for none, where reference programs run."""
    limits = [
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, sandbox["file_bytes"]),
        (resource.RLIMIT_NOFILE, sandbox["open_files"]),
        (resource.RLIMIT_NPROC, sandbox["processes"]),
    ]
    if memory_bytes:
        for what in (resource.RLIMIT_AS, resource.RLIMIT_DATA, resource.RLIMIT_STACK):
            limits.append((what, memory_bytes))
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
    """The way out: everything it needs from modules is bound before the candidate runs.

    Built-in names need no such care here: this code has a table of its own, which no candidate sees.
    """

    def __init__(self, descriptor, secret):
        write, leave, pack = os.write, os._exit, _HEADER.pack

        def frame(kind, payload=b""):
            data = memoryview(pack(secret, kind, len(payload)) + payload)
            try:
                while data:
                    data = data[write(descriptor, data) :]
            except OSError:
                leave(CHANNEL_LOST)

        self.frame = frame


def make_describer():
    """Gives a function that describes an exception without calling any code of the candidate."""
    name_of = type.__dict__["__name__"].__get__
    arguments_of = BaseException.args.__get__

    def describe(error):
        text = name_of(type(error))
        arguments = arguments_of(error)
        if arguments:
            first = arguments[0]
            if type(first) is str:
                text += ": " + first[:LONGEST_TEXT]
            elif type(first) is int and -(2**63) < first < 2**63:
                text += ": " + repr(first)
        return text.encode("utf-8", "replace")

    return describe


def run(job, inputs, descriptor, sandbox):
    """Does the whole run and ends the process.

    job: program, entry_point, limits (seconds a test), memory_bytes, secret, shape (what is reported
    of a call: value, elements, is_not_none), reference (true: no limits, arguments are
    copied, times are reported).
    """
    channel = _Channel(descriptor, job["secret"])
    limit_resources(job["memory_bytes"], sandbox)
    calls = _Calls(job, inputs, channel.frame)
    here = 0
    frame = sys._getframe()
    while frame is not None:
        here += 1
        frame = frame.f_back
    # Frames too: the last `_deepen`, `perform` and `call`.
    _deepen(STACK_FRAMES - here - 3, calls.perform)
    os._exit(FINISHED)


def _deepen(levels, function):
    if levels <= 0:
        function()
    else:
        _deepen(levels - 1, function)


# Made once in the server, ready in every worker.
encode, iterated = make_encoder()
describe = make_describer()


class _Calls:
    """The run itself. Its one method is a closure, so that no module can be changed under it."""

    def __init__(self, job, inputs, frame):
        program, entry_point = job["program"], job["entry_point"]
        limits, shape, reference = job["limits"], job["shape"], job["reference"]
        to_bytes, elements, description = encode, iterated, describe
        clock, deepcopy = time.perf_counter, copy.deepcopy
        set_timer, set_handler = signal.setitimer, signal.signal
        real_timer, alarm = signal.ITIMER_REAL, signal.SIGALRM
        pack_time = struct.Struct("<d").pack
        system = sys
        public_names = vars(builtins)
        standard = (sys.stdout, sys.stderr, sys.stdin)
        timer = {"fired": False, "handler": signal.SIG_DFL, "changed": False, "seconds": 0.0}

        def expired(signal_number, stack):
            timer["fired"] = True
            raise TimeoutException("Timed out!")

        def swallow():
            system.stdout = system.stderr = system.stdin = _TextStream()

        def restore():
            system.stdout, system.stderr, system.stdin = standard

        def arm(seconds):
            timer["fired"] = False
            timer["seconds"] = 0.0
            set_timer(real_timer, seconds)
            if set_handler(alarm, expired) is not timer["handler"]:
                timer["changed"] = True
            timer["handler"] = expired

        def load():
            """The function to call, or None when there is none; the reason has been reported."""
            names = {"__builtins__": public_names}
            try:
                swallow()
                try:
                    exec(program, names)
                finally:
                    restore()
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

        def report(value, seconds):
            held, held_bytes = [pack_time(seconds)], 0

            def write(data):
                nonlocal held_bytes
                for at in range(0, len(data), MOST_PART_BYTES):
                    piece = bytes(data[at : at + MOST_PART_BYTES])
                    held.append(piece)
                    held_bytes += len(piece)
                    if held_bytes >= PART_BYTES:
                        frame(PART, b"".join(held))
                        held.clear()
                        held_bytes = 0

            try:
                to_bytes(value, write)
            except BaseException as e:
                frame(NOT_PLAIN, description(e))
                return
            frame(RETURNED, b"".join(held))

        def call(function, arguments, limit):
            """What the function returned; `timer` then holds the seconds it took."""
            arm(limit)
            try:
                swallow()
                started = clock()
                try:
                    out = function(*arguments)
                finally:
                    timer["seconds"] = clock() - started
                    restore()
            finally:
                left = set_timer(real_timer, 0)[0]
            if limit and left == 0 and not timer["fired"]:
                timer["changed"] = True
            return out

        def perform():
            function = load()
            if function is None:
                return
            frame(LOADED)
            if public_names.get("enumerate") is not enumerate:
                # EvalPlus's own loop over the tests then does what the program says.
                frame(NOTE, b"the program replaced the built-in function enumerate")
                frame(DONE)
                return
            for index, arguments in enumerate(inputs):
                if reference:
                    arguments = deepcopy(arguments)
                if public_names.get("BaseException") is not BaseException:
                    frame(UNCAUGHT)
                try:
                    out = call(function, arguments, limits[index])
                    if shape == "elements":
                        out = elements(out)
                    elif shape == "is_not_none":
                        out = out is not None
                except BaseException as e:
                    if timer["fired"]:
                        frame(TIMED_OUT, pack_time(timer["seconds"]))
                    else:
                        frame(RAISED, pack_time(timer["seconds"]) + description(e))
                    continue
                if timer["fired"]:
                    frame(TIMED_OUT, pack_time(timer["seconds"]))
                else:
                    report(out, timer["seconds"])
                out = None
            if timer["changed"]:
                frame(NOTE, b"the program changed the timer of its tests")
            frame(DONE)

        self.perform = perform
