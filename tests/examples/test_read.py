"""The shape comments of the whole library are executed; the checker can fail; what `read` prints."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from examples import read, tracing
from minigrad import Tensor
from models import nade

ROOT = Path(read.__file__).parent.parent


def python_m(*arguments, **environment):
    """`python -m examples.read ...` in a process of its own, where kernels can be plain Python."""
    return subprocess.run(
        [sys.executable, "-m", "examples.read", *arguments], cwd=ROOT, capture_output=True, text=True, encoding="utf-8",
        errors="replace", env=os.environ | environment,
    )  # fmt: skip


def test_every_shape_comment_is_true_and_is_reached():
    result = python_m("--check")
    assert result.returncode == 0, result.stdout + result.stderr
    *problems, count = result.stdout.splitlines()
    assert problems == [] and result.stderr == ""
    assert int(count.split()[0]) >= 80


# ======================================================================== The checker can fail


def problems_of(folder, body, *arguments, sizes=None):
    """The claims that fail when f(*arguments) of a small file runs."""
    path = folder / "small.py"
    path.write_text("import numpy as np\nfrom typing import NamedTuple\n\n\n" + body, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("small", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["small"] = module
    try:
        spec.loader.exec_module(module)
        tracer = tracing.Tracer([tracing.Source(path)])
        with tracer.watch("small", **(sizes or {})):
            module.f(*arguments)
    finally:
        del sys.modules["small"]
    return [text.split(": ", 2)[2] for text in tracer.problems.values()]


X = np.zeros((3, 5))


@pytest.mark.parametrize("line, problem", [
    ("y = x  # (B, D)", None),
    ("y = x  # (B, D), whose rows are examples", None),
    ("y = x.sum(axis=1)  # (B, 1)", "it has 1 axes, not 2"),
    ("y = x.sum(axis=1, keepdims=True)  # (B,)", "it has 2 axes, not 1"),
    ("y = x.sum(axis=1)  # (D,)", "D is 5, not 3"),
    ("y = x.T  # (B, D)", "B is 3, not 5"),
    ("y = x  # (Q, Q)", "Q is 3, not 5"),
    ("y = x  # (3, D)", None),
    ("y = x  # (4, D)", "4 is 4, not 3"),
    ("y = np.zeros(6)  # (D + 1,)", None),
    ("y = np.zeros(7)  # (D + 1,)", "D + 1 is 6, not 7"),
    ("y = np.zeros(8)  # (2^K,)", None),
    ("y = np.zeros(9)  # (2^K,)", "no K makes 2^K 9"),
    ("y = np.zeros(15)  # (B·D,)", None),
    ("y = np.zeros(15)  # (P·Q,)", "P·Q cannot be checked: P and Q are both unknown here"),
    ("y, z = x, x[0]  # (B, D), (D,)", None),
    ("y, z = x, x[0]  # (B, D)", "it has 1 axes, not 2"),
    ("y, z = x[0], x  # (B, D), (D,)", "it has 1 axes, not 2"),
    ("y = [x, x]  # (B, D) each", None),
    ("y = [x, x[0]]  # (B, D) each", "it has 1 axes, not 2"),
    ("y = 'text'  # (B, D)", "a str has no shape"),
    ("x += 1  # (D, B)", "D is 5, not 3"),
    ("x[:, 0] = 1  # (D,)", "D is 5, not 3"),
    ("y: object = x  # (D, B)", "D is 5, not 3"),
    ("return x  # (D, B)", "D is 5, not 3"),
    ("return x[0], x  # (D,), (B, D)", None),
    ("return x[0], x  # (B, D), (D,)", "it has 1 axes, not 2"),
    ("return x @ x[0]  # (B, D) @ (D,)", None),
    ("return x @ x[0]  # (B, D) @ (B,)", "B is 3, not 5"),
    ("return x * 2 if len(x) == 4 else x @ x[0]  # (D, B) * (1,)", None),
    ("for row in x:  # row (B,)\n        pass", "B is 3, not 5"),
    ("for row in x:  # row (D,)\n        pass", None),
    ("n = 4\n    y = x  # (n, D)", "n is 4, not 3"),
    ("y = x  # (Q, R)\n    z = x.T  # (Q, R)", "Q is 3, not 5"),
    ("for h in (x, x.T):\n        h = h + 1  # (Q, R)", "Q is 3, not 5"),
    ("for H in (x, x.T):\n        H = H * 1  # (V, W)", None),
    ("for h in (x, x[:2]):\n        h = h * 1  # (V, W)", "V would be 2: in this run it is 3 or 5"),
    ("for h in (x, x.T):\n        h = h @ h.T  # (V, W), and it may be that V = W", None),
    ("for h in (x[0], x, x):\n        h = h * 1  # (B, D), at first (D,)", None),
    ("for h in (x, x[0], x):\n        h = h * 1  # (B, D), at first (D,)", "it has 2 axes, not 1"),
    ("for h in (x, x, x.T):\n        h = h * 1  # (B, D), at last (D, B)", None),
    ("for h in (x, x.T, x):\n        h = h * 1  # (B, D), at last (D, B)", "h had its last shape, yet the line ran again"),
    ("print(x)  # (B, D)", "the line assigns nothing"),
    ("y = x  # z (B, D)", "the line assigns no z"),
    ("y, z = np.zeros(2)  # (B,), (D,), (D,)", "3 shapes for 2 names"),
    ("y = x.sum()  # (now, or in an hour, or never at all)", None),
    ("y = x.sum()  # (B), which is no tuple", None),
])  # fmt: skip
def test_a_wrong_comment_is_caught_and_a_right_one_is_not(tmp_path, line, problem):
    found = problems_of(tmp_path, f"def f(x):\n    {line}\n", X.copy(), sizes=dict(B=3, D=5, V={3, 5}, W={3, 5}))
    assert len(found) == (problem is not None), found
    assert problem is None or problem in found[0], found


TEETH = """
import contextlib, io, os
os.environ["NUMBA_DISABLE_JIT"] = "1"
from examples import read, tiny_runs, tracing

