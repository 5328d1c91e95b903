r"""Watching a run of our own files: which lines ran, what they assigned, and whether their shape comments hold.

`sys.settrace` has Python call us at every line. When the next line of a function begins, the one before has assigned its
names: then they are read, out of the function's own variables. Compiled code is not seen, so kernels must run as plain
Python (NUMBA_DISABLE_JIT).
"""

import ast
import io
import re
import sys
import tokenize
from contextlib import contextmanager, suppress
from functools import cached_property

import numpy as np

from .shapes import Mismatch, arrays, assign, match, parse


class Statement:
    """One statement of a file: the names that it assigns, as code that reads them, and what its comment claims."""

    def __init__(self, node, claim):
        self.node, self.claim, self.line = node, claim, node.lineno
        self.returns = isinstance(node, ast.Return)

    @cached_property
    def targets(self):
        """Pairs (text, code that reads it); made when first needed, as most statements of a file never are."""
        return [(ast.unparse(target), compile_load(target)) for target in targets_of(self.node)]


def targets_of(node):
    """What a statement assigns to: names, attributes, items."""
    found = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, (ast.AugAssign, ast.For)) else []
    if isinstance(node, ast.AnnAssign) and node.value:
        found = [node.target]
    if isinstance(node, ast.With):
        found = [item.optional_vars for item in node.items if item.optional_vars]
    if isinstance(node, (ast.If, ast.While)):
        found = [walrus.target for walrus in ast.walk(node.test) if isinstance(walrus, ast.NamedExpr)]
    found = list(found)
    for target in found:
        if isinstance(target, (ast.Tuple, ast.List)):
            found += target.elts
    found = [t.value if isinstance(t, ast.Starred) else t for t in found]
    return [t for t in found if not isinstance(t, (ast.Tuple, ast.List))]


def compile_load(node):
    """Code that reads an expression."""
    return compile(ast.parse(ast.unparse(node), mode="eval"), "<shapes>", "eval")


class Source:
    """A file: its lines, which statement each belongs to, its claims, and the classes whose fields have some."""

    def __init__(self, path, name=None):
        text = path.read_text(encoding="utf-8")
        self.path, self.name, self.lines, self.tree = path, name or path.name, text.splitlines(), ast.parse(text)
        comments = [t for t in tokenize.generate_tokens(io.StringIO(text).readline) if t.type == tokenize.COMMENT]
        trailing = [t for t in comments if t.line[: t.start[1]].strip()]
        self.claims = {t.start[0]: claim for t in trailing if (claim := parse(t.string, t.start[0]))}
        self.statements, self.fields, self.entries = {}, {}, {}
        for node in ast.walk(self.tree):  # from the outside in, so that the innermost statement keeps a line
            if isinstance(node, ast.stmt):
                last = max(node.lineno, node.body[0].lineno - 1) if getattr(node, "body", None) else node.end_lineno
                lines = range(node.lineno, last + 1)
                claim = next((self.claims[line] for line in lines if line in self.claims), None)
                self.statements |= dict.fromkeys(lines, Statement(node, claim))
            if isinstance(node, ast.FunctionDef):  # Python says that a function begins at its first decorator
                self.entries[min([node.lineno, *(d.lineno for d in node.decorator_list)])] = node.lineno
            if isinstance(node, ast.ClassDef):
                self.fields[node.name] = {field.target.id: field.lineno for field in node.body if isinstance(field, ast.AnnAssign)}


