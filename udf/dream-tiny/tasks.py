"""Tasks in EvalPlus format from the training side of dream-tiny's corpus, to roll out and learn from.

Compositions and programs that are held out (held_out.json, forbidden_forms.txt, the starter suite) are never drawn, and
programs do not slip: a task's solution is right. Test arguments fit the kind of thing that the prompt speaks of; those on
which the solution fails are left out, and so are tasks with too few arguments or one answer to all of them. Arguments at
and beside the prompt's own constants, and empty ones, are plus tests.

    python3 tasks.py 200 1 > tasks.jsonl       # 200 tasks drawn with seed 1

`submit/lockstep rollout dataset.path=tasks.jsonl` reads them: their ids are Starter/100000 and up, never the suite's.
"""

from __future__ import annotations

import ast
import copy
import json
import random
import re
import signal
import sys

import corpus

STARTER = corpus.HERE.parent.parent / "datasets/src/main/resources/ai/lockstep/datasets/starter.jsonl"
FIRST_ID = 100_000
BASE_TESTS, PLUS_TESTS = 3, 10
LETTERS = "abcdeiorstAEBT"


def word(r):
    return "".join(r.choice(LETTERS) for _ in range(r.randint(1, 7)))


def number(r, constants):
    near = r.choice(constants) + r.randint(-1, 1) if constants and r.random() < 0.5 else None
    return r.randint(-12, 30) if near is None else near


def several(make, r, least, most=6):
    return [make() for _ in range(r.randint(least, most))]


# What a parameter may be: the words of a prompt that speak of it, and how one is made. least: 0 for an edge, else 2.
KINDS = (
    ("matrix", r"matrix|grid|rows?\b|columns?\b", lambda r, k, least: (lambda w: [[number(r, k) for _ in range(w)] for _ in range(r.randint(max(1, least), 4))])(r.randint(1, 4))),
    ("dictionary", r"dictionar|mapping|keys?\b", lambda r, k, least: {word(r): number(r, k) for _ in range(r.randint(least, 5))}),
    ("nested", r"nested", lambda r, k, least: [[number(r, k) for _ in range(r.randint(least, 3))] for _ in range(r.randint(least, 4))]),
    ("words", r"words|strings|names", lambda r, k, least: several(lambda: word(r), r, least)),
    ("text", r"string|text|sentence|character|letter|word|vowel|digit", lambda r, k, least: " ".join(several(lambda: word(r), r, least, 4)) + ("7!3" if r.random() < 0.3 else "")),
    ("floats", r"float|real|decimal|prices|measure", lambda r, k, least: several(lambda: round(r.uniform(-9, 30), 2), r, least)),
    ("numbers", r"list|numbers|integers|values|sequence|array|elements|items", lambda r, k, least: several(lambda: number(r, k), r, least)),
    ("number", r"", lambda r, k, least: abs(number(r, k)) if least else number(r, k)),
)


class Late(Exception):
    pass


def late(*_):
    raise Late


def answer(function, arguments):
    """(value,) that the solution gives in a tenth of a second, or None."""
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    try:
        value = function(*copy.deepcopy(arguments))
        json.dumps(value if not isinstance(value, (set, tuple)) else list(value), allow_nan=False)
        return (value,)
    except Exception:
        return None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def tests(program, r):
    """(base arguments, plus arguments) of the likeliest kinds of parameters that the solution takes, or None."""
    names = {}
    exec(program.answer, names)
    function = names[program.entry_point]
    count = function.__code__.co_argcount
    constants = [int(n) for n in re.findall(r"-?\b\d{1,3}\b", program.prompt)]
    spoken = [make for _, words, make in KINDS if re.search(words, program.prompt)]
    choices = [[make] * count for make in spoken]
    if count > 1:
        choices += [[a] + [b] * (count - 1) for a in spoken for b in spoken if a is not b]
    for makes in choices:
        draw = lambda least: [make(r, constants, least) for make in makes]
        plain = [draw(2) for _ in range(BASE_TESTS + PLUS_TESTS)]
        edges = [draw(0) for _ in range(4 * PLUS_TESTS)]
        if sum(answer(function, a) is not None for a in plain) < len(plain) - 2:
            continue
        kept, seen = [], set()
        for arguments in plain[:BASE_TESTS + 4] + sorted(edges, key=lambda a: len(json.dumps(a)))[: PLUS_TESTS // 2] + edges:
            shown = json.dumps(arguments)
            if shown not in seen and answer(function, arguments) is not None:
                seen.add(shown)
                kept.append(arguments)
        base, plus = kept[:BASE_TESTS], kept[BASE_TESTS:BASE_TESTS + PLUS_TESTS]
        if len(plus) == PLUS_TESTS and len({repr(answer(function, a)) for a in kept}) > 2:
            return base, plus
    return None


def tasks(count, seed):
    """Draws tasks of different compositions."""
    signal.signal(signal.SIGALRM, late)
    source = corpus.Corpus(seed, forbidden_forms=corpus.forbidden_forms(STARTER), haste=0)
    r, drawn = random.Random(seed), set()
    while len(drawn) < count:
        program = source.draw()
        head, _, body = program.answer.partition("\n")
        if program.key in drawn or program.prompt.partition("\n")[0] != head:
            continue
        cases = tests(program, r)
        if cases is None:
            continue
        ast.parse(program.prompt + body)
        yield {
            "task_id": f"Starter/{FIRST_ID + len(drawn)}", "prompt": program.prompt, "entry_point": program.entry_point,
            "canonical_solution": body, "base_input": cases[0], "plus_input": cases[1], "contract": "", "atol": 1e-6 if "float" in program.key or "formula" in program.key else 0,
        }
        drawn.add(program.key)


def main():
    for task in tasks(int(sys.argv[1]), int(sys.argv[2])):
        print(json.dumps(task))


if __name__ == "__main__":
    main()
