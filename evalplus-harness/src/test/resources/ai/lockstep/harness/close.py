"""Compares `close` with numpy.allclose; prints each difference, then how many pairs were alike.

Follows `oracles.py` in one program.
"""

import itertools
import random

import numpy

numpy.seterr(all="ignore")
draw = random.Random(1)
floats = [0.0, -0.0, 1.0, -1.0, 5e-324, 1e-6, 2e-6, 1e308, -1e308, float("inf"), float("-inf"), float("nan")]
floats += [draw.uniform(-1, 1) * 10 ** draw.randint(-12, 12) for _ in range(20)]
# Each side of the tolerance, to the last bit.
edges = [(x, x + side * (1e-6 + 1e-7 * abs(x))) for x in floats for side in (1, -1)]
edges += [(numpy.nextafter(y, to).item(), x) for x, y in edges for to in (-1e300, 1e300)]
pairs = [*itertools.product(floats, floats), *edges]
pairs += [([a, 1.0], [b, 1.0]) for a, b in pairs] + [((a,), (b,)) for a, b in pairs]
pairs += [([], []), ([1, 2.0], [1.0000001, 2]), ([1.0], [1]), ([True], [1.0]), ([[1.0]], [[1.0]])]
alike = 0
for out, expected in pairs:
    there = bool(numpy.allclose(out, expected, rtol=1e-7, atol=1e-6))
    if close(out, expected, 1e-6) is there:
        alike += 1
    else:
        print(out, expected, there)
print(alike, "of", len(pairs))
