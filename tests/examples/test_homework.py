"""The grader: what it says of right, wrong and wild answers, and that its teeth bite."""

import os
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from examples.homework import graft
from examples.homework.__main__ import main
from examples.homework.files import Progress, stub
from examples.homework.catalogue import EXERCISES
from examples.homework.check import LINES, check, in_child
from examples.homework.exercise import KINDS, plain
from examples.homework.forked import in_fork
from examples.homework.mutate import mutants
from examples.homework.teeth import survivors

TANH, ADD, POLYAK = EXERCISES["tanh-vjp"], EXERCISES["replay-add"], EXERCISES["polyak"]


def answer(tmp_path, exercise, text, **keywords):
    """The verdict on a text."""
    path = tmp_path / "answer.py"
    path.write_text(text, encoding="utf-8")
    return check(exercise, path, **keywords)


# ---- the catalogue


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES)
def test_every_entry_is_whole(exercise):
    assert len(exercise.wrong) >= 5 and len(exercise.right) >= 2 and len(exercise.hints) == 3
    assert len({message for _, message in exercise.wrong.values()}) == len(exercise.wrong)
    texts = {exercise.edited(name) for name in exercise.wrong}  # ValueError if an edit does not match any more
    assert len(texts) == len(exercise.wrong) and exercise.text not in texts and exercise.kind in KINDS
    assert exercise.minutes > 0 and exercise.difficulty in (1, 2, 3) and exercise.why and exercise.read and exercise.task
    for piece in exercise.formula:
        assert piece in exercise.text and piece not in stub(exercise)


def test_an_edit_that_does_not_match_any_more_fails_loudly():
    from dataclasses import replace

    with pytest.raises(ValueError, match="tanh-vjp, stale: 'no such text' stands 0 times"):
        replace(TANH, wrong={"stale": ((("no such text", ""),), "")}).edited("stale")


# ---- teeth


def verdicts(tmp_path, exercise):
    """[(name, verdict)] of the library, the stub, all wrong and all right answers, two at a time."""
    plainly = (lambda text: text) if exercise.answer else plain
    texts = {"library": plainly(exercise.text), "stub": stub(exercise)}
    texts |= {name: plainly(exercise.edited(name)) for name in exercise.wrong}
    texts |= {f"right: {name}": text for name, text in exercise.right.items()}
    paths = [tmp_path / f"answer_{number}.py" for number in range(len(texts))]
    for path, text in zip(paths, texts.values()):
        path.write_text(text, encoding="utf-8")
    with ThreadPoolExecutor(2) as pool:
        return list(zip(texts, pool.map(lambda path: check(exercise, path, child=in_fork), paths)))


@pytest.mark.proof
@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES)
def test_teeth(tmp_path, exercise):
    unwritten = {"predict": "is not there yet", "spot the bug": "The bug that you were given is still there"}
    for name, verdict in verdicts(tmp_path, exercise):
        assert len(verdict.text.splitlines()) <= LINES, (name, verdict.text)
        if name == "library" or name.startswith("right: "):
            assert verdict.passed and verdict.share == 1, (name, verdict.text)
        elif name == "stub":
            assert not verdict.passed and unwritten.get(exercise.kind, "not written yet") in verdict.text, verdict.text
        else:
            assert not verdict.passed and verdict.mistake == name and verdict.share < 1, (name, verdict)
            assert name == exercise.bug or exercise.wrong[name][1] in verdict.text, (name, verdict)


@pytest.mark.proof
@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES)
def test_generic_mutants_are_killed_or_known_to_change_nothing(exercise):
    total, alive = survivors(exercise, step=3)  # a third of them: all take ten minutes, by python -m examples.homework.teeth
    assert total >= 1 and set(alive) <= set(exercise.equivalent), set(alive) - set(exercise.equivalent)


def test_mutants_are_what_they_say():
    made = dict(mutants(POLYAK.text, "polyak"))
    assert len(made) == 10 and "1 -> 2" in made
    assert any("* 1.03" in text for text in made.values()) and len(set(made.values())) == 10


