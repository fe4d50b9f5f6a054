"""Runs in a sandbox for many runs: forks a worker for each, then leaves no trace of it.

It is process 1 of the sandbox, so what a worker started can be killed to the last process, and no
worker can signal or trace it. Messages with the judge are a length (4 bytes, little-endian) and a
pickle; the judge is trusted, a worker never writes here. A job comes with the descriptor that the
worker reports to.
"""

import ctypes
import gc
import importlib
import json
import os
import pickle
import posix
import resource
import select
import signal
import socket
import struct
import sys
import tempfile

# How often a run's memory is looked at.
TICK_SECONDS = 0.1

# Tasks whose arguments are kept ready for the next sample; the judge counts the same way.
KEPT_TASKS = 8

_PR_SET_DUMPABLE = 4
_LENGTH = struct.Struct("<I")


# What programs import most; loaded here once, an import in a worker only finds it.
PRELOADED = (
    "bisect cmath collections copy datetime decimal fractions functools hashlib heapq itertools json math"
    " operator random re statistics string sys time typing"
).split()


class Server:
    def __init__(self, settings):
        self.settings = settings
        self.alone = os.getpid() == 1
        self.control = socket.socket(fileno=settings["control"])
        self.inputs = {}
        self.folders = settings["folders"]
        self.install_filter = prepare_filter(self.alone)
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
        if self.alone:
            for folder in self.folders:
                os.chmod(folder, 0o1777)
            os.mkdir(settings["work_folder"], 0o777)
            os.chmod(settings["work_folder"], 0o777)
            with open("/proc/self/oom_score_adj", "w") as f:
                f.write("1000")  # when memory ends, a sandbox goes first
            self.install_filter()

    def serve(self):
        for module in PRELOADED:
            importlib.import_module(module)
        # EvalPlus has used a temporary folder by the time a program runs, so Python knows where they go.
        tempfile.gettempdir()
        # As in a shell's background job, where long evaluations run.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        # From here on this server calls what it needs in posix by its own name.
        self.put_names_back = take_names_away()
        # Objects of this process are no garbage of any worker.
        gc.collect()
        gc.freeze()
        self.send({"ready": True, "sandboxed": self.alone})
        while True:
            job, descriptor = self.receive()
            if job is None:
                return
            if "inputs" in job:
                self.keep(job["key"], job["inputs"])
            inputs = self.inputs[job["key"]] = self.inputs.pop(job["key"])
            self.send(self.run(job, inputs, descriptor))

    def keep(self, key, inputs):
        self.inputs.pop(key, None)
        self.inputs[key] = pickle.loads(inputs)
        while len(self.inputs) > KEPT_TASKS:
            del self.inputs[next(iter(self.inputs))]
        gc.freeze()

    def run(self, job, inputs, descriptor):
        pid = posix.fork()
        if pid == 0:
            try:
                self.become_worker(job, inputs, descriptor)
            finally:
                os._exit(1)
        os.close(descriptor)
        watch = os.pidfd_open(pid)
        try:
            reason = self.wait(watch, job["memory_bytes"])
        finally:
            os.close(watch)
        status = self.end(pid)
        return {
            "exit": os.waitstatus_to_exitcode(status),
            "reason": reason,
            "clean": self.clean(),
        }

    def become_worker(self, job, inputs, descriptor):
        self.control.close()
        if job["reference"]:
            self.put_names_back()
        user = self.settings["user"]
        if user is not None:
            os.setgroups([])
            os.setresgid(user, user, user)
            os.setresuid(user, user, user)
        posix.chdir(self.settings["work_folder"] if self.alone else "/")
        if not self.alone:
            self.install_filter()
        run(job, inputs, descriptor, self.settings)

    def wait(self, watch, memory_bytes):
        """Until the worker ends, the judge wants it ended, or it takes too much memory."""
        poll = select.poll()
        poll.register(watch, select.POLLIN)
        poll.register(self.control, select.POLLIN)
        while True:
            ready = poll.poll(TICK_SECONDS * 1000)
            for descriptor, _ in ready:
                if descriptor == watch:
                    return "ended"
                if self.control.recv(_LENGTH.size) == b"":
                    os._exit(0)  # the judge is gone
                return "stopped"
            if self.alone and memory_bytes and self.resident_bytes() > memory_bytes:
                return "memory"

    def resident_bytes(self):
        """Of all processes of the run together: each may have the memory limit to itself."""
        total = 0
        for name in os.listdir("/proc"):
            if name.isdigit() and name != "1":
                try:
                    with open(f"/proc/{name}/statm") as f:
                        fields = f.read().split()
                except OSError:
                    continue
                # Shared pages are this server's own, not the run's.
                total += (int(fields[1]) - int(fields[2])) * resource.getpagesize()
        return total

    def end(self, pid):
        """Kills whatever is left of a run and waits until nothing is."""
        result = None
        while True:
            try:
                if self.alone:
                    posix.kill(-1, signal.SIGKILL)
                else:
                    posix.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            try:
                ended, status = os.waitpid(-1 if self.alone else pid, 0)
            except ChildProcessError:
                return result
            if ended == pid:
                result = status
                if not self.alone:
                    return result

    def clean(self):
        """Empties what a run could write to; false when that failed and the sandbox must go."""
        if not self.alone:
            return True
        try:
            for folder in (*self.folders, self.settings["work_folder"]):
                for entry in os.scandir(folder):
                    if entry.path != self.settings["work_folder"]:
                        remove(entry)
            return True
        except OSError:
            return False

    def receive(self):
        """A job and its descriptor; an empty message is a stop that came after its run's end."""
        length = 0
        while length == 0:
            data, descriptors, _, _ = socket.recv_fds(self.control, _LENGTH.size, 1)
            if len(data) < _LENGTH.size:
                return None, None
            (length,) = _LENGTH.unpack(data)
        message = bytearray()
        while len(message) < length:
            part = self.control.recv(min(1 << 20, length - len(message)))
            if not part:
                return None, None
            message += part
        return pickle.loads(message), descriptors[0]

    def send(self, message):
        data = pickle.dumps(message)
        self.control.sendall(_LENGTH.pack(len(data)) + data)


def remove(entry):
    if entry.is_dir(follow_symlinks=False):
        posix.chmod(entry.path, 0o700)
        for inner in os.scandir(entry.path):
            remove(inner)
        posix.rmdir(entry.path)
    else:
        posix.unlink(entry.path)


if __name__ == "sandbox":
    settings = json.loads(sys.argv[2])
    sys.argv = [""]
    Server(settings).serve()
