"""Cuts a program out of a model's answer the way EvalPlus's ``sanitize`` does.

The rules are those of evalplus/sanitize.py (EvalPlus 0.3.1), written anew on Python's own ``ast``:

1. ANSI escapes are deleted.
2. The fragment is the range of at least two lines that parses and has the most non-blank lines;
   where none parses, the first line.
3. Of the fragment's top-level statements, imports and definitions stay; with an entry point, only
   the definitions reachable from it.

The original walks a tree-sitter tree. Differences remain for lone carriage returns, identifiers
that NFKC changes, parenthesised assignment targets, and first lines that do not parse. Where the
original raises (NUL characters, lone surrogates, nesting beyond the interpreter's limits) the
range in question counts as not parsing.

The text is untrusted: it is parsed, never executed, and nothing here recurses over it. Run as a
script this is a server: one JSON object a line in, one a line out, each text in a process of its
own that cannot take the server down.
"""

import ast
import codeop
import json
import os
import re
import resource
import select
import signal
import sys
import time
import warnings

# Why a program looks as it does; ai.lockstep.harness.extract.SanitizeReason has the same spellings.
DEFINITIONS = "definitions"
IMPORTS_ONLY = "imports_only"
FRAGMENT = "fragment"
FIRST_LINE = "first_line"
SEARCH_LIMIT = "search_limit"
EMPTY = "empty"
FAILED = "failed"

# Of one text, in the server. The search's own limit ends after about a fifth of it.
SECONDS_LIMIT = 60
MEMORY_LIMIT = 2 << 30

# The search is quadratic for texts made to be slow: it gives up here, after some seconds and at the
# same place on every machine. An answer of 200 lines needs at most a tenth of it.
MAX_PARSED_CHARACTERS = 10_000_000
# The parser stops at an error, only the tokenizer reads on; it is about this many times faster.
_TOKENIZER_SPEED = 16

# Makes the compiler tell "this cannot be the beginning of a program" from "not complete yet".
_ALLOW_INCOMPLETE_INPUT = getattr(codeop, "PyCF_ALLOW_INCOMPLETE_INPUT", 0)

# ESC [ ... of control sequences, and the two-character escapes ESC @ to ESC _ but for ESC [.
_ANSI_ESCAPE = re.compile(r"\x1b(?:[@-Z\\-_]|\[[0-?]*[ -/]*[@-~])")
_LINE_END = re.compile(rb"\r\n|\r|\n")
_REST_OF_STATEMENT = re.compile(rb"[ \t\f]*;")
_COMMENT = re.compile(rb"[ \t\f]*#[^\n]*")
_COMMENT_LINE = re.compile(rb"([ \t\f]*)#[^\n]*")
_BLANK_LINE = re.compile(rb"[ \t\f\r]*\Z")


def sanitize(text, entry_point=None):
    """The program in ``text`` and one of the reasons above.

    Depends on nothing but its arguments and the Python version. ``entry_point``: the function that
    will be called; None or empty keeps every definition.
    """
    fragment, reason = _longest_fragment(_ANSI_ESCAPE.sub("", text))
    # The original's parser does not mind that a lone first line is indented.
    source = fragment.lstrip(" \t") if reason == FIRST_LINE else fragment
    tree = _parse(source)
    if tree is None or not fragment.strip():
        return fragment, reason if fragment.strip() else EMPTY
    imports, definitions = _statements(tree, source.encode("utf-8"))
    if entry_point:
        reachable = _reachable(entry_point, definitions)
        definitions = [d for d in definitions if d.name in reachable]
    kept = imports + [d.source for d in definitions]
    program = b"\n".join(kept).decode("utf-8").strip()
    if not program:
        return fragment, reason
    if reason != SEARCH_LIMIT:
        reason = DEFINITIONS if definitions else IMPORTS_ONLY
    return program, reason


def binds(program, name):
    """Whether executing ``program`` may bind ``name`` in its globals, as far as its text shows."""
    tree = _parse(program)
    if tree is None:
        return False
    pending = list(tree.body)
    while pending:
        node = pending.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            if node.name == name:
                return True
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id == name:
            return True
        if isinstance(node, ast.alias):
            bound = node.asname or node.name.partition(".")[0]
            if bound == name:
                return True
        pending.extend(ast.iter_child_nodes(node))
    return False


