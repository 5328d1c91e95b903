"""The shape comments are true, the reader shows what ran, and the checker can fail."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from examples.read import Source, Watcher

ROOT = Path(__file__).parents[2]


def read(*arguments, **environment):
    """`python -m examples.read ...` in a process of its own: it needs kernels as plain Python."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", **environment}
    return subprocess.run([sys.executable, "-m", "examples.read", *arguments], capture_output=True, env=env, encoding="utf-8", errors="replace", cwd=ROOT)


def test_every_shape_comment_of_the_library_is_executed_and_true():
    run = read("--check")
    assert run.returncode == 0, run.stdout + run.stderr
    assert int(run.stdout.split()[0]) >= 60 and run.stdout.endswith("0 wrong, 0 not reached\n")


def test_a_function_with_its_live_shapes_in_the_margin():
    run = read("models/made.py", "logits", PYTHONIOENCODING="cp1252:strict")
    assert run.returncode == 0, run.stderr
    line = next(line for line in run.stdout.splitlines() if "h = self.activation(h @ (W * M) + c)" in line)
    assert line.startswith("h (3,7) ") and "|" in line
    assert "-> (3,5)" in run.stdout and "def masks" not in run.stdout


@pytest.mark.parametrize("arguments, message", [
    (["models/none.py"], "needs a file of minigrad/, models/ or rl/"), (["/etc/passwd"], "needs a file"), ([], "needs a file"),
    (["examples/size.py"], "needs a file"), (["models/made.py", "nothing"], "there is no 'nothing' in models/made.py"),
])  # fmt: skip
def test_what_cannot_be_read_says_so(arguments, message):
    run = read(*arguments)
    assert run.returncode == 2 and message in run.stdout


CODE = '''
from typing import NamedTuple
import numpy as np

class Pair(NamedTuple):
    left: np.ndarray  # (B, D)
    right: np.ndarray  # {field}

def f(x):
    h = x @ np.ones((5, 7))  # (B, H)
    y = h.sum(axis=1{keep})  # {sum}
    z, w = x + 1, x - 1  # {both}
    for W in (np.ones((7, 4)), np.ones((4, 2))):
        h = h @ W  # (B, H)
    v = np.concatenate([x, x[:, :1]], axis=1)  # {plus}
    pair = Pair(x, y)
    return x.T  # {returned}
'''
TRUE = {"field": "(B,)", "keep": "", "sum": "(B,)", "both": "(B, D) each", "plus": "(B, D + 1)", "returned": "(D, B) the other way round"}


def disagreements(tmp_path, **changes):
    """What the checker says of the code above with some comments changed."""
    path = tmp_path / "made_up.py"
    path.write_text(CODE.format(**TRUE | changes), encoding="utf-8")
    spec = importlib.util.spec_from_file_location("made_up", path)
    module = sys.modules["made_up"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    watcher = Watcher([Source(path)])
    watcher.run(lambda: module.f(np.zeros((3, 5))))
    assert not watcher.unreached()
    return [text for _, text in sorted(watcher.wrong.items())]


def test_the_checker_passes_what_is_true(tmp_path):
    assert disagreements(tmp_path) == []


@pytest.mark.parametrize("changes, message", [
    ({"sum": "(B, 1)"}, "y has shape (3,), and the comment says (B, 1)"),
    ({"keep": ", keepdims=True", "field": "(B, 1)"}, "y has shape (3, 1), and the comment says (B,) with B = 3"),
    ({"both": "(D, B) each"}, "z has shape (3, 5), and the comment says (D, B)"),
    ({"plus": "(B, D)"}, "v has shape (3, 6), and the comment says (B, D) with B = 3, D = 5"),
    ({"plus": "(B, D + 2)"}, "v has shape (3, 6), and the comment says (B, D + 2)"),
    ({"returned": "(B, D)"}, "-> has shape (5, 3), and the comment says (B, D)"),
    ({"field": "(D,)"}, "Pair.right has shape (3,), and the comment says (D,) with D = 5"),
])  # fmt: skip
def test_the_checker_sees_a_wrong_comment(tmp_path, changes, message):
    found = disagreements(tmp_path, **changes)
    assert len(found) >= 1 and message in found[0], found
