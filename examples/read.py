r"""A file of ours with what its lines compute beside them: `python -m examples.read models/made.py`.

The question. `h = self.activation(h @ (W * M) + c)` is one line. What goes in, what comes out, of which shape, and what do
such numbers look like? A debugger tells it for one line at a time; here it stands in the margin of all lines at once.

    python -m examples.read models/made.py             the whole file
    python -m examples.read rl/ddpg.py targets         one function, method or class of it
    python -m examples.read --check                    hold all shape comments against the arrays

      99|         h = x  # (B, D)                                            h (3, 5) 0 1 1 1 0 0 0 0 0 0 0 1 ...
     100|         for W, M, c in zip(self.W, hidden_masks, self.c):          W (5, 7); M (5, 7); c (7,) 0 ...
     101|             h = self.activation(h @ (W * M) + c)  # (B, H)         h (3, 7) -0.722 0 -0.53 0.174 0 ...

What to notice. Every part of the library runs, tiny and with all kernels as plain Python (`tiny_runs.py`: a MADE of 5
pixels, a world of 14 cells). A `|` stands before each line that ran, and in the margin what it assigned or returned the
*first* time: the shape, then a few numbers. Where the margin is empty, the line decides something, or calls for an
effect; where there is no `|` it never ran: what raises an error, mostly. All sizes differ, so you see which axis is
which: of (3, 5) the 3 is the batch.

The common mistake. A comment `# (B, D)` that was true once is worse than none. Ours are executed: `--check` finds those
that disagree with what came out, and those that no run reached. A test runs it (`shapes.py` says what such a comment is).
"""

import argparse
import ast
import contextlib
import difflib
import io
import os
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parent.parent
WIDTH, MARGIN = 130, 90  # columns; where the margin begins
FLOORS = ("minigrad/**/*.py", "models/*.py", "rl/**/*.py", "examples/*.py")
EXCUSED = {  # claims that no run reaches, and why
    "examples/make_binarized_mnist.py: # (70000, 98)": "needs the grey digits, which are not in the package",
    "examples/ddpg_ablation.py: # (seeds, T, 3)": "it is in main(), after minutes of training",
}


def our_files():
    """{name: path} of the files that can be read."""
    return {path.relative_to(ROOT).as_posix(): path for floor in FLOORS for path in sorted(ROOT.glob(floor))}


def find(name):
    """The name of our file that is meant, by its path or, if there is but one, its last part; ValueError if there is none."""
    files, given = our_files(), Path(name)
    for path in (Path.cwd() / given, ROOT / given):
        with contextlib.suppress(ValueError):
            if (found := path.resolve().relative_to(ROOT.resolve()).as_posix()) in files:
                return found
    same = [file for file in files if Path(file).stem == given.stem and given.suffix in (".py", "")]
    if len(same) == 1 and len(given.parts) == 1:
        return same[0]
    near = same or difflib.get_close_matches(name, files, 3, 0.5)
    maybe = f"; do you mean {' or '.join(near[:3])}?" if near else ""
    raise ValueError(f"{name} is none of our files: give one of minigrad/, models/ or rl/, such as models/made.py{maybe}")


def span(source, name):
    """First and last line of the function, method or class of that name, as pairs; ValueError if there is none."""
    kinds, found = (ast.FunctionDef, ast.ClassDef), {}

    def collect(node, prefix):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, kinds):
                start = min([child.lineno, *(d.lineno for d in child.decorator_list)])
                found.setdefault(prefix + child.name, []).append((start, child.end_lineno))
            collect(child, f"{prefix}{child.name}." if isinstance(child, kinds) else prefix)

    collect(source.tree, "")
    spans = [pair for full, pairs in found.items() if full == name or full.endswith(f".{name}") for pair in pairs]
    if not spans:
        near = difflib.get_close_matches(name, [n.split(".")[-1] for n in found], 3, 0.5)
        raise ValueError(f"{source.name} has no {name}" + (f"; do you mean {' or '.join(near)}?" if near else ""))
    return spans


def describe(pairs, code):
    """The text for the margin: the names that a line assigned, with shapes and, unless they are np.empty's, a few numbers."""
    room = 0 if "np.empty" in code else WIDTH - MARGIN - 2 * (len(pairs) - 1)
    words = [f"{name} {show(value, room // len(pairs) - len(name) - 1)}".strip() for name, value in pairs]
    text = "; ".join(words)
    return text if len(text) <= WIDTH - MARGIN else f"{text[: WIDTH - MARGIN - 4]} ..."