def _longest_fragment(text):
    """Rule 2, with the answer of trying every range but far fewer parses: the ends that cannot
    beat the best range are left out, and those that an error before them has decided already."""
    lines = text.split("\n")
    filled = [0]
    for line in lines:
        filled.append(filled[-1] + bool(line.strip()))
    attempts = _Attempts(lines)
    best, best_range = 0, None
    shortest = 1
    try:
        for start in range(len(lines) - 1):
            # The shortest range of this start that would be better.
            shortest = max(shortest, start + 1)
            while shortest < len(lines) and filled[shortest + 1] - filled[start] <= best:
                shortest += 1
            if shortest == len(lines):
                break
            end = attempts.last_viable_end(start, shortest)
            while end >= shortest:
                hope = attempts.parse(start, end)
                if hope is None:
                    best, best_range = filled[end + 1] - filled[start], (start, end)
                    # Of equally good ranges the first wins: blank lines at the end may still go.
                    while filled[shortest + 1] - filled[start] < best:
                        shortest += 1
                    hope = end - 1
                end = hope
    except _SearchLimit:
        return _fragment(lines, best_range), SEARCH_LIMIT
    return _fragment(lines, best_range), FIRST_LINE if best_range is None else FRAGMENT


def _fragment(lines, best_range):
    start, end = best_range or (0, 0)
    return "\n".join(lines[start : end + 1])


class _SearchLimit(Exception):
    pass


class _Attempts:
    """Parses ranges of lines and counts what that costs."""

    def __init__(self, lines):
        self.lines = lines
        self.budget = MAX_PARSED_CHARACTERS

    def last_viable_end(self, start, shortest):
        """The last end of a range from ``start`` that no error before it has decided; less than
        ``shortest`` when there is none from there on."""
        if not self._viable(start, shortest):
            return shortest - 1
        viable, hopeless = shortest, len(self.lines)
        while hopeless - viable > 1:
            middle = (viable + hopeless) // 2
            if self._viable(start, middle):
                viable = middle
            else:
                hopeless = middle
        return viable

    def parse(self, start, end):
        """None when the range parses, else the last shorter end worth trying."""
        error = self._error(start, end, 0)
        if error is None:
            return None
        if isinstance(error, SyntaxError) and _stays_open(error.msg):
            # Open from that line to the end of this range, so no end in between closes it.
            line = start + (error.lineno or 0) - 1
            if start <= line <= end and _quotes(error, self.lines[line]):
                return line - 1
        return end - 1

    def _viable(self, start, end):
        error = self._error(start, end, _ALLOW_INCOMPLETE_INPUT)
        if isinstance(error, SyntaxError):
            # Anything but "incomplete input" was found without looking at the end.
            return not _ALLOW_INCOMPLETE_INPUT or error.msg == "incomplete input"
        # A NUL or a lone surrogate spoils every range that holds it.
        return not isinstance(error, ValueError)

    def _error(self, start, end, flags):
        text = "\n".join(self.lines[start : end + 1])
        cost = len(text)
        try:
            _parse_or_raise(text, flags)
            return None
        except SyntaxError as error:
            line = start + (error.lineno or 0) - 1
            if start <= line <= end and _quotes(error, self.lines[line]):
                cost = sum(map(len, self.lines[start : line + 1])) + cost // _TOKENIZER_SPEED
            return error
        except (MemoryError, RecursionError, ValueError) as error:
            return error
        finally:
            self.budget -= cost
            if self.budget < 0:
                raise _SearchLimit


def _stays_open(message):
    return message.endswith("' was never closed") or message.startswith("unterminated triple-")


def _quotes(error, line):
    """Whether an error's line number can be believed: inside f-strings it is relative to them."""
    return error.text is not None and error.text.rstrip("\r\n") == line.rstrip("\r")


def _parse_or_raise(text, flags=0):
    with warnings.catch_warnings():
        # Invalid escapes only warn, whatever the interpreter was told to do with warnings.
        warnings.simplefilter("ignore")
        return compile(text, "<answer>", "exec", ast.PyCF_ONLY_AST | flags, dont_inherit=True)


def _parse(text):
    try:
        return _parse_or_raise(text)
    # UnicodeEncodeError, from lone surrogates, is a ValueError.
    except (SyntaxError, MemoryError, RecursionError, ValueError):
        return None


class _Definition:
    def __init__(self, name, node, source):
        self.name = name
        self.node = node
        self.source = source


def _statements(tree, source):
    """Rule 3 without reachability: import texts, and the first definition of each name."""
    starts = [0] + [end.end() for end in _LINE_END.finditer(source)]

    def position(line, column):
        return starts[line - 1] + column

    def text(node, end=None):
        if end is None:
            end = position(node.end_lineno, node.end_col_offset)
        return source[position(node.lineno, node.col_offset) : end]

    imports, definitions, names = [], [], set()
    for node in tree.body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            if not _is_future(node):
                imports.append(text(node))
            continue
        if isinstance(node, ast.ClassDef):
            name, keep = node.name, not node.decorator_list
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            name, keep = node.name, not node.decorator_list and _returns(node)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            name, keep = _assigned_name(node, source, position), True
        else:
            continue
        if keep and name not in names:
            names.add(name)
            end = None
            if hasattr(node, "body"):
                end = _end_with_comments(node, source, position)
            definitions.append(_Definition(name, node, text(node, end)))
    return imports, definitions


