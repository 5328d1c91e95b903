r"""The verdict: the learner's file, grafted into the library, in a child process that its parent ends at the limit.

An alarm inside the process would never end a compiled loop. And a file that calls sys.exit, recurses without end, prints a
megabyte or does not even parse harms nobody there. First everything runs as plain Python (kernels too, so that a
traceback shows the learner's line); what holds a kernel runs a second time compiled, with a cache folder of its own.
"""

import ast
import hashlib
import importlib
import json
import os
import subprocess
import sys
import tempfile
import textwrap
import traceback
from pathlib import Path
from typing import NamedTuple

from . import graft
from .exercise import Failed

LIMIT, LINES = 30.0, 12  # seconds of one child, lines of a verdict


class Verdict(NamedTuple):
    """passed, and what to show: at most 12 lines. `mistake` is the name of the known one that it looks like, or ""."""

    passed: bool
    text: str
    mistake: str = ""


def check(exercise, path, limit=LIMIT):
    """The Verdict on the learner's file at `path`."""
    path = Path(path).resolve()
    if not path.exists():
        return Verdict(False, f"{path.name} is not there: `start {exercise.id}` makes it")
    for compiled in (False, True) if "@jit" in graft.library_text(exercise.target) else (False,):
        verdict = in_child(exercise, path, limit, compiled)
        if not verdict.passed:
            break
    return verdict


def in_child(exercise, path, limit, compiled):
    """The Verdict of one child process."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder, "verdict.json")
        digest = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
        cache = Path(tempfile.gettempdir(), f"minigrad-homework-{digest}")  # never the library's: it would give its answer
        cache.mkdir(exist_ok=True)
        env = {**os.environ, "NUMBA_CACHE_DIR": str(cache), "PYTHONIOENCODING": "utf-8", "PYTHONPATH": str(graft.ROOT)}
        env["NUMBA_DISABLE_JIT"] = "0" if compiled else "1"
        command = [sys.executable, "-m", "examples.homework.check", exercise.id, str(path), str(result)]
        try:
            subprocess.run(command, env=env, timeout=limit, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        except subprocess.TimeoutExpired:
            return Verdict(False, f"no answer within {limit:.0f} s, and so ended: is there a loop that never stops?")
        if not result.exists():
            return Verdict(False, "the process ended without a verdict: does your code end Python itself (os._exit)?")
        return Verdict(**json.loads(result.read_text(encoding="utf-8")))


def get(name):
    """An object of the (grafted) library: "module:name.attribute", or a module."""
    module, _, attributes = name.partition(":")
    found = importlib.import_module(module)
    for attribute in filter(None, attributes.split(".")):
        found = getattr(found, attribute)
    return found


def judge(exercise, path):
    """Graft, check, and say what happened; never raises."""
    try:
        graft.install(exercise.target, path.read_text(encoding="utf-8"), path)
        exercise.check(get)
        return Verdict(True, "passed")
    except Failed as failure:
        name = known(exercise)
        looks = f"\nIt looks like this: {exercise.wrong[name][1]}" if name else ""
        return Verdict(False, f"{failure}{looks}", name)
    except NotImplementedError as error:
        if exercise.id in str(error):
            return Verdict(False, f"not written yet: {path.name} still raises NotImplementedError")
        return Verdict(False, where(error, path))
    except SyntaxError as error:
        return Verdict(False, f"{error.msg}" + (f"\nline {error.lineno}: {(error.text or '').strip()}" if error.lineno else ""))
    except BaseException as error:  # whatever the learner's code does
        return Verdict(False, where(error, path))


def where(error, path):
    """An error, and the learner's own line that it comes from."""
    lines = [f"line {frame.lineno}: {frame.line}" for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    what = "your code called sys.exit" if isinstance(error, SystemExit) else f"{type(error).__name__}: {error}"
    return "\n".join([*lines[-1:], textwrap.shorten(what, 300)])


def function_of(target, text, namespace):
    """The function that a (changed) text of the target defines, without decorators, in a copy of its module's namespace."""
    tree = ast.parse(textwrap.dedent(text))
    tree.body[0].decorator_list = []
    names = dict(namespace)
    exec(compile(tree, "<known mistake>", "exec"), names)
    return names[tree.body[0].name]


def edited(exercise, name):
    """The library's text of the target with one known mistake in it. ValueError if the edit does not match any more."""
    text = graft.library_text(exercise.target)
    for old, new in exercise.wrong[name][0]:
        if text.count(old) != 1:
            raise ValueError(f"{exercise.id}, {name}: {old!r} stands {text.count(old)} times in {exercise.target}")
        text = text.replace(old, new)
    return text


def known(exercise):
    """The name of the known mistake that gives the same numbers as the learner's answer, or ""."""
    import numpy as np

    def numbers(function):
        try:
            return np.asarray(exercise.probe(function, get), float)
        except Exception:
            return np.full(1, np.nan)

    module = get(exercise.target.split(":")[0])
    mine = get(exercise.target)
    mine = numbers(getattr(mine, "py_func", mine))
    for name in exercise.wrong:
        theirs = numbers(function_of(exercise.target, edited(exercise, name), vars(module)))
        if mine.shape == theirs.shape and np.isfinite(mine).all() and np.allclose(mine, theirs, rtol=1e-9, atol=1e-12):
            return name
    return ""


def main():
    """The child: python -m examples.homework.check ID FILE RESULT"""
    from .catalogue import EXERCISES

    name, path, result = sys.argv[1:]
    verdict = judge(EXERCISES[name], Path(path))
    text = "\n".join(line[:160] for line in verdict.text.splitlines()[:LINES])
    Path(result).write_text(json.dumps(verdict._replace(text=text)._asdict()), encoding="utf-8")


if __name__ == "__main__":
    main()
