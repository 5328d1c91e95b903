r"""Read a file of this project with the live shapes and values of a tiny run in the margin.

    python -m examples.read models/made.py              the whole file
    python -m examples.read rl/ddpg.py targets          one function of it
    python -m examples.read --check                     all shape comments: which are wrong, which were never reached

What stands in the margin is what a line has just assigned, the first time it ran: name, shape, the first numbers; after ->
what a line returned. Kernels run as plain Python, so that their lines can be watched, too.

A comment at a line's end that begins with a shape, `h = sigmoid(a)  # (B, H)`, speaks of what the line assigns or returns,
or, in a NamedTuple, of a field. --check binds the letters to the real arrays: within one call of a function a letter means
one number, and (B,) is not (B, 1). Only H may change from line to line, as layers have different sizes.

The common mistake. To believe a shape comment that nobody executes.
"""

import argparse
import ast
import os
import re
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
SHAPE = re.compile(r"#\s*\(([^()]*)\)")
LETTERS_OF = {"D": "dim", "S": "n_states", "A": "n_actions"}  # what an object named self, model, mdp or env knows
WIDTH = 46


class Source:
    """A file: its lines, its statements by line, and the shapes that its comments claim."""

    def __init__(self, path):
        self.path, self.lines = Path(path), Path(path).read_text(encoding="utf-8").splitlines()
        self.tree = ast.parse("\n".join(self.lines))
        self.statement, self.claims, self.fields = {}, {}, {}
        for node in ast.walk(self.tree):
            if isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Return)):
                self.statement |= dict.fromkeys(range(node.lineno, node.end_lineno + 1), node)
                if shapes := claimed(self.lines[node.end_lineno - 1]):
                    self.claims[node.lineno] = shapes
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ClassDef):
                lines = {f.target.id: f.lineno for f in node.body if isinstance(f, ast.AnnAssign) and f.lineno in self.claims}
                self.fields |= {node.name: lines} if lines else {}


def claimed(line):
    """The shapes that a line's comment claims, each a list of texts, one for each axis; several if it says `at first`."""
    comment = re.search(r"#\s*\([^()]*\).*$", line)
    if not comment or "..." in comment.group() or not re.match(r"#\s*\((\w+ ?[\w+* ]*,|\w[\w+* ]*,\s*\w)", comment.group()):
        return []
    groups = SHAPE.findall(comment.group()) + (re.findall(r"at first \(([^()]*)\)", comment.group()))
    groups = groups if "at first" in comment.group() else groups[:1]
    return [[axis.strip() for axis in group.split(",") if axis.strip()] for group in groups]


def size(axis, letters):
    """What "n + m" or "2 jump" comes to, or None while a letter in it is unknown."""
    total = 0
    for term in axis.split("+"):
        product = 1
        for factor in term.replace("*", " ").split():
            value = int(factor) if factor.isdigit() else letters.get(factor)
            if value is None:
                return None
            product *= value
        total += product
    return total


def matches(shape, axes, letters):
    """Whether a real shape can be the claimed one; binds letters that were free."""
    if len(shape) != len(axes):
        return False
    for n, axis in zip(shape, axes):
        known = size(axis, letters)
        if known is None and axis.isidentifier():
            letters[axis] = n
        elif known is not None and known != n:
            return False
    return True


def shape_of(value):
    """The shape of an array or a Tensor, else None."""
    shape = getattr(value, "shape", None)
    return shape if isinstance(shape, tuple) and all(isinstance(n, int) for n in shape) else None


def names_of(target):
    """The names and attributes that an assignment's target binds, as source text; parts of arrays are left out."""
    if isinstance(target, (ast.Tuple, ast.List)):
        return [name for part in target.elts for name in names_of(part)]
    if isinstance(target, ast.Starred):
        return names_of(target.value)
    return [ast.unparse(target)] if isinstance(target, (ast.Name, ast.Attribute)) else []


def assigned(node, frame, returned):
    """[(name, value)] of what a statement has just done."""
    if isinstance(node, ast.Return):
        return [("->", returned)]
    found = []
    for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
        for name in names_of(target):
            owner, *attributes = name.split(".")
            value = frame.f_locals.get(owner)
            for attribute in attributes:
                value = getattr(value, attribute, None)
            found.append((name, value))
    return found


