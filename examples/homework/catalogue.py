"""All exercises by name, in the order of the chapters. Nothing of the library is imported here: it is grafted first."""

import hashlib
import importlib.util
import re
from dataclasses import replace
from pathlib import Path

import numpy as np

from . import density, density_any_order, density_completions, density_fast, density_labels, engine, gridworld, museum_bugs, predictions, reinforcement, returns, tests_to_write
from . import rl_dqn, rl_exploration, rl_monte_carlo, rl_numbers, rl_policy, rl_stochastic, rl_td3, rl_temporal, rl_traces
from .exercise import KINDS, Exercise

CHAPTERS = (
    engine, density, density_fast, density_any_order, density_completions, density_labels, gridworld, returns, reinforcement,
    rl_stochastic, rl_monte_carlo, rl_temporal, rl_traces, rl_dqn, rl_policy, rl_td3, rl_exploration, rl_numbers, museum_bugs, predictions, tests_to_write,
)  # fmt: skip
EXERCISES = {exercise.id: exercise for chapter in CHAPTERS for exercise in chapter.EXERCISES}


def add(file):
    """Add a teacher's own exercises: a Python file with EXERCISES, a tuple of Exercise. ValueError says what is wrong with it."""
    spec = importlib.util.spec_from_file_location("private_exercises", file)
    if spec is None or not Path(file).is_file():
        raise ValueError(f"--catalogue {file}: there is no such Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if not hasattr(module, "EXERCISES"):
        raise ValueError(f"--catalogue {file}: it must define EXERCISES, a tuple of Exercise")
    for exercise in module.EXERCISES if isinstance(module.EXERCISES, (tuple, list)) else [module.EXERCISES]:
        if not isinstance(exercise, Exercise):
            raise ValueError(f"--catalogue {file}: EXERCISES must be a tuple of Exercise, and holds {exercise!r}")
        if exercise.kind not in KINDS or not re.fullmatch(r"[a-z0-9-]+", exercise.id):
            raise ValueError(f"--catalogue {file}: {exercise.id!r}: an id has small letters, digits and -, and kind {exercise.kind!r} must be one of {KINDS}")
        try:
            exercise.text
        except (OSError, ValueError) as error:
            raise ValueError(f"--catalogue {file}: {exercise.id}: target {exercise.target!r}: {error}") from None
        if exercise.id in EXERCISES:
            raise ValueError(f"--catalogue {file}: there is an exercise {exercise.id!r} already")
        EXERCISES[exercise.id] = replace(exercise, catalogue=str(Path(file).resolve()))


def owned(exercise, student):
    """The exercise with this student's own numbers, if it has such; the same text gives the same numbers everywhere."""
    if not student or exercise.own is None:
        return exercise
    rng = np.random.default_rng(int.from_bytes(hashlib.sha256(f"{exercise.id} {student}".encode()).digest()[:8], "little"))
    return replace(exercise.own(rng), catalogue=exercise.catalogue, student=student)


def student_of(path):
    """The student whose numbers a file was made with, from its line "# seed: NAME", or ""."""
    lines = Path(path).read_text(encoding="utf-8-sig", errors="replace").splitlines()
    return next((line[len("# seed: ") :].strip() for line in lines if line.startswith("# seed: ")), "")


def find(name, path):
    """The exercise as the file at `path` was made."""
    return owned(EXERCISES[name], student_of(path))