class Tracer:
    """Follows a run through some Sources: which lines ran, what they assigned at first, which claims failed.

    describe: makes the text for the margin of pairs (name, value) and the line's code; None: nothing is kept
    shown:    {(file, line): text} for the margin;  ran: {(file, line)}
    problems: texts, one for each claim that failed;  reached: {(file, line)} of the claims that were checked
    """

    def __init__(self, sources, describe=None):
        self.sources = {str(source.path): source for source in sources}
        self.describe, self.run, self.sizes, self.fixed = describe, "", {}, {}
        self.shown, self.ran, self.problems, self.reached = {}, set(), {}, set()

    @contextmanager
    def watch(self, run="", **sizes):
        """Inside, every call of a function of our Sources is followed. sizes: {symbol: number, tuple or set}."""
        self.run, self.sizes = run, {symbol: n if isinstance(n, (tuple, set)) else (n,) for symbol, n in sizes.items()}
        self.fixed = {symbol: n for symbol, n in sizes.items() if isinstance(n, int)}
        before = sys.gettrace()
        sys.settrace(self.call)
        try:
            yield self
        finally:
            sys.settrace(before)

    def call(self, frame, event, arg):
        """Python calls this at every call of a function; what we return is called at every line of it."""
        source = self.sources.get(frame.f_code.co_filename)
        if source is None or frame.f_code.co_name[0] == "<":  # <listcomp>, <lambda>: part of a line
            return None
        self.ran.add((source.name, source.entries.get(frame.f_code.co_firstlineno)))
        return Call(self, source).event

    def constants(self):
        """What the files themselves assign, outside of functions. It ran when they were imported: look at it now."""
        modules = {str(getattr(module, "__file__", "")): module for module in list(sys.modules.values())}
        for path, source in self.sources.items():
            for node in source.tree.body if path in modules else ():
                pairs = read_all(source.statements[node.lineno], vars(modules[path]), {})
                if pairs:
                    self.show(source, node.lineno, pairs)
                    if node.lineno in source.claims:
                        self.check(source, source.claims[node.lineno], pairs, {})

    def check(self, source, claim, pairs, known, counts=None):
        """Hold a claim against pairs (name, value)."""
        self.reached.add((source.name, claim.line))
        before = known.copy()
        try:
            for sizes, name, value in assign(claim, pairs):
                if counts and counts.get("last"):
                    raise Mismatch(f"{name} had its last shape, yet the line ran again")
                for array in arrays(value):
                    self.compare(claim, sizes, np.shape(array), known, counts or {}, name)
        except Mismatch as error:
            where = f"{source.name}:{claim.line}"
            self.problems.setdefault(where, f"{where}: {claim.text}: {error} (run {self.run or 'without a name'})")
            known.clear()
            known.update(before)
        for symbol, numbers in self.sizes.items():
            if isinstance(numbers, set):
                known.pop(symbol, None)

    def compare(self, claim, sizes, shape, known, counts, name):
        """One array: the shape claimed, or that of the first or last time."""
        tries, errors = [sizes], []
        if "first" in claim.other and counts.get("times") == 1:
            tries = [claim.other["first"]]
        if "last" in claim.other:
            tries = [*tries, claim.other["last"]]
        for number, wanted in enumerate(tries):
            trial = known.copy()
            try:
                match(wanted, shape, trial, self.sizes)
            except Mismatch as error:
                errors.append(str(error))
                continue
            known.update(trial)
            counts["last"] = number == len(tries) - 1 and number > 0
            return
        raise Mismatch(f"{name} is {shape}: {'; '.join(errors)}")

    def instance(self, value):
        """If it is an instance of one of our classes with fields, check these."""
        module = sys.modules.get(type(value).__module__)
        source = self.sources.get(str(getattr(module, "__file__", "")))
        fields = source.fields.get(type(value).__name__, {}) if source else {}
        known = self.fixed | {name: n for name in fields if type(n := getattr(value, name, None)) is int}
        for name, line in fields.items():
            field = getattr(value, name, None)
            self.show(source, line, [(name, field)])
            if line in source.claims:
                self.check(source, source.claims[line], [(name, field)], known)

    def show(self, source, line, pairs):
        """Keep the text of what a line assigned, the first time."""
        key = (source.name, line)
        self.ran.add(key)
        if self.describe and key not in self.shown and pairs:
            self.shown[key] = self.describe(pairs, source.lines[line - 1])


def read_all(statement, variables, local):
    """Pairs (name, value) of what a statement has assigned."""
    pairs = []
    for text, code in statement.targets:
        with suppress(Exception):  # a loop that found nothing, an index that has moved on
            pairs.append((text, eval(code, variables, local)))
    return pairs


class Call:
    """One call of a function: what its symbols mean, and the statement that runs now."""

    def __init__(self, tracer, source):
        self.tracer, self.source, self.known, self.counts = tracer, source, tracer.fixed.copy(), {}
        self.statement, self.leaving = None, None

    def event(self, frame, event, arg):
        """A line begins, the function returns, or an exception flies: then the statement has assigned nothing."""
        if event == "line":
            statement = self.source.statements.get(frame.f_lineno)
            if statement is not self.statement:
                self.finish(frame)
                self.statement = statement
                if statement and statement.returns:
                    self.leaving = statement  # a `with` around it may still run
        elif event == "exception":
            self.statement = self.leaving = None
        elif self.leaving:  # it returns
            self.note(self.leaving, [("", arg)], frame)
        else:
            self.finish(frame)
        return self.event

    def finish(self, frame):
        """The statement has run: read what it assigned, if that is news or a claim."""
        statement, tracer = self.statement, self.tracer
        if statement is None or statement.returns:
            return
        key = (self.source.name, statement.line)
        if statement.claim or key not in tracer.ran or tracer.describe and statement.targets and key not in tracer.shown:
            self.note(statement, read_all(statement, frame.f_globals, frame.f_locals), frame)

    def note(self, statement, pairs, frame):
        """Show and check."""
        tracer, claim = self.tracer, statement.claim
        tracer.show(self.source, statement.line, pairs)
        for _, value in pairs:
            for item in [value, *value[:1]] if type(value) in (list, tuple) else [value]:
                if isinstance(item, tuple) and hasattr(item, "_fields"):
                    tracer.instance(item)
        if claim is None:
            return
        if claim.joint != ",":
            pairs = factors(statement.node.value, claim.joint, frame)
            if not pairs:  # the other branch of a conditional expression
                return
        counts = self.counts.setdefault(claim.line, {"times": 0})
        counts["times"] += 1
        words = {word for _, sizes in claim.shapes for size in sizes for word in re.findall(r"[A-Za-z_]\w*", size)}
        variables = frame.f_locals
        self.known |= {word: int(variables[word]) for word in words if type(variables.get(word)) in (int, np.int64)}
        tracer.check(self.source, claim, pairs, self.known, counts)


def factors(node, sign, frame):
    """The two factors of the product that an expression is, as pairs (text, value); [] if it is none."""
    read = lambda part: eval(compile_load(part), frame.f_globals, frame.f_locals)  # noqa: E731
    while isinstance(node, (ast.IfExp, ast.Subscript)):
        node = node.value if isinstance(node, ast.Subscript) else node.body if read(node.test) else node.orelse
    two = []
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult if sign == "*" else ast.MatMult):
        two = [node.left, node.right]
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "np.matmul" and sign == "@":
        two = node.args
    return [(ast.unparse(part), read(part)) for part in two]
