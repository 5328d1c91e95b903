"""watch, capstone, grade, museum, private catalogues and what else the homework's command does."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from examples.homework import catalogue, graft, transcript
from examples.homework.__main__ import main, parse, watch
from examples.homework.catalogue import EXERCISES
from examples.homework.check import check
from examples.homework.exercise import plain
from examples.homework.files import Progress, file_of, stub

README = transcript.README
PRIVATE = Path(__file__).with_name("private_exercises.py")
RIGHT = {"tanh-vjp": "def tanh_vjp(g, y, x):\n    return g * (1 - y * y)\n", "made-masks": plain(EXERCISES["made-masks"].text)}


@pytest.fixture
def private():
    """The exercises of a teacher's file, for one test."""
    before = dict(EXERCISES)
    catalogue.add(PRIVATE)
    yield {name: EXERCISES[name] for name in EXERCISES if name not in before}
    for name in set(EXERCISES) - set(before):
        del EXERCISES[name]


def answer(tmp_path, exercise, text):
    path = tmp_path / "answer.py"
    path.write_text(text, encoding="utf-8")
    return check(exercise, path)


def put(folder, **texts):
    """Files of a student: tanh_vjp="..." """
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")


# ---- private catalogues, methods with super(), closures, own numbers


def test_a_method_with_super_is_grafted_and_its_mistake_is_known(tmp_path, private):
    exercise = private["cosine"]
    assert answer(tmp_path, exercise, plain(exercise.text)).passed
    assert answer(tmp_path, exercise, plain(exercise.edited("no_pi"))).mistake == "no_pi"
    other = "def factor(self, t):\n    import math\n    return self.end_factor + (self.start_factor - self.end_factor) * (1 + math.cos(math.pi * t)) / 2\n"
    assert answer(tmp_path, exercise, other).passed


def test_a_function_within_a_function_is_grafted_and_its_mistake_is_known(tmp_path, private):
    exercise = private["projected"]
    assert answer(tmp_path, exercise, plain(exercise.text)).passed
    assert answer(tmp_path, exercise, "def projected(*tensors):\n    return np.sum(u * function(*tensors))\n").passed
    verdict = answer(tmp_path, exercise, plain(exercise.edited("squared")))
    assert not verdict.passed and "AssertionError: gradcheck: derivative 1" in verdict.text
    assert "line 2: return nothing" in answer(tmp_path, exercise, "def projected(*tensors):\n    return nothing\n").text


def test_own_numbers_follow_the_student(tmp_path, private, capsys):
    def run(*arguments):
        code = main([*arguments, "--dir", str(tmp_path)])
        return code, capsys.readouterr().out

    assert run("start", "count", "--seed", "Ada")[0] == 0
    path = file_of(tmp_path, private["count"])
    text = path.read_text(encoding="utf-8")
    exercise = catalogue.find("count", path)
    assert "# seed: Ada" in text and exercise.student == "Ada" and exercise.answer != private["count"].answer
    assert catalogue.owned(private["count"], "Ada").answer == exercise.answer != catalogue.owned(private["count"], "Bob").answer
    assert "numbers is not there yet" in run("check", "count")[1]
    path.write_text(text.replace("...", "15"), encoding="utf-8")  # what is right for everybody's numbers
    assert run("check", "count")[0] == 1
    n = int(exercise.answer.split("3 * ")[1].split()[0])
    path.write_text(text.replace("...", str(3 * n)), encoding="utf-8")
    assert "the bias is missing" in run("check", "count")[1]
    path.write_text(text.replace("...", str(3 * n + 3)), encoding="utf-8")
    assert run("check", "count")[0] == 0
    assert "# seed" not in stub(private["count"])


def test_a_catalogue_that_is_none_says_so(tmp_path, capsys):
    for text, message in (("x = 1\n", "must define EXERCISES"), ("def\n", "SyntaxError"), (None, "no such Python file")):
        file = tmp_path / "mine.py"
        file.unlink(missing_ok=True)
        if text:
            file.write_text(text, encoding="utf-8")
        assert main(["list", "--catalogue", str(file)]) == 2 and message in capsys.readouterr().out
    for text, message in (("EXERCISES = 3\n", "must be a tuple of Exercise, and holds 3"),
                          (PRIVATE.read_text(encoding="utf-8").replace('id="count"', 'id="my count"'), "an id has small letters"),
                          (PRIVATE.read_text(encoding="utf-8").replace("minigrad.optim:", "minigrad.nothing:"), "target 'minigrad.nothing:")):  # fmt: skip
        file.write_text(text, encoding="utf-8")
        assert main(["list", "--catalogue", str(file)]) == 2 and message in capsys.readouterr().out
        for name in ("cosine", "projected", "my count", "count"):
            EXERCISES.pop(name, None)
    twin = "from examples.homework.engine import TANH\nEXERCISES = (TANH,)\n"
    file.write_text(twin, encoding="utf-8")
    assert main(["list", "--catalogue", str(file)]) == 2 and "an exercise 'tanh-vjp' already" in capsys.readouterr().out


