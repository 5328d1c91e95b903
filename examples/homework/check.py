r"""The verdict: the learner's file, grafted into the library, in a child process that its parent ends at the limit.

An alarm inside the process would never end a compiled loop. And a file that calls sys.exit, recurses without end, prints a
megabyte or does not even parse harms nobody there. First everything runs as plain Python (kernels too, so that a
traceback shows the learner's line); what holds a kernel runs a second time compiled, with a cache folder of its own.
"""

import ast
import hashlib
import importlib
import json
import linecache
import os
import subprocess
import sys
import tempfile
import textwrap
import traceback
from pathlib import Path
from types import FunctionType, ModuleType
from typing import NamedTuple

import numpy as np

from . import graft
from .exercise import Failed

LIMIT, LINES = 30.0, 10  # seconds of one child, lines of a verdict: two more stand around it


class Verdict(NamedTuple):
    """What a check says.

    text: at most 10 lines. mistake: the name of the known one that it looks like, or "". points: (what was checked, 0 to 1)
    of each check. trace: the whole traceback, if there was an error.
    """

    passed: bool
    text: str
    mistake: str = ""
    points: tuple = ()
    trace: str = ""

    @property
    def share(self):
        """The part of the points that was reached, 0 to 1: 1 only for what passed."""
        return 1.0 if self.passed else min(sum(p for _, p in self.points) / max(len(self.points), 1), 0.99)


def check(exercise, path, limit=LIMIT, child=None):
    """The Verdict on the learner's file at `path`. child: what runs it, `in_child` if not given."""
    path = Path(path).resolve()
    if not path.exists():
        return Verdict(False, f"{path.name} is not there: `start {exercise.id}` makes it")
    for compiled in (False, True) if exercise.compiled else (False,):
        verdict = (child or in_child)(exercise, path, limit, compiled)
        if not verdict.passed:
            break
    return verdict


def child_environment(text, compiled):
    """Environment variables of a child: a cache folder named by the text (the library's would give its answer), the JIT."""
    digest = hashlib.sha256(text + str(Path.home()).encode()).hexdigest()[:16]  # nobody else's folder either
    cache = Path(tempfile.gettempdir(), f"minigrad-homework-{digest}")
    if compiled:
        cache.mkdir(exist_ok=True)
    own = {"NUMBA_CACHE_DIR": str(cache), "PYTHONIOENCODING": "utf-8", "PYTHONPATH": str(graft.ROOT)}
    own["PYTHONSAFEPATH"] = "1"  # a learner's random.py is not imported in the place of Python's
    return {**os.environ, **own, "NUMBA_DISABLE_JIT": "0" if compiled else "1"}


def in_child(exercise, path, limit, compiled):
    """The Verdict of one child process."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder, "verdict.json")
        command = [sys.executable, "-m", "examples.homework.check", exercise.id, str(path), str(result), *filter(None, [exercise.catalogue])]
        nothing, errors = subprocess.DEVNULL, Path(folder, "stderr.txt")
        env = child_environment(path.read_bytes(), compiled)
        try:
            with errors.open("wb") as stderr:
                subprocess.run(command, env=env, timeout=limit, stdin=nothing, stdout=nothing, stderr=stderr)
        except subprocess.TimeoutExpired:
            return too_late(limit)
        if not result.exists():
            last = errors.read_text(encoding="utf-8", errors="replace")[-2000:].strip().splitlines()[-1:]
            return Verdict(False, "\n".join(["the process ended without a verdict: does your code end Python itself (os._exit)?", *last]))
        return Verdict(**json.loads(result.read_text(encoding="utf-8")))


def too_late(limit):
    """The Verdict on what was ended at the limit."""
    return Verdict(False, f"no answer within {limit:.0f} s, and so ended: is there a loop that never stops?")


def get(name):
    """An object of the (grafted) library: "module:name.attribute", or a module."""
    module, _, attributes = name.partition(":")
    found = importlib.import_module(module)
    for attribute in filter(None, attributes.split(".")):
        found = getattr(found, attribute)
    return found


def load(exercise, path):
    """Graft the learner's file, or, where the library has no such target, run it as the module `answer`."""
    text = path.read_text(encoding="utf-8-sig")  # Windows' editors put a mark in front
    if not exercise.answer:
        graft.install((exercise.target, text, path))
        return
    module = sys.modules["answer"] = ModuleType("answer")
    exec(compile(text, str(path), "exec"), vars(module))
    if exercise.name and not callable(getattr(module, exercise.name, None)):
        raise SyntaxError(f"{path.name} must define the function {exercise.name}")


