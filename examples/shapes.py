r"""Shape comments, executed. `h = x @ W  # (B, H)` claims something; while a program runs, this file holds it against the real array.

What is a shape comment? It stands at the end of a line and begins with a tuple of sizes: numbers, symbols, and sums,
products or powers of them. It speaks of what the line assigns, or returns.

    # (B, H)                        every name that the line assigns
    # (N, F) each, in data order    the words after it are free; `each (N, F)` is the same
    # (D, H), (H,)                  one tuple for each name, in their order
    # p (S,)                        the name p alone, if the line assigns one
    # (B, H), at first (H,)         the first time in a call another shape; `at last`: the last time
    # (..., n, 1) * (k,)            of the two factors of a product, also with @
    field: np.ndarray  # (S,)       in a NamedTuple: of that field of every instance that comes by

When does it hold? The number of axes is right ((B,) is not (B, 1)), and every symbol means one number:

    * if the run says which (`tiny_runs.py`: B = 3, D = 5, ...), that one. All sizes of a run are different, most of them
      primes, so that no mistake hides behind two sizes that happen to be equal;
    * if the function has a variable of that name that holds an integer, that integer;
    * in one call of a function, and in one NamedTuple, always the same. Where the run gives a *set* of numbers, H = {7, 11},
      it may change from line to line within one call: a loop over layers makes the hidden size do so. Within one line it
      may not. (A tuple of numbers: one in each call.)

How it is done: `sys.settrace` calls us at every line. When the next line begins, the one before has assigned its names.
"""

import ast
import io
import re
import sys
import tokenize
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np

TERM = r"(?:\d+ ?)?[A-Za-z_]\w*|\d+"
SIZE = re.compile(rf"(?:\.\.\.|(?:{TERM})(?: ?[-+*·^] ?(?:{TERM}))*)")
ONE = r"(?:(?P<name>[\w.]+) )?\((?P<sizes>[^()]*)\)"


class Claim(NamedTuple):
    """What the comment of one line says."""

    line: int
    text: str
    shapes: list  # pairs (name or None, sizes)
    joint: str  # between them: "," or "*" or "@"
    other: dict  # "first", "last" -> sizes


def sizes_of(text):
    """The sizes in `B, D + 1`, as a list of texts; None if that is no tuple of sizes."""
    sizes = [part.strip() for part in text.split(",")]
    sizes = sizes[:-1] if len(sizes) > 1 and not sizes[-1] else sizes
    return sizes if "," in text and all(SIZE.fullmatch(size) for size in sizes) else None


def parse(comment, line):
    """The Claim of a comment, None if it makes none: `(B, H), then words`, not `(now, or in an hour)`."""
    shapes, rest, joint = [], comment.lstrip("# "), ","
    while found := re.match(ONE, rest):
        sizes = sizes_of(found["sizes"])
        if sizes is None:
            break
        shapes.append((None if found["name"] == "each" else found["name"], sizes))
        rest = rest[found.end() :]
        between = re.match(r"(?:, | (?P<sign>[*@]) )(?=(?:[\w.]+ )?\()", rest)
        if not between:
            break
        joint, rest = between["sign"] or joint, rest[between.end() :]
    other = {when: sizes_of(sizes) for when, sizes in re.findall(r"at (first|last) \(([^()]*)\)", rest)}
    return Claim(line, comment, shapes, joint, other) if shapes else None


class Statement:
    """One statement of a file: the names that it assigns, as code that reads them, and what its comment claims."""

    def __init__(self, node, claim):
        self.node, self.claim, self.line = node, claim, node.lineno
        self.returns = isinstance(node, ast.Return)
        self.targets = [(ast.unparse(t), compile_load(t)) for t in targets_of(node)]


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
        self.statements, self.fields = {}, {}
        for node in ast.walk(self.tree):  # from the outside in, so that the innermost statement keeps a line
            if isinstance(node, ast.stmt):
                last = max(node.lineno, node.body[0].lineno - 1) if getattr(node, "body", None) else node.end_lineno
                lines = range(node.lineno, last + 1)
                claim = next((self.claims[line] for line in lines if line in self.claims), None)
                self.statements |= dict.fromkeys(lines, Statement(node, claim))
            if isinstance(node, ast.ClassDef):
                self.fields[node.name] = {field.target.id: field.lineno for field in node.body if isinstance(field, ast.AnnAssign)}


class Mismatch(Exception):
    """A shape that is not the one claimed."""


