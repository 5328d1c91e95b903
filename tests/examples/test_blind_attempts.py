"""Answers that were written blind, by somebody who saw the task and nothing of the source, the checks or the named mistakes.

Three rounds of ten right and ten wrong answers each. After the first, mistakes that it had shown were added to the exercises,
so it proves nothing about diagnoses; the second and third measure them: `named at once` in blind/diagnoses.txt.
blind/round_*/mistakes.txt says what each author meant to do wrong.
"""

from pathlib import Path

import pytest

from examples.homework.catalogue import EXERCISES
from examples.homework.check import check

BLIND = Path(__file__).with_name("blind")
BY_FILE = {name.replace("-", "_"): exercise for name, exercise in EXERCISES.items()}
RIGHT = sorted(BLIND.glob("round_*/*_right.py"))
DIAGNOSES = dict(line.split(": ") for line in (BLIND / "diagnoses.txt").read_text(encoding="utf-8").splitlines()[1:])


def test_there_are_sixty():
    assert len(RIGHT) == len(DIAGNOSES) == 30 and all((BLIND / name).exists() for name in DIAGNOSES)


def test_four_in_five_of_the_wrong_ones_were_diagnosed_at_once():
    """By hand, against mistakes.txt, when the grader saw rounds 2 and 3 for the first time."""
    fresh = [text for name, text in DIAGNOSES.items() if not name.startswith("round_1")]
    assert len(fresh) == 20 and sum(text.endswith("; named at once") for text in fresh) >= 16


@pytest.mark.proof
@pytest.mark.parametrize("path", RIGHT, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_no_right_answer_is_rejected(path):
    verdict = check(BY_FILE[path.stem.removesuffix("_right")], path)
    assert verdict.passed, verdict.text


@pytest.mark.proof
@pytest.mark.parametrize("name", DIAGNOSES)
def test_a_wrong_answer_is_told_what_it_looks_like(name):
    path, mistake = BLIND / name, DIAGNOSES[name].split("; ")[0]
    exercise = BY_FILE[path.stem.removesuffix("_wrong")]
    verdict = check(exercise, path)
    if mistake == "accepted":  # its author thought it wrong; the task allows it
        assert verdict.passed
    else:
        assert not verdict.passed and verdict.mistake == mistake and exercise.wrong[mistake][1] in verdict.text
