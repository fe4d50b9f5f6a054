"""Rebuilds the arguments that JSON cannot hold: MBPP's tuples, sets and complex numbers.

The rules are EvalPlus's own, task by task (evalplus/data/mbpp.py, mbpp_deserialize_inputs), written
down as a table. HumanEval's and the starter suite's arguments are used as they were parsed.
"""


def _tuples(values):
    return [tuple(v) for v in values]


def _lists_of_tuples(values):
    return [[tuple(e) for e in v] for v in values]


def _tuples_of_tuples(values):
    return [tuple(tuple(e) for e in v) for v in values]


def _deep(value):
    return tuple(_deep(v) for v in value) if isinstance(value, list) else value


_RULES = (
    (
        "2 116 132 143 222 261 273 394 399 421 424 429 470 560 579 596 616 630 726 740 744 809",
        _tuples,
    ),
    ("63 64 70 94 120 237 272 299 400 409 417 438 473 614 780", _lists_of_tuples),
    ("75 413 444 753", lambda a: [[tuple(e) for e in a[0]], a[1]]),
    ("106 750", lambda a: [a[0], tuple(a[1])]),
    ("115", lambda a: [[set(e) if isinstance(e, list) and e else {} for e in a[0]]]),
    ("124", lambda a: (float(a[0]), complex(a[1]))),
    ("250 405 446 617 720 763 808", lambda a: [tuple(a[0]), a[1]]),
    ("259 401 445", _tuples_of_tuples),
    ("278", lambda a: [tuple(tuple(e) if isinstance(e, list) else e for e in a[0])]),
    ("307", lambda a: [tuple(a[0]), a[1], a[2]]),
    ("722", lambda a: [{k: tuple(v) for k, v in a[0].items()}, *a[1:]]),
    ("252", lambda a: [complex(a[0])]),
    ("580 615 791", _deep),
)

_RULE_OF = {f"Mbpp/{number}": rule for numbers, rule in _RULES for number in numbers.split()}


def arguments(task_id, tests):
    """The tests' argument lists as the entry point takes them."""
    rule = _RULE_OF.get(task_id)
    return tests if rule is None else [rule(test) for test in tests]