# ---- whatever the learner's file does


WILD = [  # (the answer, what the verdict says)
    ("def tanh_vjp(g, y, x)\n    return g\n", "line 1: def tanh_vjp"),
    ("def other(g, y, x):\n    return g\n", "must define tanh_vjp once, not 0 times"),
    ("def tanh_vjp(g, y, x):\n    return g * undefined\n", "line 2: return g * undefined\nNameError"),
    ("def tanh_vjp(g, y, x):\n    import sys\n    sys.exit(3)\n", "line 3: sys.exit(3)\nyour code called sys.exit"),
    ("def tanh_vjp(g, y, x):\n    return tanh_vjp(g, y, x)\n", "RecursionError"),
    ("def tanh_vjp(g, y, x):\n    print('x' * 10**6)\n    return g\n", "expected at index (1,) -0.786"),
    ("def tanh_vjp(g, y, x):\n    import os\n    os._exit(0)\n", "ended without a verdict"),
    ("def tanh_vjp(g, y, x):\n    dx = g * (1 - y * y)\n    y *= 0\n    return dx\n", "the rule must not change it"),
    ("def tanh_vjp(g, y, x):\n    pass\n", "returned None: is there a `return`?"),
    ("def exp_vjp(g):\n    return g\n\n\ndef tanh_vjp(g, y, x):\n    return g\n", "has a exp_vjp of its own: give yours another name"),
    ("def tanh_vjp(g):\n    return g\n", "TypeError"),
    ("y0 = 1\n\nx0 = y0 / 0\n\n\ndef tanh_vjp(g, y, x):\n    return g\n", "line 3: x0 = y0 / 0\nZeroDivisionError"),
    ("class tanh_vjp:\n    pass\n", "write `def tanh_vjp(...)` at the left margin"),
    ("def half(f):\n    return f\n\n\n@half\ndef tanh_vjp(g, y, x):\n    return g\n", "line 5: decorators of your own are not used here"),
    ("def sum(x):\n    return 0\n\n\ndef tanh_vjp(g, y, x):\n    return g\n", "Python has a sum of its own"),
    ("from numpy import *\n\n\ndef tanh_vjp(g, y, x):\n    return g\n", "Python has a * of its own"),
    ("class E(Exception):\n    def __str__(self):\n        raise self\n\n\ndef tanh_vjp(g, y, x):\n    raise E\n", "line 7: raise E"),
]  # fmt: skip


@pytest.mark.parametrize("text, message", [*WILD[:6], *(pytest.param(*case, marks=pytest.mark.proof) for case in WILD[6:])])
def test_wild_files_get_a_verdict_that_names_the_line(tmp_path, text, message):
    verdict = answer(tmp_path, TANH, text)
    assert not verdict.passed and message in verdict.text and len(verdict.text.splitlines()) <= LINES, verdict.text


RIGHT = "def tanh_vjp(g, y, x):\n    return g * (1 - y * y)\n"


@pytest.mark.proof
@pytest.mark.parametrize("text", [
    f"\ufeff{RIGHT}", f"from __future__ import annotations\n\n\n{RIGHT}", f"{RIGHT}\n\nprint(tanh_vjp(1.0, 0.5, 0.2))\n", RIGHT.replace("\n", "\r\n"),
    f"import threading\nimport time\n\nthreading.Thread(target=time.sleep, args=(20,)).start()\n\n\n{RIGHT}", RIGHT.replace("    ", "\t"),
], ids=["BOM", "future", "tried out below", "CRLF", "thread", "tabs"])  # fmt: skip
def test_odd_but_right_files_pass(tmp_path, text):
    verdict = answer(tmp_path, TANH, text, limit=15)
    assert verdict.passed, verdict.text


@pytest.mark.proof
def test_what_numba_cannot_compile_is_said(tmp_path):
    text = "def polyak(theta, theta_target, tau):\n    for i in reversed(range(theta.size)):\n        theta_target[i] += tau * (theta[i] - theta_target[i])\n"
    verdict = answer(tmp_path, POLYAK, text)
    assert not verdict.passed and "as plain Python it is right, but numba cannot compile it. Untyped global name 'reversed'" in verdict.text


