"""Answers that were written blind, by somebody who saw the task and nothing of the source, the checks or the named mistakes.

Five rounds, 50 right answers and 60 wrong ones. After a round, the mistakes that it had shown were added to the exercises, so
a diagnosis counts only if the grader made it when it first saw the attempt: `named at once` in blind/diagnoses.txt.

    round 1    3 of 10      the first grader; it also let one wrong answer pass
    round 2    9 of 10
    round 3    7 of 10      one of the other three is right by the letter of its task, and passes
    round 4    5 of 10      exercises that no round had tried before
    round 5   16 of 20      ten exercises drawn by lot, two mistakes each

No right answer was ever rejected. blind/round_*/mistakes.txt says what each author meant to do wrong.
"""

from pathlib import Path

import pytest

from examples.homework.catalogue import EXERCISES
from examples.homework.check import check

BLIND = Path(__file__).with_name("blind")
BY_FILE = {name.replace("-", "_"): exercise for name, exercise in EXERCISES.items()}
RIGHT = sorted(BLIND.glob("round_*/*_right.py"))
DIAGNOSES = dict(line.split(": ") for line in (BLIND / "diagnoses.txt").read_text(encoding="utf-8").splitlines()[1:])


def test_they_are_all_there():
    assert len(RIGHT) == 50 and len(DIAGNOSES) == 60 and all((BLIND / name).exists() for name in DIAGNOSES)


def test_how_many_were_diagnosed_at_once():
    """Compared by hand with mistakes.txt."""
    named = [name[:7] for name, text in DIAGNOSES.items() if text.endswith("; named at once")]
    assert [named.count(f"round_{i}") for i in range(1, 6)] == [3, 9, 7, 5, 16]


def exercise_of(path):
    """The exercise that a file tries; `on_test_polyak_wrong.py` must not look like a test of ours."""
    return BY_FILE[path.stem.removeprefix("on_").replace("_wrong2", "_wrong").removesuffix("_wrong").removesuffix("_right")]


@pytest.mark.proof
@pytest.mark.parametrize("path", RIGHT, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_no_right_answer_is_rejected(path):
    verdict = check(exercise_of(path), path)
    assert verdict.passed, verdict.text


@pytest.mark.proof
@pytest.mark.parametrize("name", DIAGNOSES)
def test_a_wrong_answer_is_told_what_it_looks_like(name):
    path, mistake = BLIND / name, DIAGNOSES[name].split("; ")[0]
    exercise = exercise_of(path)
    verdict = check(exercise, path)
    if mistake == "accepted":  # its author thought it wrong; the task allows it
        assert verdict.passed
    else:
        assert not verdict.passed and verdict.mistake == mistake and exercise.wrong[mistake][1] in verdict.text
