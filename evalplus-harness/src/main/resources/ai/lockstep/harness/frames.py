"""How a worker reports to the judge: part of both programs.

What a call returned goes through a window: memory that worker and judge share, so that it costs no
system call and outlives the worker's sudden end. The worker fills it from the start; when it is full
the worker says so, and waits until the judge has taken all and set the counters to zero. Everything
else goes through a socket as frames: the run's secret (8 bytes), a kind (1 byte), the length of the
text that follows (4 bytes, little-endian). The judge trusts neither: it copies before it looks, and
checks every number.

The window: two counters of 8 bytes (tests reported; bytes of a value that is not at its end), then
for each test 8 bytes that say where its report ends in the window and, above that, how its call
ended, then for each test the call's seconds (8 bytes, floating point), then the reports: encoded
values, or texts.
"""

import struct

# Kinds of frames. NOTE and LOAD_FAILED carry a text.
LOADED, LOAD_FAILED, NO_ENTRY_POINT, NOTE, FULL, DONE = range(6)
HEADER = struct.Struct("<8sBI")

# How a call ended, in the bits above the position of its report.
RETURNED, RAISED, TIMED_OUT, NOT_PLAIN = range(4)
ENDING_SHIFT = 32
POSITION_MASK = (1 << ENDING_SHIFT) - 1

# EvalPlus does not survive it when this test fails.
UNCAUGHT = 1 << 63

WINDOW_TESTS = 2040
ENDS_AT = 16
SECONDS_AT = ENDS_AT + 8 * WINDOW_TESTS
REPORTS_AT = SECONDS_AT + 8 * WINDOW_TESTS
WINDOW_BYTES = 1 << 20

# What a worker says first: it waits for its job. What the judge says when the job is to start, and when
# it has taken what was in a full window.
READY, START, GO_ON = b"R", b"!", b"+"

# Before a job and before a server's message: its length.
MESSAGE_LENGTH = struct.Struct("<I")

# What the judge says to a server: start a worker for the next run; watch the memory of this run; end it.
PARK, WATCH, STOP = b"P", b"W", b"S"