def test_a_learners_random_py_is_not_taken_for_pythons(tmp_path, monkeypatch):
    (tmp_path / "random.py").write_text("raise SystemExit\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert answer(tmp_path, TANH, RIGHT).passed


def test_a_test_counts_only_if_it_fails_for_what_the_function_does(tmp_path):
    exercise = EXERCISES["test-soften"]
    for text in ("calls = []\n\n\ndef test(f):\n    calls.append(1)\n    assert len(calls) <= 2\n", "def test(f):\n    assert 'rl' in f.__code__.co_filename\n", "def test(f):\n    pass\n"):
        assert answer(tmp_path, exercise, text).share == 0
    fail = exercise.edited("deterministic").replace("    assert np.allclose(", "    if not np.allclose(").replace("epsilon / 3)\n", "epsilon / 3):\n            raise SystemExit\n")
    assert 0.5 < answer(tmp_path, exercise, fail).share < 1


def test_a_loop_without_end_is_ended(tmp_path):
    verdict = answer(tmp_path, TANH, "def tanh_vjp(g, y, x):\n    while True:\n        pass\n", limit=2)
    assert not verdict.passed and "no answer within 2 s" in verdict.text


@pytest.mark.proof
def test_a_compiled_loop_without_end_is_ended(tmp_path):
    text = "def polyak(theta, theta_target, tau):\n    i = 0\n    while theta.size == 40 or i < 0:\n        i += 1\n"
    assert "no answer within 8 s" in answer(tmp_path, POLYAK, "def polyak(theta, theta_target, tau):\n    while True:\n        pass\n", limit=8).text
    assert not answer(tmp_path, POLYAK, text, limit=8).passed


def test_a_method_may_call_super_and_bring_helpers(tmp_path):
    text = """
        from math import fmod

        def row_of(count, capacity):
            return int(fmod(count, capacity))

        def add(self, *transition):
            assert super().__init__.__self__ is self  # the class cell is there
            for array, value in zip(self.ring, transition):
                array[row_of(self.count, self.capacity)] = value
            self.count += 1
        """
    verdict = answer(tmp_path, ADD, textwrap.dedent(text))
    assert verdict.passed, verdict.text


@pytest.mark.parametrize("expression, said", [
    ("2 * g * (1 - y * y)", "your numbers are the right ones times 2."), ("(g * (1 - y * y))[::-1]", "the right ones in other places"),
    ("g * (1 - y * y) + 0.5", "3 of 3 numbers are the right ones plus 0.5."), ("g * np.exp(x)", ""),
])  # fmt: skip
def test_what_no_known_mistake_explains_is_compared_with_the_right_numbers(tmp_path, expression, said):
    verdict = answer(tmp_path, TANH, f"def tanh_vjp(g, y, x):\n    return {expression}\n")
    assert not verdict.passed and verdict.mistake == "" and said in verdict.text and ("It looks like" in verdict.text) == bool(said)


def test_a_missing_file_says_how_to_make_it(tmp_path):
    assert "`start tanh-vjp` makes it" in check(TANH, tmp_path / "none.py").text


def test_a_target_that_is_not_there():
    with pytest.raises(ValueError, match="there is no function 'no_such'"):
        graft.library_text("minigrad.ops.elementwise:no_such")


# ---- the command


def test_a_whole_way(tmp_path, capsys):
    def run(*arguments):
        code = main([*arguments, "--dir", str(tmp_path / "mine")])
        return code, capsys.readouterr().out

    assert "tanh-vjp" in run("list")[1] and not (tmp_path / "mine").exists()
    assert run("start", "tanh-vjp")[0] == 0
    path = tmp_path / "mine" / "tanh_vjp.py"
    assert "NotImplementedError" in path.read_text(encoding="utf-8")
    assert "is there already" in run("start", "tanh-vjp")[1]
    assert run("check", "tanh-vjp")[0] == 1
    path.write_text("def tanh_vjp(g, y, x):\n    return g * (1 - x * x)\n", encoding="utf-8")
    code, out = run("check", "tanh-vjp")
    assert code == 1 and "x stands where the output y was meant" in out and "Next: `hint tanh-vjp`" in out
    assert run("hint", "tanh-vjp")[1].startswith("1. ") and "2. " in run("hint", "tanh-vjp")[1]
    assert "2 more failed checks" in run("solution", "tanh-vjp")[1]
    path.write_text("def tanh_vjp(g, y, x):\n    return g * (1 - y * y)\n", encoding="utf-8")
    code, out = run("check", "tanh-vjp")
    assert code == 0 and out.startswith("PASSED")
    assert "def tanh_vjp" in run("solution", "tanh-vjp")[1]
    assert "passed" in run("status")[1] and "2 of 3" in run("status")[1]
    assert "kept as tanh_vjp.old1.py" in run("reset", "tanh-vjp")[1] and not path.exists()
    assert run("check", "no-such")[0] == 2


def test_a_damaged_progress_file_is_set_aside(tmp_path, capsys):
    (tmp_path / "progress.txt").write_text("# id tries hints passed version\ntanh-vjp three 0 1 0\n", encoding="utf-8")
    assert Progress(tmp_path).rows == {}
    assert "is damaged: set aside as progress.damaged1.txt" in capsys.readouterr().out
    assert (tmp_path / "progress.damaged1.txt").exists() and not (tmp_path / "progress.txt").exists()


def test_the_console_script_works_from_any_folder(tmp_path):
    script = Path(sys.executable).with_name("minigrad-course")
    if not script.exists():
        pytest.skip("not installed: python -m examples.homework is the same")
    for command, code, text in ((["homework", "list"], 0, "tanh-vjp"), (["homework", "start", "polyak"], 0, "polyak.py"), ([], 1, "usage")):
        run = subprocess.run([script, *command], cwd=tmp_path, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": ""})
        assert run.returncode == code and text in run.stdout + run.stderr
    assert (tmp_path / "my_homework" / "polyak.py").exists()


# ---- the museum


def broken(name, tmp_path, *arguments):
    command = [sys.executable, "-m", "examples.made_mnist", "--debug", "--out", str(tmp_path), *arguments, "--break", name]
    return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(graft.ROOT)})


