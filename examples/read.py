r"""A file of ours with what its lines compute beside them: `python -m examples.read models/made.py`.

The question. `h = self.activation(h @ (W * M) + c)` is one line. What goes in, what comes out, of which shape, and what do
such numbers look like? A debugger tells it for one line at a time; here it stands in the margin of all lines at once.

    python -m examples.read models/made.py             the whole file
    python -m examples.read rl/ddpg.py targets         one function, method or class of it
    python -m examples.read --check                    hold all shape comments against the arrays

What to notice. Every part of the library runs once, tiny and with all kernels as plain Python (`tiny_runs.py`: a MADE of 5
pixels, a world of 14 cells). A `|` stands beside each line that ran, and after it what the line assigned or returned
*the first time*: shape, then a few numbers. Where a line has none it decides something, or calls for an effect; where
there is no `|` it never ran: what raises an error, mostly. All sizes differ, so you see which axis is which: of (3, 5)
the 3 is the batch.

The common mistake. A comment `# (B, D)` that was true once is worse than none. Ours are executed: `--check` finds those
that disagree with what came out, and those that no run reached. A test runs it (`shapes.py` says how).
"""

import argparse
import ast
import contextlib
import difflib
import io
import os
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
WIDTH, MARGIN = 130, 92  # columns; where the margin begins
FLOORS = ("minigrad/**/*.py", "models/*.py", "rl/**/*.py", "examples/*.py")
EXCUSED = {  # claims that no run reaches: the line -> why
    "examples/make_binarized_mnist.py:23": "it needs the grey digits, which are not in the package; the file that it made is read by `digits`",
    "examples/ddpg_ablation.py:123": "it is in main(), after minutes of training",
}


def our_files():
    """{name: path} of the files that can be read."""
    return {path.relative_to(ROOT).as_posix(): path for floor in FLOORS for path in sorted(ROOT.glob(floor))}


def find(name):
    """The name of our file that is meant; ValueError if there is none."""
    files, wanted = our_files(), Path(name)
    for path in (wanted if wanted.is_absolute() else Path.cwd() / wanted, ROOT / wanted, ROOT / f"{name}.py"):
        with contextlib.suppress(ValueError):
            if (found := path.resolve().relative_to(ROOT.resolve()).as_posix()) in files:
                return found
    ends = [file for file in files if file.endswith(f"/{wanted.name}")]
    near = ends or difflib.get_close_matches(name, files, 3, 0.5)
    raise ValueError(f"{name} is none of our files: give one of minigrad/, models/, rl/" + (f"; you may mean {' or '.join(near[:3])}" if near else ""))


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
        raise ValueError(f"{source.name} has no {name}" + (f"; you may mean {' or '.join(near)}" if near else ""))
    return spans


def describe(pairs):
    """The text for the margin: the names that a line assigned, with shapes and a few numbers."""
    room = WIDTH - MARGIN - 3
    share = room // len(pairs) - 2 if len(pairs) > 1 else room
    words = []
    for name, value in pairs:
        words.append(f"{name} {show(value, max(8, share - len(name)))}".strip())
    text = "; ".join(words)
    return text if len(text) <= room else text[: room - 3] + "..."


def show(value, room):
    """A value in about so many letters."""
    from .shapes import array_of

    array = array_of(value)
    if hasattr(array, "shape") and hasattr(array, "ravel"):
        text = str(array.shape) if array.shape else ""
        flat = array.ravel()[:12].tolist()
        for i, number in enumerate(flat):
            word = number_text(number)
            if len(text) + len(word) + 5 > room and i:
                return text + " ..."
            text += " " * bool(text) + word
        return text if array.size <= len(flat) else text + " ..."
    if isinstance(value, (bool, int, float, str, type(None))):
        return repr(value) if isinstance(value, str) else number_text(value)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return f"{type(value).__name__}"
    if isinstance(value, (list, tuple)):
        kind = type(value).__name__
        return f"{kind} of {len(value)}: {', '.join(show(item, 12) for item in value)}" if len(value) else f"empty {kind}"
    return getattr(value, "__name__", None) or f"a {type(value).__name__}"


def number_text(x):
    """A number in a few letters."""
    return f"{x:.3g}" if isinstance(x, float) else str(x)


def trace(names, describe=None):
    """Run all tiny runs, as plain Python, and return what was seen of these files, a shapes.Tracer."""
    os.environ["NUMBA_DISABLE_JIT"] = "1"
    if "numba" in sys.modules and not sys.modules["numba"].config.DISABLE_JIT:
        raise RuntimeError("read: numba compiles already: run this in a process of its own")
    from . import shapes, tiny_runs

    files = our_files()
    tracer = shapes.Tracer([shapes.Source(files[name], name) for name in names], describe)
    with contextlib.redirect_stdout(io.StringIO()):
        tiny_runs.all_of_them(tracer)
    return tracer


def listing(name, part=None):
    """The file, or one function of it, with its margin, as text."""
    tracer = trace([name], describe)
    (source,) = tracer.sources.values()
    spans = span(source, part) if part else [(1, len(source.lines))]
    lines = []
    for first, last in spans:
        for number in range(first, last + 1):
            code = f"{number:4} {source.lines[number - 1]}"
            mark = "|" if (name, number) in tracer.ran else ""
            text = f"{mark} {tracer.shown.get((name, number), '')}".rstrip()
            if text and len(code) >= MARGIN:
                lines += [code, " " * MARGIN + text] if len(text) > 1 else [code]
            else:
                lines.append(f"{code:<{MARGIN}}{text}".rstrip())
    if not tracer.ran:
        lines.insert(0, f"(no tiny run comes through {name}: the margin stays empty)")
    return "\n".join(lines)


def check():
    """The texts of all claims that failed or were not reached, and how many hold."""
    tracer = trace(our_files())
    claims = {f"{source.name}:{line}": claim.text for source in tracer.sources.values() for line, claim in source.claims.items()}
    reached = {f"{file}:{line}" for file, line in tracer.reached}
    missed = [f"{where}: {text}: no run reached it" for where, text in claims.items() if where not in reached and where not in EXCUSED]
    stale = [f"{where}: excused, but it is reached, or claims nothing" for where in EXCUSED if where in reached or where not in claims]
    return [*tracer.problems.values(), *missed, *stale], len(reached) - len(tracer.problems)


def main():
    """Print a file with its margin, or the outcome of the check."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")
    parser = argparse.ArgumentParser(prog="python -m examples.read", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
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
        print(listing(find(chosen.file), chosen.part))
    except ValueError as error:
        parser.exit(2, f"read: {error}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