def test_an_exercise_that_changed_since_it_was_started_says_so(tmp_path, capsys):
    main(["start", "tanh-vjp", "--dir", str(tmp_path)])
    file = tmp_path / "progress.txt"
    file.write_text(file.read_text(encoding="utf-8").replace(EXERCISES["tanh-vjp"].version, "00000000"), encoding="utf-8")
    main(["check", "tanh-vjp", "--dir", str(tmp_path)])
    assert "tanh-vjp has changed since you started it" in capsys.readouterr().out
    main(["reset", "tanh-vjp", "--dir", str(tmp_path)])
    main(["start", "tanh-vjp", "--dir", str(tmp_path)])
    main(["check", "tanh-vjp", "--dir", str(tmp_path)])
    assert "has changed" not in capsys.readouterr().out


def test_verbose_shows_the_whole_traceback(tmp_path, capsys):
    put(tmp_path, tanh_vjp="def inner(x):\n    return x.nothing\n\n\ndef tanh_vjp(g, y, x):\n    return inner(g)\n")
    main(["check", "tanh-vjp", "--dir", str(tmp_path)])
    assert "Traceback" not in capsys.readouterr().out
    main(["check", "tanh-vjp", "--dir", str(tmp_path), "-v"])
    out = capsys.readouterr().out
    assert "Traceback" in out and "line 6, in tanh_vjp" in out and "AttributeError" in out


# ---- several answers at once