class Watcher:
    """Follows every line of the given sources while something runs."""

    def __init__(self, sources):
        self.sources = {str(source.path): source for source in sources}
        self.margin, self.reached, self.wrong = {}, set(), {}

    def run(self, function):
        """Run a function and watch."""
        before = sys.gettrace()
        sys.settrace(self.enter)
        try:
            function()
        finally:
            sys.settrace(before)

    def enter(self, frame, event, argument):
        """A call: watch its lines if it is in one of our files."""
        source = self.sources.get(frame.f_code.co_filename)
        if source is None or frame.f_code.co_name.startswith("<"):  # a comprehension is part of a statement
            return None
        letters, last = {}, [None]

        def line(frame, event, argument):
            if event == "exception":
                last[0] = None
                return line
            node = source.statement.get(last[0]) if last[0] else None
            left = source.statement.get(frame.f_lineno) is not node  # several lines of one statement run back and forth
            if node is not None and (event == "return" or left or node.lineno == node.end_lineno):
                self.look(source, node, frame, letters, argument if event == "return" else None)
            last[0] = frame.f_lineno
            return line

        return line

    def look(self, source, node, frame, letters, returned):
        """Note what a statement assigned, and compare with its comment."""
        place = str(source.path), node.end_lineno
        if place in self.margin and node.lineno not in source.claims:
            return
        values = assigned(node, frame, returned)
        if place not in self.margin:
            self.margin[place] = [(name, describe(value)) for name, value in values]
        for _, value in values:
            self.look_at_fields(value)
        shapes = [(name, shape) for name, value in values if (shape := shape_of(value)) is not None]
        if node.lineno not in source.claims or not shapes:
            return
        self.reached.add((str(source.path), node.lineno))
        for owner in ("self", "model", "mdp", "env"):
            for letter, attribute in LETTERS_OF.items():
                known = getattr(frame.f_locals.get(owner), attribute, None)
                letters |= {letter: known} if isinstance(known, int) else {}
        local = {name: int(v) for name, v in frame.f_locals.items() if isinstance(v, (int, np.integer)) and len(name) > 1 or name in "nmK" and isinstance(v, int)}
        letters.pop("H", None)  # another layer, another size
        for name, shape in shapes:
            scope = local | letters
            if not any(matches(shape, axes, scope) for axes in source.claims[node.lineno]):
                self.complain(source, node, f"{name} has shape {shape}", scope)
            letters |= {letter: n for letter, n in scope.items() if letter not in local}

    def look_at_fields(self, value):
        """The fields of a NamedTuple or dataclass of ours, against the comments in its class."""
        if type(value) in (list, tuple):
            for part in value[:3]:
                self.look_at_fields(part)
        module = sys.modules.get(type(value).__module__)
        source = self.sources.get(str(getattr(module, "__file__", "")))
        fields = source.fields.get(type(value).__name__, {}) if source else {}
        letters = {}
        for name, lineno in fields.items():
            shape = shape_of(getattr(value, name))
            if shape is None:
                continue
            self.reached.add((str(source.path), lineno))
            if not any(matches(shape, axes, letters) for axes in source.claims[lineno]):
                self.complain(source, source.statement[lineno], f"{type(value).__name__}.{name} has shape {shape}", letters)

    def complain(self, source, node, what, letters):
        """Remember the first disagreement of a line."""
        text = SHAPE.search(source.lines[node.end_lineno - 1]).group()[2:]
        known = ", ".join(f"{letter} = {n}" for letter, n in letters.items() if letter in text)
        self.wrong.setdefault((str(source.path), node.end_lineno), f"{what}, and the comment says {text}" + (f" with {known}" if known else ""))

    def unreached(self):
        """[(path, line)] of the claims that no run has come to."""
        claims = {(str(source.path), line) for source in self.sources.values() for line in source.claims}
        return sorted(claims - self.reached)


def describe(value):
    """A value in a few letters: shape and first numbers."""
    shape = shape_of(value)
    if shape is None:
        try:
            return repr(value).replace("\n", " ")[:24]
        except AttributeError:  # an object of ours that is still being made
            return type(value).__name__
    array = np.asarray(getattr(value, "data", value)) if not isinstance(value, np.ndarray) else value
    numbers = " ".join(f"{n:.3g}" if isinstance(n, (float, int, np.number)) else str(n) for n in array.ravel()[:3].tolist())
    return f"{''.join(str(shape).split())} {numbers}{' ..' if array.size > 3 else ''}"


def our_files():
    """Sources of the three floors that a tiny run goes through."""
    return [Source(path) for floor in ("minigrad", "models", "rl") for path in sorted((ROOT / floor).rglob("*.py"))]


def printed(source, watcher, name=None):
    """The lines of a file, or of one function or class in it, with their margin. ValueError if there is no such function."""
    first, last = 1, len(source.lines)
    if name:
        found = [n for n in ast.walk(source.tree) if isinstance(n, (ast.FunctionDef, ast.ClassDef)) and n.name == name]
        if not found:
            raise ValueError(f"read: there is no {name!r} in {source.path.relative_to(ROOT).as_posix()}")
        first, last = found[0].lineno, found[0].end_lineno
    for number in range(first, last + 1):
        notes = watcher.margin.get((str(source.path), number), [])
        note = "; ".join(text if name == "" else f"{name} {text}" for name, text in notes)
        note = note if len(note) < WIDTH else note[: WIDTH - 3] + ".."
        yield f"{note:<{WIDTH}}|{number:4} {source.lines[number - 1]}".rstrip()


def check():
    """Print every shape comment that is wrong or was never reached; returns how many there are."""
    from . import tiny

    watcher = Watcher(our_files())
    for run in tiny.RUNS:
        watcher.run(run)
    complaints = sorted(watcher.wrong.items()) + [(place, "no tiny run comes here") for place in watcher.unreached()]
    for (path, line), text in complaints:
        print(f"{Path(path).relative_to(ROOT).as_posix()}:{line}: {text}")
    print(f"{len(watcher.reached)} shape comments executed, {len(watcher.wrong)} wrong, {len(watcher.unreached())} not reached")
    return len(complaints)


def main():
    """Print one file, or check all."""
    os.environ["NUMBA_DISABLE_JIT"] = "1"  # before anything imports numba
    sys.stdout.reconfigure(errors="replace")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?", type=Path, help="a file of minigrad/, models/ or rl/")
    parser.add_argument("name", nargs="?", help="one function or class of it")
    parser.add_argument("--check", action="store_true", help="execute all shape comments")
    chosen = parser.parse_args()
    if chosen.check:
        return 1 if check() else 0
    path = (ROOT / chosen.file).resolve() if chosen.file else None
    if path is None or not path.is_file() or path.suffix != ".py" or path.relative_to(ROOT).parts[0] not in ("minigrad", "models", "rl"):
        print(f"read: needs a file of minigrad/, models/ or rl/, such as models/made.py, not {chosen.file}")
        return 2
    from . import tiny

    watcher = Watcher([Source(path)])
    for run in tiny.RUNS:
        watcher.run(run)
    try:
        print("\n".join(printed(Source(path), watcher, chosen.name)))
    except ValueError as error:
        print(error)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
