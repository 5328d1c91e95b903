r"""Verdicts by the thousand, five times as fast: what it takes to prove that the grader bites (teeth.py, and the tests).

For a learner's check Python starts anew, and it takes half a second until NumPy, numba and the catalogue are there. Here one
process has them, and each check is a fork of it: as fresh but for these imports, and ended at the limit in the same way. It
runs plain Python. Compiled code, and a system that cannot fork (Windows), get `in_child`, as the learner does.
"""

import json
import multiprocessing
import os
import tempfile
from functools import cache
from multiprocessing import forkserver
from pathlib import Path
from unittest.mock import patch

from .check import Verdict, answer, child_environment, in_child, too_late


@cache
def server():
    """The process that is forked, as a multiprocessing context; None where there is no such thing."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return None
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["numba", __name__, "examples.homework.catalogue"])  # not the library: answers are grafted into it
    with patch.dict(os.environ, child_environment(b"", compiled=False)):  # it keeps these for all its life
        forkserver.ensure_running()
    return context


def silent(*arguments):
    """`answer`, with nothing to read and nowhere to print."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nothing, stream)
    answer(*arguments)


def in_fork(exercise, path, limit, compiled):
    """The Verdict of `in_child`, from a fork of `server()`."""
    if compiled or server() is None:
        return in_child(exercise, path, limit, compiled)
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder, "verdict.json")
        process = server().Process(target=silent, args=(exercise.id, str(path), str(result), *filter(None, [exercise.catalogue])))
        process.start()
        process.join(limit)
        if process.is_alive():
            process.kill()
            process.join()
            return too_late(limit)
        if not result.exists():
            return Verdict(False, "the process ended without a verdict: does your code end Python itself (os._exit)?")
        return Verdict(**json.loads(result.read_text(encoding="utf-8")))