def show(value, room):
    """A value in about so many letters: of an array the shape, and as many numbers as there is room for."""
    from .shapes import array_of

    array = array_of(value)
    if not isinstance(array, np.ndarray):
        return brief(value)
    words = [*([str(array.shape)] if array.shape else []), *map(brief, array.ravel()[:12].tolist())]
    for count in range(len(words), 1, -1):
        text = " ".join(words[:count]) + " ..." * (count < len(words) or array.size > 12)
        if len(text) <= room:
            return text
    return words[0]


def brief(value):
    """A value in a few letters: of an array the shape alone."""
    if isinstance(value, (bool, np.bool_)):
        return "FT"[int(value)]
    if isinstance(value, (float, np.floating)):
        return f"{value:.3g}"
    if isinstance(value, (int, str, type(None), np.generic, np.dtype)):
        return repr(value) if isinstance(value, str) else str(value)
    if getattr(value, "shape", None) is not None and not isinstance(value, type):
        return str(value.shape)
    if isinstance(value, (list, tuple)):
        name = type(value).__name__ if hasattr(value, "_fields") else ""
        inside = ", ".join(map(brief, value[:8])) + ", ..." * (len(value) > 8)
        inside += "," * (type(value) is tuple and len(value) == 1)
        return f"[{inside}]" if isinstance(value, list) else f"{name}({inside})"
    if isinstance(value, (dict, set)):
        return f"a {type(value).__name__} of {len(value)}"
    return getattr(value, "__name__", None) or f"a {type(value).__name__}"


def trace(names, describe=None):
    """Run all tiny runs, as plain Python, and return what was seen of these files, a tracing.Tracer."""
    os.environ["NUMBA_DISABLE_JIT"] = "1"
    if "numba" in sys.modules and not sys.modules["numba"].config.DISABLE_JIT:
        raise RuntimeError("read: numba compiles already: run this in a process of its own")
    from . import tiny_runs, tracing

    files = our_files()
    tracer = tracing.Tracer([tracing.Source(files[name], name) for name in names], describe)
    with contextlib.redirect_stdout(io.StringIO()):
        tiny_runs.all_of_them(tracer)
    return tracer


def listing(name, part=None):
    """The file, or one function of it, with its margin, as text."""
    tracer = trace([name], describe)
    (source,) = tracer.sources.values()
    spans = span(source, part) if part else [(1, len(source.lines))]
    lines, ran = [], {line for _, line in tracer.ran}
    for number in (number for first, last in spans for number in range(first, last + 1)):
        statement = source.statements.get(number)
        began = statement.line if statement else number
        code = f"{number:4}{'|' if began in ran else ' '} {source.lines[number - 1]}".rstrip()
        text = tracer.shown.get((name, number), "")
        lines += [code, " " * MARGIN + text] if text and len(code) >= MARGIN else [f"{code:<{MARGIN}}{text}".rstrip()]
    if not ran & set(source.entries.values()):
        lines.insert(0, f"(No tiny run calls a function of {name}: so nothing stands beside it.)")
    return "\n".join(lines)


def check():
    """The texts of all claims that failed or were not reached, and how many hold."""
    tracer = trace(our_files())
    claims = [(source.name, claim) for source in tracer.sources.values() for claim in source.claims.values()]
    missed = [(f"{name}: {claim.text}", claim.line) for name, claim in claims if (name, claim.line) not in tracer.reached]
    unknown = [f"{text} in line {line}: no run reaches it" for text, line in missed if text not in EXCUSED]
    stale = [f"{text}: excused, but reached, or no longer there" for text in EXCUSED if text not in dict(missed)]
    return [*tracer.problems.values(), *unknown, *stale], len(tracer.reached) - len(tracer.problems)


def main():
    """Print a file with its margin, or the outcome of the check."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python -m examples.read", description=__doc__, formatter_class=form)
    parser.add_argument("file", nargs="?", help="a file of minigrad/, models/ or rl/")
    parser.add_argument("part", nargs="?", help="a function, method or class of it")
    parser.add_argument("--check", action="store_true", help="hold all shape comments against the arrays")
    chosen = parser.parse_args()
    if chosen.check:
        problems, good = check()
        print("\n".join([*problems, f"{good} shape comments hold, {len(problems)} do not"]))
        return bool(problems)
    if not chosen.file:
        parser.error("give a file, such as models/made.py, or --check")
    try:
        text = listing(find(chosen.file), chosen.part)
    except ValueError as error:
        parser.exit(2, f"read: {error}\n")
    try:
        print(text, flush=True)
    except BrokenPipeError:  # `| head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


if __name__ == "__main__":
    sys.exit(main())