def judge(exercise, path):
    """Graft, run all checks, and say what the first failure is; never raises."""
    points, first = [], None
    for number, part in enumerate((load, *exercise.checks)):
        try:
            part(exercise, path) if part is load else part(get)
            credit = 1.0
        except BaseException as error:  # whatever the learner's code does
            first, credit = first or error, getattr(error, "credit", 0.0)
        if number:
            points.append(((part.__doc__ or part.__name__).splitlines()[0], credit))
        elif first:
            points = [((part.__doc__ or part.__name__).splitlines()[0], 0.0) for part in exercise.checks]
            break
    if first is None:
        return Verdict(True, "passed", points=points)
    name, looks = known(exercise) if isinstance(first, Failed) else ("", "")
    trace = "" if isinstance(first, Failed) else "".join(traceback.format_exception(first))
    return Verdict(False, explain(exercise, first, name, looks, path), name, points, trace)


def explain(exercise, error, name, looks, path):
    """The text of a verdict."""
    if isinstance(error, Failed):
        if name and name == exercise.bug:
            return f"{error}\nThe bug that you were given is still there."
        return f"{error}\nIt looks like this: {looks}" if looks else str(error)
    if isinstance(error, NotImplementedError) and exercise.id in str(error):
        return f"not written yet: {path.name} still raises NotImplementedError"
    if isinstance(error, SyntaxError):
        return f"{error.msg}" + (f"\nline {error.lineno}: {(error.text or '').strip()}" if error.lineno else "")
    if type(error).__module__.startswith("numba"):
        reasons = [line.strip() for line in str(error).splitlines() if line.strip().startswith(("Untyped global name", "No implementation", "Unknown attribute", "Use of"))]
        return (f"as plain Python it is right, but numba cannot compile it. {' '.join(reasons[:1])}\n"
                "Take plain loops, for t in range(T - 1, -1, -1); a function of your own needs name = jit(name), with from minigrad.kernels import jit")
    frames = traceback.extract_tb(error.__traceback__)
    numbers = [frame.lineno % graft.FAR for frame in frames if frame.filename == str(path) or frame.lineno > graft.FAR]
    lines = [f"line {number}: {linecache.getline(str(path), number).strip()}" for number in numbers]
    unused = "the check could not use what your function returned (is there a `return`? is it of the shape that the task says?)"
    what = traceback.format_exception_only(error)[-1].strip()  # copes with errors whose own text fails
    what = "your code called sys.exit" if isinstance(error, SystemExit) else what
    return "\n".join([*(lines[-1:] or [unused]), textwrap.shorten(what, 300)])


def function_of(target, text, namespace):
    """The function that a (changed) text of a library's target defines, without decorators, in a copy of its module's names.

    A method keeps its `super()`; for a function within a function, the outer one is made with the text in it.
    """
    module, qualname = target.split(":")
    own = ast.parse(textwrap.dedent(text)).body
    owner = namespace.get(qualname.split(".")[0])
    if "." in qualname and not isinstance(owner, type):
        tree = ast.parse(graft.source_of(module).read_text(encoding="utf-8"))
        body, i = graft.locate(tree, qualname)
        body[i : i + 1] = own
        own = [node for node in tree.body if getattr(node, "name", "") == qualname.split(".")[0]]
    own[-1].decorator_list = []
    within = ast.parse(f"def within(__class__):\n    return {own[-1].name}")  # super() looks for __class__ around it
    within.body[0].body[:0] = own
    names = dict(namespace)
    exec(compile(ast.fix_missing_locations(within), "<known mistake>", "exec"), names)
    return names["within"](owner)


