r"""Does the grader bite? Generic mutants of every target: the right answer with one small thing changed.

The question. A check can pass for the wrong reason. The named wrong answers of an exercise are those that its author
thought of; what about all others? Here each right answer is changed in every way of the list in mutate.py, one at a time,
and each change that computes something else must fail the exercise's check. (Where the exercise is to write a test, the
function under test is changed, and our own test must see it.)

A mutant that fails to run counts as killed. Survivors are printed: each is a gap in the check, or a change that changes
nothing.

The common mistake. To count only the mutants that one has thought of.

    python -m examples.homework.teeth [ID ...]        some minutes for all
"""

import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ..command import table
from .catalogue import EXERCISES
from .check import get, version
from .exercise import plain
from .forked import in_fork
from .mutate import mutants
from .write_test import kills, versions


def survivors(exercise, jobs=2, step=1):
    """(number of mutants, what was changed in those that pass), taking every step-th. ValueError if our own answer fails."""
    if exercise.subject:
        test = version(exercise, exercise.answer)
        test(get(exercise.subject))
        wrong = versions(exercise.subject, exercise.hidden, (), get)
        return len(wrong), [what for what, function in wrong.items() if not kills(test, function)]
    made = list(mutants(exercise.text, exercise.name))[::step]
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(jobs) as pool:
        ours = Path(folder, "ours.py")
        ours.write_text(exercise.answer or plain(exercise.text), encoding="utf-8")
        verdict = in_fork(exercise, ours, 20, compiled=False)
        if not verdict.passed:  # then every mutant would fail, too
            raise ValueError(f"teeth: {exercise.id}: our own answer does not pass: {verdict.text}")
        paths = [Path(folder, f"mutant_{k}.py") for k in range(len(made))]
        for path, (_, text) in zip(paths, made):
            path.write_text(text, encoding="utf-8")
        passed = list(pool.map(lambda path: in_fork(exercise, path, 20, compiled=False).passed, paths))
    return len(made), [line for (line, _), alive in zip(made, passed) if alive]


def main(names):
    """Print the score of each exercise, then the survivors."""
    if unknown := [name for name in names if name not in EXERCISES]:
        sys.exit(f"teeth: there is no exercise {unknown[0]!r}")
    rows, lines, total, killed = [], [], 0, 0
    for name in names or EXERCISES:
        n, alive = survivors(EXERCISES[name])
        total, killed = total + n, killed + n - len(alive)
        rows.append([name, n, n - len(alive)])
        reasons = EXERCISES[name].equivalent
        lines += [f"{name}: {line}    ({reasons.get(line, 'no reason known: a gap in the check')})" for line in alive]
    table(["exercise", "mutants", "killed"], rows)
    print(f"\n{killed} of {total} killed, {100 * killed / max(total, 1):.1f} %")
    print("\n".join(["survivors:", *lines]).encode("ascii", "replace").decode() if lines else "no survivors")


if __name__ == "__main__":
    main(sys.argv[1:])