for change in (lambda sizes: [*sizes, "1"], lambda sizes: sizes[::-1], lambda sizes: [*sizes[:-1], sizes[-1] + " + 1"]):
    sources, changed = [tracing.Source(path, name) for name, path in read.our_files().items()], set()
    for source in sources:
        for line, claim in source.claims.items():
            before = claim.shapes.copy()
            claim.shapes[:] = [(name, change(sizes)) for name, sizes in before]
            if claim.shapes != before and "..." not in claim.text and f"{source.name}: {claim.text}" not in read.EXCUSED:
                changed.add(f"{source.name}:{line}")
            claim.other.clear()
    tracer = tracing.Tracer(sources)
    with contextlib.redirect_stdout(io.StringIO()):
        tiny_runs.all_of_them(tracer)
    print(len(changed), *sorted(changed - set(tracer.problems)))
"""


@pytest.mark.proof
def test_no_comment_of_ours_could_have_an_axis_more_another_order_or_a_size_more():
    """All of them are changed in one way, and each must be found wrong. How many steps N an episode has, no run says."""
    result = subprocess.run([sys.executable, "-c", TEETH], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    (axes, *missed), (orders, *missed_orders), (more, *missed_more) = (line.split() for line in result.stdout.splitlines())
    assert int(axes) >= 90 and int(more) >= 90 and int(orders) >= 50
    assert missed == missed_orders == [] and all(where.startswith("rl/episodes.py") for where in missed_more), result.stdout


def test_fields_are_checked_in_every_instance(tmp_path):
    body = """
class Pair(NamedTuple):
    a: np.ndarray  # (B, n)
    n: int
    b: np.ndarray  # (n + 1,)


def f(x, b):
    return Pair(x, 5, b)
