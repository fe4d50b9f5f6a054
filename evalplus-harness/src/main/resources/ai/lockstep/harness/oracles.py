"""When a result is right: EvalPlus 0.3.1's rules (evalplus/eval/__init__.py, unsafe_execute)."""

import math

import numpy

# MBPP entry points whose result only counts as a set.
SETS = frozenset(
    "similar_elements find_char_long common_in_nested_lists extract_singly larg_nnum"
    " intersection_array find_dissimilar Diff".split()
)

# MBPP entry points of which only matters whether the result is None.
NOT_NONE = frozenset("check_str text_match_three text_starta_endb".split())

# MBPP entry points of which the arguments say what else is right.
READ_ARGUMENTS = frozenset("surface_Area digit_distance_nums".split())

RELATIVE = 1e-7
FLOAT_ABSOLUTE = 1e-6


def shape(suite, entry_point):
    """What a worker must report of a call."""
    if suite == "mbpp" and entry_point in SETS:
        return "elements"
    return "value"


def is_floats(x):
    if isinstance(x, float):
        return True
    if isinstance(x, (list, tuple)) and x:
        return all(isinstance(i, float) for i in x)
    if isinstance(x, numpy.ndarray):
        return x.dtype == numpy.float64 or x.dtype == numpy.float32
    return False


def _polynomial(coefficients, x):
    return sum(c * math.pow(x, i) for i, c in enumerate(coefficients))


def _surface(base, height):
    slant = math.sqrt((base / 2) ** 2 + height**2)
    return round(base**2 + 2 * base * slant)


def _digit_distance(first, second):
    a, b = str(first), str(second)
    width = max(len(a), len(b))
    return sum(abs(int(p) - int(q)) for p, q in zip(a.zfill(width), b.zfill(width)))


def close(out, expected, absolute):
    """What numpy.allclose says of two values of one type and length; of floats in a fraction of its time."""
    if type(out) is float:
        return _close_floats(out, expected, absolute)
    if isinstance(out, (list, tuple)) and all(type(x) is float for x in (*out, *expected)):
        return all(_close_floats(x, y, absolute) for x, y in zip(out, expected))
    return bool(numpy.allclose(out, expected, rtol=RELATIVE, atol=absolute))


def _close_floats(out, expected, absolute):
    if math.isfinite(out) and math.isfinite(expected):
        return abs(out - expected) <= absolute + RELATIVE * abs(expected)
    return out == expected


class Oracle:
    """The comparisons of one run, in the order of its tests: a tolerance, once set, stays."""

    def __init__(self, suite, entry_point, atol):
        self.suite = suite
        self.entry_point = entry_point
        self.atol = atol
        self.elements = shape(suite, entry_point) == "elements"
        # Judged by what is returned for the arguments, whatever the reference returned.
        self.root = suite == "humaneval" and entry_point == "find_zero"
        self.reads_arguments = self.root or (suite == "mbpp" and entry_point in READ_ARGUMENTS)

    def accepts_equal(self, floats):
        """Called instead of `accepts` when the result is known to be the same plain data."""
        if self.atol == 0 and floats:
            self.atol = FLOAT_ABSOLUTE

    def accepts(self, out, expected, arguments):
        """Whether a result is right for the arguments. What the comparison raises makes it wrong.

        EvalPlus shows some oracles the arguments as the call left them: a program that sets a
        polynomial to zero has then found its root. Here they are as they were given.
        """
        try:
            return self._accepts(out, expected, arguments)
        except Exception:
            return False

    def _accepts(self, out, expected, arguments):
        if self.elements:
            right = set(out) == set(expected)
        else:
            right = out == expected
        if self.suite == "mbpp":
            if self.entry_point == "are_equivalent":
                right = right or True
            elif self.entry_point == "sum_div":
                right = right or out == 0
            elif self.entry_point == "surface_Area":
                right = right or abs(out - _surface(*arguments)) <= self.atol
            elif self.entry_point == "digit_distance_nums":
                right = right or out == _digit_distance(*arguments)
            elif self.entry_point in NOT_NONE:
                right = out == expected if isinstance(out, bool) else expected == (out is not None)
        elif self.root:
            return bool(abs(_polynomial(*arguments, out)) <= self.atol)
        if self.atol == 0 and is_floats(expected):
            self.atol = FLOAT_ABSOLUTE
        if not right and self.atol != 0:
            if type(out) is not type(expected):
                return False
            if isinstance(expected, (list, tuple)) and len(out) != len(expected):
                return False
            return close(out, expected, self.atol)
        return bool(right)