def version(exercise, text):
    """What `probe` is given: the function (or module, for `predict`) of a text of this exercise."""
    if not exercise.answer:
        return function_of(exercise.target, text, vars(get(exercise.target.split(":")[0])))
    module = ModuleType("version")
    exec(compile(text, "<known mistake>", "exec"), vars(module))
    return getattr(module, exercise.name) if exercise.name else module


def known(exercise):
    """(name, what to say) of the known mistake that gives the same numbers as the learner's answer; ("", a relation) if there is none."""
    def numbers(make):
        try:
            return np.asarray(exercise.probe(make(), get), float)
        except BaseException:  # a sys.exit that only the probe meets
            return np.full(1, np.nan)

    module, qualname = exercise.target.split(":")
    if not exercise.answer and isinstance(owner := get(f"{module}:{qualname.split('.')[0]}"), type):
        mine = vars(owner)[qualname.split(".")[1]] if "." in qualname else owner
    else:
        mine = get("answer:" + exercise.name) if exercise.answer else owner
    mine = getattr(mine, "py_func", mine)  # of a kernel
    plainly = mine if isinstance(mine, FunctionType) else getattr(mine, "forward", mine)  # of a primitive
    mine = numbers(lambda: plainly)
    right = numbers(lambda: version(exercise, exercise.text))
    ours = right if exercise.kind == "predict" else np.nan
    for name in exercise.wrong:
        theirs = numbers(lambda: version(exercise, exercise.edited(name)))
        if mine.shape == theirs.shape:
            told = theirs != ours  # of `predict`, the numbers that this mistake changes; the others may be anything
            if exercise.kind == "predict" and not told[~np.isclose(mine, right, rtol=1e-3)][:1].all():
                continue  # the number that is shown is wrong for another reason
            if np.isfinite(mine[told]).all() and np.allclose(mine[told], theirs[told], rtol=1e-9, atol=1e-12):
                return name, exercise.wrong[name][1]
    return "", "" if exercise.kind in ("predict", "write the test") else relation(mine, right)


def relation(mine, right):
    """What the learner's numbers have to do with the right ones, in words, or ""."""
    if mine.shape != right.shape or not (np.isfinite(mine).all() and np.isfinite(right).all()) or mine.size < 3 or np.allclose(mine, right):
        return ""
    if np.allclose(np.sort(mine, axis=None), np.sort(right, axis=None)):
        return "your numbers are the right ones in other places: look at the order, or at the axes."
    differ = ~np.isclose(mine, right)
    factors = mine[differ & (right != 0)] / right[differ & (right != 0)]
    if factors.size > 1 and np.allclose(factors, factors[0]) and (mine[right == 0] == 0).all():
        part = "your numbers are" if differ.all() or (right[~differ] == 0).all() else f"{differ.sum()} of {mine.size} numbers are"
        return f"{part} the right ones times {factors[0]:.4g}."
    steps = (mine - right)[differ]
    if steps.size > 1 and np.allclose(steps, steps[0]):
        return f"{differ.sum()} of {mine.size} numbers are the right ones plus {steps[0]:.4g}."
    return ""


def main():
    """The child: python -m examples.homework.check ID FILE RESULT [CATALOGUE]"""
    answer(*sys.argv[1:])


def answer(name, path, result, *private):
    """Judge, write the Verdict to the file `result`, and end the process."""
    from .catalogue import add, find

    for file in private:
        add(file)
    path = Path(path)
    verdict = judge(find(name, path), path)
    text = "\n".join(line[:240] for line in verdict.text.splitlines()[:LINES])
    Path(result).write_text(json.dumps(verdict._replace(text=text)._asdict()), encoding="utf-8")
    os._exit(0)  # whatever threads the learner's code has left running


if __name__ == "__main__":
    main()
