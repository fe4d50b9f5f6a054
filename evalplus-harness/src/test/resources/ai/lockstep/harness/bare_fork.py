"""What a run cannot take less than: the fork and the end of a Python process that has numpy."""

import os
import time

import numpy

TIMES = 200

seconds = []
for _ in range(TIMES):
    started = time.perf_counter()
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    seconds.append(time.perf_counter() - started)
seconds.sort()
print(f"median {1e3 * seconds[TIMES // 2]:.1f} ms, 90% {1e3 * seconds[TIMES * 9 // 10]:.1f} ms")