def test_answers_graft_together_even_with_helpers_of_the_same_name():
    module = "minigrad.ops.elementwise"
    tanh = "def square(a):\n    return a * a\n\n\ndef tanh_vjp(g, y, x):\n    return g * (1 - square(y))\n"
    exp = "def square(a):\n    return 2 * a\n\n\ndef exp_vjp(g, y, x):\n    return g * square(y) / 2\n"
    code = f"""
import numpy as np
from examples.homework import graft
graft.install(({module + ":tanh_vjp"!r}, {tanh!r}, "a.py"), ({module + ":exp_vjp"!r}, {exp!r}, "b.py"))
import minigrad
x = minigrad.Tensor(np.array([0.5]), requires_grad=True)
(a,), (b,) = minigrad.grad(np.tanh(x).sum(), x), minigrad.grad(np.exp(x).sum(), x)
assert np.allclose([a.data[0], b.data[0]], [1 - np.tanh(0.5) ** 2, np.exp(0.5)])
from minigrad.ops import elementwise
assert elementwise.tanh_vjp.__code__.co_filename == "a.py" and elementwise.exp_vjp.__code__.co_filename == "b.py"
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(graft.ROOT)})
    assert run.returncode == 0, run.stderr


@pytest.mark.proof
@pytest.mark.parametrize("line, refused", [
    ("import numpy as np", False), ("from math import fsum", False), ("from math import exp", True), ("import math as np", True),
    ("exp = None", True), ("from .primitive import primitive", False),
])  # fmt: skip
def test_imports_that_the_module_has_too_are_no_clash_but_other_meanings_are(tmp_path, line, refused):
    verdict = answer(tmp_path, EXERCISES["tanh-vjp"], f"{line}\n\n\n{RIGHT['tanh-vjp']}")
    assert verdict.passed != refused, verdict.text
    assert not refused or "of its own: give yours another name" in verdict.text


@pytest.mark.proof
def test_the_capstone_trains_on_all_of_the_learners_functions(tmp_path, capsys):
    for exercise in EXERCISES.values():
        if not exercise.answer:
            text = plain(exercise.text)
            text = exercise.edited("forgets_g") if exercise.id == "tanh-vjp" else text
            file_of(tmp_path, exercise).write_text(text, encoding="utf-8")
    assert main(["capstone", "--dir", str(tmp_path)]) == 1
    out = capsys.readouterr().out
    targets = {exercise.target for exercise in EXERCISES.values() if not exercise.answer}
    assert f"{len(targets) - 1} of {len(targets)} functions are yours" in out and "left out: tanh-vjp" in out
    nll = next(line for line in out.splitlines() if line.startswith("MADE")).split()[-2:]
    assert abs(float(nll[0]) - float(nll[1])) < 0.5 and 90 < float(nll[0]) < 150


def test_watch_checks_what_is_saved(tmp_path, capsys):
    put(tmp_path, tanh_vjp=stub(EXERCISES["tanh-vjp"]))

    def pauses():
        yield 0
        put(tmp_path, tanh_vjp=RIGHT["tanh-vjp"])
        os.utime(tmp_path / "tanh_vjp.py", ns=(1, 1))  # whatever the clock's grain
        yield 0
        yield 0

    watch(parse(["watch", "--dir", str(tmp_path)]), pauses())
    out = capsys.readouterr().out
    assert out.startswith("1 files") and out.count("PASSED") == 1 and "NOT YET" not in out
    assert Progress(tmp_path).rows["tanh-vjp"][:3] == [1, 0, 1]


# ---- grading


def test_one_bad_submission_never_stops_the_run(tmp_path, capsys, monkeypatch):
    students = tmp_path / "submissions"
    put(students / "ada" / "deep", tanh_vjp=RIGHT["tanh-vjp"], made_masks=RIGHT["made-masks"])
    put(students / "bob", tanh_vjp="def tanh_vjp(g, y, x):\n    import sys\n    sys.exit(0)\n", made_masks="def masks(degrees):\n    return []\n")
    put(students / "cleo", tanh_vjp=RIGHT["tanh-vjp"])
    (students / "dora" / "made_masks.py").mkdir(parents=True)  # a folder of that name
    (students / "dora" / "tanh_vjp.py").write_bytes(b"\xff\xfe\x00def")
    (students / "empty").mkdir()
    (students / "a file beside them.txt").write_text("")
    names = ["--csv", str(tmp_path / "out" / "grades.csv"), "--json", str(tmp_path / "out" / "grades.json"), "--gradescope", str(tmp_path / "results")]
    assert main(["grade", str(students), "--only", "tanh-vjp,made-masks", *names]) == 0
    rows = list(csv.reader((tmp_path / "out" / "grades.csv").read_text().splitlines()))
    assert rows[0] == ["student", "points", "of", "tanh-vjp", "made-masks"]
    of = [len(EXERCISES[name].checks) for name in ("tanh-vjp", "made-masks")]
    assert rows[1][:1] == ["ada"] and float(rows[1][1]) == sum(of) == int(rows[1][2])
    assert [row[0] for row in rows[1:]] == ["ada", "bob", "cleo", "dora", "empty"]
    assert float(rows[2][3]) == 0 and float(rows[2][1]) < 1 and float(rows[3][3]) == of[0] and float(rows[5][1]) == 0
    details = json.loads((tmp_path / "out" / "grades.json").read_text())
    said = {(d["student"], d["exercise"]): d["text"] for d in details}
    assert "sys.exit" in said["bob", "tanh-vjp"] and said["empty", "made-masks"] == "not handed in" == said["dora", "made-masks"]
    assert not any(d["passed"] for d in details if d["student"] == "dora")
    result = json.loads((tmp_path / "results" / "ada.json").read_text())
    assert result["score"] == sum(of) and {t["status"] for t in result["tests"]} == {"passed"}
    assert {"name", "score", "max_score", "output"} <= set(result["tests"][0])
    assert "ada" in capsys.readouterr().out


def test_a_test_that_sees_some_of_the_wrong_versions_gets_some_of_the_points(tmp_path):
    exercise = EXERCISES["test-masks"]
    weak = next(iter(exercise.wrong))
    verdict = answer(tmp_path, exercise, exercise.edited(weak))
    assert not verdict.passed and 0.3 < verdict.share < 1


def test_numbers_must_be_the_students_own_if_the_teacher_says_so(tmp_path, private, capsys):
    students = tmp_path / "submissions"
    for student, seed in (("ada", "ada"), ("bob", "ada")):
        exercise = catalogue.owned(private["count"], seed)
        put(students / student, count=f"# seed: {seed}\n{exercise.answer}")
    main(["grade", str(students), "--only", "count", "--own", "--json", str(tmp_path / "all.json")])
    details = {d["student"]: d for d in json.loads((tmp_path / "all.json").read_text())}
    assert details["ada"]["passed"] and not details["bob"]["passed"] and "made for --seed ada, not for bob" in details["bob"]["text"]


def test_which_files_count_and_what_is_left_out(tmp_path, capsys):
    students = tmp_path / "submissions"
    put(students / "ada" / "backup", tanh_vjp="def tanh_vjp(g, y, x):\n    return g\n")
    put(students / "ada", tanh_vjp=RIGHT["tanh-vjp"])
    put(students / ".git", tanh_vjp="")
    (students / "late.zip").write_bytes(b"PK")
    assert main(["grade", str(students), "--only", "tanh-vjp, tanh-vjp"]) == 0
    out = capsys.readouterr().out
    assert "left out: .git, late.zip" in out and len(out.splitlines()) == 4
    assert float(out.splitlines()[-1].split()[1]) == len(EXERCISES["tanh-vjp"].checks)
    assert main(["grade", str(students), "--csv", str(tmp_path)]) == 2 and "is a folder" in capsys.readouterr().out


def test_a_seed_with_a_space_behind_it_is_the_same_seed(tmp_path, private):
    main(["start", "count", "--dir", str(tmp_path), "--seed", "Ada "])
    assert catalogue.find("count", file_of(tmp_path, private["count"])).answer == catalogue.owned(private["count"], "Ada").answer


def test_a_solution_can_be_seen_after_the_answer_is_gone(tmp_path, capsys):
    (tmp_path / "progress.txt").write_text("# title\ntanh-vjp 1 0 1 abc\n", encoding="utf-8")
    assert main(["solution", "tanh-vjp", "--dir", str(tmp_path)]) == 0 and "def tanh_vjp" in capsys.readouterr().out


def test_helpers_are_renamed_where_they_are_global_only():
    first = "EPS = 0.0\n\n\ndef flag():\n    return 1\n\n\ndef soften(policy, epsilon):\n    return flag() + EPS\n"
    second = "EPS = 1.0\n\n\ndef flag():\n    return 2\n\n\ndef use(flag):\n    return flag + EPS\n\n\ndef uniform_policy(mdp):\n    return use(flag())\n"
    code = graft.grafted("rl.mdp", [("soften", first, "a.py"), ("uniform_policy", second, "b.py")])
    names = {"__name__": "rl.mdp", "__package__": "rl"}
    exec(code, names)
    assert names["soften"](0, 0) == 1 and names["uniform_policy"](0) == 3


def test_grading_nothing_says_so(tmp_path, capsys):
    for arguments, message in (([], "grade needs a folder"), ([str(tmp_path)], "one folder for each student"),
                               ([str(tmp_path), "--only", "none"], "there is no exercise 'none'")):  # fmt: skip
        assert main(["grade", *arguments]) == 2 and message in capsys.readouterr().out


# ---- the museum


def test_the_museum_lists_its_bugs(capsys):
    assert main(["museum"]) == 0 and main(["museum", "none"]) == 2
    assert "there is no 'none'" in capsys.readouterr().out


@pytest.mark.proof
@pytest.mark.parametrize("exercise", [e for e in EXERCISES.values() if e.symptom], ids=lambda exercise: exercise.id)
def test_each_bug_shows_its_symptom(tmp_path, exercise, capsys):
    assert main(["museum", exercise.id, "--out", str(tmp_path)]) == 0
    assert (tmp_path / f"{exercise.id}.png").stat().st_size > 5000
    rows = [line.rsplit(None, 2)[1:] for line in capsys.readouterr().out.splitlines()[2:-1]]
    assert any(abs(float(healthy) - float(broken)) > 0.02 * abs(float(healthy)) for healthy, broken in rows)


# ---- the page


def test_the_syllabus_has_every_exercise_once():
    table = README.read_text(encoding="utf-8").split("| week |")[1].split("\n\n")[0]
    listed = [name for row in table.splitlines()[2:] for name in row.split("|")[4].strip().split(", ")]
    assert listed.pop() == "capstone" and sorted(listed) == sorted(EXERCISES) and len(table.splitlines()) == 2 + 17


@pytest.mark.proof
def test_the_transcripts_on_the_page_are_what_the_commands_print():
    """But for the last digits of what is trained: they depend on the machine's BLAS."""
    page = README.read_text(encoding="utf-8")
    for name, text in transcript.transcripts().items():
        shown = transcript.between(page, name)[1]
        assert trained(shown) == trained(text)


def trained(text):
    """A transcript without the capstone's figures."""
    return [line.split("  ")[0] if line.startswith(("MADE, NLL", "DDPG, Pend", "figure", "-----")) else line for line in text.splitlines()]


def test_the_counts_on_the_first_page_are_true():
    wrong, right = (sum(len(getattr(exercise, part)) for exercise in EXERCISES.values()) for part in ("wrong", "right"))
    page = (graft.ROOT / "README.md").read_text(encoding="utf-8")
    assert f"| {wrong} of {wrong} |" in page and f"| {right} of {right} pass |" in page and f"shows {len(EXERCISES)} exercises" in page
    assert f"about {round(sum(exercise.minutes for exercise in EXERCISES.values()) / 60)} hours" in page
