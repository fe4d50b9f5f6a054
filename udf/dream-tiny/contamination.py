"""Looks for test programs among the training programs of dream-tiny.

A program counts as a test's where both are the same tree once names are put aside: each function without docstring
and annotations, its names numbered in the order in which they are read. This is not corpus.py's own form, by which
it rejects draws: an error in one is not repeated in the other. HumanEval+ and MBPP+ are known by corpus.py's digests.

    python3 contamination.py draw 20000 --seed 7    # what is trained on; with --unguarded, as if nothing were ruled out
    python3 contamination.py read programs.jsonl    # {"program": "..."} a line
    python3 contamination.py published FILE.jsonl.gz ...    # which of a benchmark's programs have no digest

Prints a line of JSON: how many were looked at, and those found.
"""

from __future__ import annotations

import argparse
import ast
import gzip
import json
import pathlib

import corpus

STARTER = corpus.HERE.parent.parent / "datasets/src/main/resources/ai/lockstep/datasets/starter.jsonl"


class Names(ast.NodeTransformer):
    """Numbers names as they are read, from the top; builtins, attributes and keywords keep theirs."""

    def __init__(self):
        self.numbers = {}

    def number(self, name):
        return self.numbers.setdefault(name, f"name{len(self.numbers)}")

    def visit_FunctionDef(self, node):
        node.name = self.number(node.name)
        node.returns = None
        if ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
        return self.generic_visit(node)

    def visit_arg(self, node):
        return ast.arg(self.number(node.arg))

    def visit_Name(self, node):
        known = isinstance(node.ctx, ast.Load) and node.id in corpus.BUILTINS and node.id not in self.numbers
        return ast.Name(node.id if known else self.number(node.id), node.ctx)


def functions(program):
    return [node for node in ast.parse(program).body if isinstance(node, ast.FunctionDef)]


def trees(program):
    """A program's functions, each as text in which no name is left."""
    return {ast.dump(Names().visit(function)) for function in functions(program)}


class Tests:
    """The starter suite's programs by tree, the published benchmarks' by digest."""

    def __init__(self):
        tasks = [json.loads(line) for line in STARTER.read_text().splitlines()]
        self.starter = {tree: t["task_id"] for t in tasks for tree in trees(t["prompt"] + t["canonical_solution"])}
        self.published = set(corpus.FORBIDDEN_FILE.read_text().split())

    def task(self, program):
        """The test that the program is of, "published" where only a digest tells, or None."""
        for tree in trees(program):
            if tree in self.starter:
                return self.starter[tree]
        return "published" if corpus.normal_forms(program) & self.published else None


def drawn(count, seed, unguarded):
    none = frozenset()
    source = corpus.Corpus(seed, none, none) if unguarded else corpus.Corpus(seed, forbidden_forms=corpus.forbidden_forms(STARTER))
    return (source.draw().answer for _ in range(count))


def read(file):
    return (json.loads(line)["program"] for line in pathlib.Path(file).read_text().splitlines())


def report(programs):
    tests, looked_at, found = Tests(), 0, []
    for program in programs:
        looked_at += 1
        task = tests.task(program)
        if task:
            found.append({"task": task, "program": program})
    return {"looked_at": looked_at, "found": found}


def without_digest(files):
    tests, looked_at, found = Tests(), 0, []
    for file in files:
        for line in gzip.open(file, "rt"):
            task = json.loads(line)
            looked_at += 1
            program = task["prompt"] + task["canonical_solution"]
            if not corpus.normal_forms(program) <= tests.published:
                found.append({"task": task["task_id"], "program": program})
    return {"looked_at": looked_at, "found": found}


def main():
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command", required=True)
    draw = commands.add_parser("draw")
    draw.add_argument("count", type=int)
    draw.add_argument("--seed", type=int, default=7)
    draw.add_argument("--unguarded", action="store_true")
    commands.add_parser("read").add_argument("file")
    commands.add_parser("published").add_argument("files", nargs="+")
    options = parser.parse_args()
    if options.command == "draw":
        result = report(drawn(options.count, options.seed, options.unguarded))
    elif options.command == "read":
        result = report(read(options.file))
    else:
        result = without_digest(options.files)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