def compute(size, known):
    """The number that a size like `2 jump + 1` is, with known symbols."""
    text = re.sub(r"(\d) ?(?=[A-Za-z_])", r"\1*", size).replace("^", "**").replace("·", "*")
    return eval(re.sub(r"[A-Za-z_]\w*", lambda word: str(known[word[0]]), text), {"__builtins__": {}})


def match(sizes, shape, known, declared):
    """Mismatch unless the shape is that; `known` learns the symbols that were new. declared: {symbol: its possible numbers}."""
    if sizes[0] == "...":
        sizes = sizes[1:]
        shape = shape[max(0, len(shape) - len(sizes)) :]
    if len(sizes) != len(shape):
        raise Mismatch(f"it has {len(shape)} axes, not {len(sizes)}")
    pairs = list(zip(sizes, shape))
    while pairs:
        news = [{word for word in re.findall(r"[A-Za-z_]\w*", size) if word not in known} for size, _ in pairs]
        at = min(range(len(pairs)), key=lambda i: len(news[i]))  # what leaves least open comes first
        (size, length), new = pairs.pop(at), sorted(news[at])
        if len(new) > 1:
            raise Mismatch(f"{size} cannot be checked: {' and '.join(new)} are both unknown here")
        for symbol in new:  # try numbers until one fits
            fits = [n for n in range(length + 1) if compute(size, known | {symbol: n}) == length]
            if not fits:
                raise Mismatch(f"no {symbol} makes {size} {length}")
            known[symbol] = fits[0]
            if fits[0] not in declared.get(symbol, fits):
                raise Mismatch(f"{symbol} would be {fits[0]}: in this run it is {' or '.join(map(str, declared[symbol]))}")
        if compute(size, known) != length:
            raise Mismatch(f"{size} is {compute(size, known)}, not {length}")


def array_of(value):
    """The array of a Tensor; anything else as it is."""
    data = getattr(value, "data", None)
    return data if isinstance(data, np.ndarray) else value


def arrays(value):
    """The value if it has a shape, else the items of a list or tuple; Mismatch for anything else."""
    value = array_of(value)
    if hasattr(value, "shape") or isinstance(value, (int, float)):
        return [value]
    if isinstance(value, (list, tuple)) and value:
        return [array for item in value for array in arrays(item)]
    raise Mismatch(f"a {type(value).__name__} has no shape")


class Tracer:
    """Follows a run through some Sources: which lines ran, what they assigned at first, which claims failed.

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
        return Call(self, source).event

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
            self.shown[key] = self.describe(pairs)


def assign(claim, pairs):
    """(sizes, name, value) for every name that the claim speaks of; Mismatch if the names do not fit."""
    if not pairs:
        raise Mismatch("the line assigns nothing")
    if claim.shapes[0][0]:
        values = {name.split(".")[-1]: value for name, value in pairs} | dict(pairs)
        if wrong := [name for name, _ in claim.shapes if name not in values]:
            raise Mismatch(f"the line assigns no {wrong[0]}")
        return [(sizes, name, values[name]) for name, sizes in claim.shapes]
    if len(claim.shapes) == 1:
        return [(claim.shapes[0][1], name, value) for name, value in pairs]
    if len(pairs) == 1 and isinstance(pairs[0][1], (tuple, list)):
        pairs = [(f"{pairs[0][0]}[{i}]", item) for i, item in enumerate(pairs[0][1])]
    if len(pairs) != len(claim.shapes):
        raise Mismatch(f"{len(claim.shapes)} shapes for {len(pairs)} names")
    return [(sizes, name, value) for (_, sizes), (name, value) in zip(claim.shapes, pairs)]


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
            pairs = []
            for text, code in statement.targets:
                try:
                    pairs.append((text, eval(code, frame.f_globals, frame.f_locals)))
                except Exception:  # a loop that found nothing, an index that has moved on
                    pass
            self.note(statement, pairs, frame)

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
    read = lambda part: eval(compile_load(part), frame.f_globals, frame.f_locals)
    while isinstance(node, (ast.IfExp, ast.Subscript)):
        node = node.value if isinstance(node, ast.Subscript) else node.body if read(node.test) else node.orelse
    two = []
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult if sign == "*" else ast.MatMult):
        two = [node.left, node.right]
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "np.matmul" and sign == "@":
        two = node.args
    return [(ast.unparse(part), read(part)) for part in two]