def _is_future(node):
    return isinstance(node, ast.ImportFrom) and node.module == "__future__" and not node.level


def _returns(node):
    return any(isinstance(inner, ast.Return) for inner in ast.walk(node))


def _assigned_name(node, source, position):
    """The first identifier that is a direct part of the assignment: its target; else, when there
    is one target, a right side that is a bare name; else None."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    if isinstance(targets[0], ast.Name):
        return targets[0].id
    value = node.value
    if len(targets) == 1 and isinstance(value, ast.Name):
        statement_start = position(node.lineno, node.col_offset)
        before = source[statement_start : position(value.lineno, value.col_offset)]
        if before.rstrip().endswith(b"="):
            return value.id
    return None


def _end_with_comments(node, source, position):
    """Where a compound statement ends when the comments behind its last statement belong to it:
    the one on the same line, and whole lines indented at least like its body."""
    end = position(node.end_lineno, node.end_col_offset)
    for rest in (_REST_OF_STATEMENT, _COMMENT):
        match = rest.match(source, end)
        if match:
            end = match.end()
    first = node.body[0]
    line_start = position(first.lineno, 0)
    margin = source[line_start : position(first.lineno, first.col_offset)]
    header_line = position(node.lineno, 0) == line_start
    if header_line or margin.strip() or source[:line_start].rstrip(b"\r\n").endswith(b"\\"):
        return end
    indent = _width(margin)
    line_end = source.find(b"\n", end)
    while line_end >= 0:
        line_start = line_end + 1
        line_end = source.find(b"\n", line_start)
        line = source[line_start : line_end if line_end >= 0 else len(source)]
        comment = _COMMENT_LINE.match(line)
        if comment and _width(comment.group(1)) >= indent:
            end = line_start + comment.end()
        elif not _BLANK_LINE.match(line):
            break
    return end


def _width(margin):
    """Columns of leading white space as tree-sitter-python's scanner counts them."""
    width = 0
    for byte in margin:
        width = 0 if byte == 0x0C else width + (8 if byte == 0x09 else 1)
    return width


def _reachable(entry_point, definitions):
    """Names that can be reached from ``entry_point`` over the identifiers of definitions."""
    identifiers = {d.name: _identifiers(d.node) for d in definitions}
    seen, pending = {entry_point}, [entry_point]
    while pending:
        for name in identifiers.get(pending.pop(), ()):
            if name not in seen:
                seen.add(name)
                pending.append(name)
    return seen


def _identifiers(root):
    """Every identifier token inside a definition; no scoping."""
    found = set()
    for node in ast.walk(root):
        for field in ("id", "attr", "arg", "name", "asname", "module", "rest"):
            value = getattr(node, field, None)
            if isinstance(value, str):
                found.update(value.split("."))
        for field in ("names", "kwd_attrs"):
            found.update(value for value in getattr(node, field, ()) if isinstance(value, str))
    return found


def answer(request):
    """The server's answer to {"text": ..., "entry_point": ... or null}."""
    program, reason = sanitize(request["text"], request["entry_point"])
    defines = bool(request["entry_point"]) and binds(program, request["entry_point"])
    return {"program": program, "reason": reason, "defines_entry_point": defines}


def serve(requests, answers):
    """Answers until ``requests`` ends. A text that breaks its process is answered unchanged."""
    for line in requests:
        request = json.loads(line)
        result = _answer_in_child(request)
        if not result:
            failed = {"program": request["text"], "reason": FAILED, "defines_entry_point": False}
            result = json.dumps(failed).encode("ascii")
        answers.write(result + b"\n")
        answers.flush()


def _answer_in_child(request):
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(read_end)
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
            result = json.dumps(answer(request)).encode("ascii")
            with os.fdopen(write_end, "wb") as pipe:
                pipe.write(result)
            os._exit(0)
        finally:
            os._exit(1)
    os.close(write_end)
    result, ended = _read_until(read_end, time.monotonic() + SECONDS_LIMIT)
    os.close(read_end)
    if not ended:
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return result if status == 0 else b""


def _read_until(descriptor, deadline):
    parts = []
    while select.select([descriptor], [], [], max(0, deadline - time.monotonic()))[0]:
        part = os.read(descriptor, 1 << 16)
        if not part:
            return b"".join(parts), True
        parts.append(part)
    return b"", False


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