def test_a_mistake_that_is_not_there_is_told_with_those_that_are(tmp_path):
    run = broken("no_such", tmp_path)
    assert run.returncode == 1 and "there is no mistake 'no_such'" in run.stderr and "made-masks:output_mask_ge" in run.stderr


@pytest.mark.proof
def test_an_example_runs_with_a_known_mistake(tmp_path):
    run = broken("output_mask_ge", tmp_path)
    assert run.returncode == 0 and "BROKEN ON PURPOSE: models.made:masks: output_mask_ge" in run.stdout, run.stderr
    healthy = subprocess.run([sys.executable, "-m", "examples.made_mnist", "--debug", "--out", str(tmp_path)], cwd=tmp_path,
                             capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(graft.ROOT)})  # fmt: skip
    last = [[line for line in r.stdout.splitlines() if line.startswith("test")][0] for r in (run, healthy)]
    assert last[0] != last[1]


# ---- both ways of running


@pytest.mark.proof
@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES)
def test_the_stub_fails_and_the_library_passes_compiled_and_as_plain_python(tmp_path, exercise):
    ours, empty = tmp_path / "ours.py", tmp_path / "empty.py"
    ours.write_text(exercise.answer or plain(exercise.text), encoding="utf-8")
    empty.write_text(stub(exercise), encoding="utf-8")
    runs = [(path, compiled) for compiled in (True, False) for path in (ours, empty)]
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda run: in_child(exercise, run[0], 60, run[1]), runs))
    assert [verdict.passed for verdict in found] == [True, False, True, False], [verdict.text for verdict in found]
