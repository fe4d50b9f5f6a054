"""Runs in a sandbox for many runs: forks a worker ahead of each, then leaves no trace of it.

It is process 1 of the sandbox, so what a worker started can be killed to the last process, and no
worker can signal or trace it. The judge's messages are one byte: PARK comes with the worker's two
descriptors (the socket where its job will come, and the window of its reports), WATCH ends the run
when it takes too much memory, STOP ends it if it has not ended. This server says that it is there,
and after each run how it ended: a length (4 bytes, little-endian) and JSON. No worker writes here,
and one that waits for its job is alone in the sandbox.
"""

import ctypes
import gc
import importlib
import json
import os
import posix
import resource
import select
import signal
import socket
import sys
import tempfile

# How often a run's memory is looked at.
TICK_SECONDS = 0.1

_PR_SET_DUMPABLE = 4

# What programs import most; loaded here once, an import in a worker only finds it.
PRELOADED = (
    "array bisect cmath collections copy dataclasses datetime decimal enum fractions functools hashlib heapq"
    " itertools json math operator random re statistics string sys time typing"
).split()


class Server:
    def __init__(self, settings):
        self.settings = settings
        self.alone = os.getpid() == 1
        self.control = socket.socket(fileno=settings["control"])
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
            message, descriptors, _, _ = socket.recv_fds(self.control, 1, 2)
            if message == PARK:
                self.run(descriptors)
            elif not message:
                return
            # Any other came after its run's end.

    def run(self, descriptors):
        pid = posix.fork()
        if pid == 0:
            try:
                self.become_worker(*descriptors)
            finally:
                os._exit(1)
        for descriptor in descriptors:
            os.close(descriptor)
        watch = os.pidfd_open(pid)
        try:
            reason = self.wait(watch)
        finally:
            os.close(watch)
        status = self.end(pid)
        clean = self.clean()
        self.send({"exit": os.waitstatus_to_exitcode(status), "reason": reason, "clean": clean})

    def become_worker(self, descriptor, window):
        self.control.close()
        user = self.settings["user"]
        if user is not None:
            os.setgroups([])
            os.setresgid(user, user, user)
            os.setresuid(user, user, user)
        posix.chdir(self.settings["work_folder"] if self.alone else "/")
        if not self.alone:
            self.install_filter()
        run(descriptor, window, self.settings, self.put_names_back)

    def wait(self, watch):
        """Until the worker ends, the judge wants it ended, or it takes too much memory."""
        poll = select.poll()
        poll.register(watch, select.POLLIN)
        poll.register(self.control, select.POLLIN)
        watched = False
        while True:
            ready = poll.poll(TICK_SECONDS * 1000 if watched else None)
            for descriptor, _ in ready:
                if descriptor == watch:
                    return "ended"
                message = self.control.recv(1)
                if message == STOP:
                    return "stopped"
                if message != WATCH:
                    os._exit(0)  # the judge is gone
                watched = self.alone
            if watched and self.resident_bytes() > self.settings["memory_bytes"]:
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

    def send(self, message):
        data = json.dumps(message).encode()
        self.control.sendall(MESSAGE_LENGTH.pack(len(data)) + data)


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