"""
    assert problems_of(tmp_path, body, X, np.zeros(6)) == []
    assert "n + 1 is 6, not 5" in problems_of(tmp_path, body, X, np.zeros(5))[0]
    assert "n is 5, not 4" in problems_of(tmp_path, body, np.zeros((3, 4)), np.zeros(6))[0]
    assert "B would be 4" in problems_of(tmp_path, body, np.zeros((4, 5)), np.zeros(6), sizes=dict(B=(2, 3)))[0]


def test_two_calls_may_differ_where_the_run_says_nothing(tmp_path):
    body = "def g(x):\n    y = x  # (N, D)\n\n\ndef f(x):\n    g(x)\n    g(x[:2])\n    g(x[0])\n"
    (problem,) = problems_of(tmp_path, body, X)
    assert "it has 1 axes" in problem


def test_what_an_exception_interrupts_assigns_nothing(tmp_path):
    body = "def f(x):\n    y = x  # (B, D)\n    try:\n        y = x.T @ x.T  # (D,)\n    except ValueError:\n        return None\n"
    assert problems_of(tmp_path, body, X, sizes=dict(B=3, D=5)) == []


# ======================================================================== What it prints


def test_each_line_stands_beside_its_numbers_on_an_old_console_too():
    result = python_m("models/made.py", PYTHONIOENCODING="cp1252:strict")
    assert result.returncode == 0, result.stderr
    rows, code = result.stdout.splitlines(), (ROOT / "models/made.py").read_text(encoding="utf-8").splitlines()
    assert [int(row[:4]) for row in rows if row[:4].strip()] == list(range(1, len(code) + 1))
    assert max(map(len, rows)) <= max(read.WIDTH, max(map(len, code)) + 6)
    first = next(i for i, row in enumerate(rows) if "def logits" in row)
    rows = [row[4:] for row in rows[first : first + 9]]  # eight lines, the last of which is too long to have its margin beside it
    assert rows[0].startswith("|     def logits") and rows[1].startswith("      ")  # a docstring does not run
    assert rows[3].startswith("|         h = x  # (B, D)") and " h (3, 5) 0 1 1" in rows[3]
    assert " h (3, 7) " in rows[5] and " logits (3, 5) " in rows[6] and rows[8].strip().startswith("(3, 5) ")


def test_a_kernel_and_a_part_of_a_file(monkeypatch):
    """In this process kernels may be compiled; so follow one by hand."""
    def fake(names, describe):
        (name,) = names
        tracer = tracing.Tracer([tracing.Source(read.our_files()[name], name)], describe)
        with tracer.watch():
            getattr(nade.collect, "py_func", nade.collect)(np.full(2, 0.5), np.ones(2), np.zeros(2))
        return tracer

    monkeypatch.setattr(read, "trace", fake)
    rows = read.listing("models/nade.py", "collect").splitlines()
    assert [row[4:6] for row in rows] == ["  ", "| ", "  ", "| ", "| ", "| "]  # decorator, def, docstring, for, and its two lines
    assert rows[4].endswith(" da[k] 0.25") and rows[3].endswith(" k 0")
    assert read.listing("models/nade.py", "NADE.draw").count("\n") == 4


def test_margins():
    assert read.describe([("h", np.zeros((3, 7)))], "") == "h (3, 7) 0 0 0 0 0 0 0 0 0 0 0 0 ..."
    assert read.describe([("h", np.empty((3, 7)))], "h = np.empty((3, 7))") == "h (3, 7)"  # what it holds is no one's
    assert read.describe([("", Tensor(np.float64(0.25)))], "") == "0.25"
    assert read.describe([("a", [np.zeros(2), None]), ("b", (1,))], "") == "a [(2,), None]; b (1,)"
    four = [("on", np.array([True, False])), ("s", "x"), ("d", {}), ("f", np.exp)]
    assert read.describe(four, "") == "on (2,); s 'x'; d a dict of 0; f exp"
    assert len(read.describe([(name, np.ones((3, 5))) for name in "abcdefghi"], "")) <= read.WIDTH - read.MARGIN


@pytest.mark.parametrize("arguments, message", [
    (["models/mode.py"], "models/made.py"),
    (["plot"], "minigrad/plot.py or rl/plot.py"),
    (["setup.cfg"], "none of our files"),
    (["examples/homework/check.py"], "none of our files"),
    (["models/made.py", "logit"], "logits"),
    ([], "--check"),
])  # fmt: skip
def test_bad_input_gets_a_short_answer(arguments, message, monkeypatch, capsys):
    monkeypatch.setattr(read, "trace", lambda names, _: tracing.Tracer([tracing.Source(read.our_files()[n], n) for n in names]))
    monkeypatch.setattr(sys, "argv", ["read", *arguments])
    monkeypatch.setattr(sys.stdout, "reconfigure", lambda **_: None, raising=False)
    monkeypatch.setattr(sys.stderr, "reconfigure", lambda **_: None, raising=False)
    with pytest.raises(SystemExit) as stop:
        read.main()
    assert stop.value.code == 2
    error = capsys.readouterr().err
    assert message in error and len(error) < 400


def test_a_file_is_found_from_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert {read.find(name) for name in ("made", "made.py", "models/made.py", str(ROOT / "models/made.py"))} == {"models/made.py"}
    (tmp_path / "made.py").write_text("")
    with pytest.raises(ValueError, match="none of our files"):
        read.find(str(tmp_path / "made.py"))


def test_every_file_of_the_library_can_be_read():
    names = set(read.our_files())
    assert {"minigrad/ops/reductions.py", "models/made.py", "rl/envs/lqr.py", "examples/nade_mnist.py"} <= names
    assert not any("homework" in name for name in names)
