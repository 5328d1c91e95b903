r"""For teachers: grade a folder of submissions, one folder for each student.

Each check is worth one point; a test that the student wrote is worth the share of the wrong versions that it sees. One bad
submission never stops the run: whatever it does is its own verdict. Equal texts are graded once.

    python -m examples.homework grade submissions --csv grades.csv --json grades.json --gradescope results --only tanh-vjp,made-masks
"""

import csv
import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ..command import table
from .catalogue import EXERCISES, find, student_of
from .check import Verdict, check
from .files import file_of


def answers(folder, exercises):
    """{id: path} of a student's files, wherever in the folder they lie: of several the one that lies least deep. The copies
    that `reset` keeps do not count."""
    files = sorted((path for path in folder.rglob("*.py") if path.is_file()), key=lambda path: (len(path.parts), path))
    return {e.id: path for e in exercises for path in reversed(files) if path.name == file_of("", e).name}


def chosen_exercises(names):
    """The exercises named in "ID,ID", or all. ValueError names the one that does not exist."""
    if not names:
        return list(EXERCISES.values())
    names = dict.fromkeys(name.strip() for name in names.split(","))
    for name in names:
        if name not in EXERCISES:
            raise ValueError(f"--only: there is no exercise {name!r}: `list` shows them")
    return [EXERCISES[name] for name in names]


def verdict_on(exercise, path, student, own):
    """The Verdict on one file; never raises."""
    try:
        if own and exercise.own and student_of(path) != student:
            return Verdict(False, f"made for --seed {student_of(path) or 'nobody'}, not for {student}")
        return check(find(exercise.id, path), path)
    except Exception as error:
        return Verdict(False, f"{type(error).__name__}: {error}")


def students_in(folder):
    """The folders in it, but not .git, __MACOSX and the like."""
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith((".", "__")))


def graded(folder, exercises, own=False, jobs=2):
    """Yield (student, {id: Verdict}) for every folder in `folder`, in alphabetical order."""
    known = {}
    with ThreadPoolExecutor(jobs) as pool:
        waiting = []
        for student in students_in(folder):
            verdicts = {}
            for name, path in answers(student, exercises).items():
                try:
                    key = name, hashlib.sha256(path.read_bytes()).hexdigest(), own and student.name
                except OSError:  # its verdict will say so
                    key = name, str(path), own and student.name
                if key not in known:
                    known[key] = pool.submit(verdict_on, EXERCISES[name], path, student.name, own)
                verdicts[name] = known[key]
            waiting.append((student.name, verdicts))
        for student, verdicts in waiting:
            yield student, {name: future.result() for name, future in verdicts.items()}


def points(exercise, verdict):
    """(points reached, points to be had): one for each check."""
    of = len(exercise.checks)
    return (round(verdict.share * of, 2) if verdict else 0.0), of


def rows_of(student, exercises, verdicts):
    """One row for each exercise, as a dict: what the JSON holds."""
    rows = []
    for exercise in exercises:
        verdict = verdicts.get(exercise.id)
        got, of = points(exercise, verdict)
        said = {"mistake": verdict.mistake, "text": verdict.text, "checks": list(verdict.points)} if verdict else {"text": "not handed in"}
        rows.append({"student": student, "exercise": exercise.id, "points": got, "of": of, "passed": bool(verdict and verdict.passed)} | said)
    return rows


def gradescope(rows):
    """The rows of one student as Gradescope's results.json: a score, and one test for each exercise."""
    tests = [{"name": row["exercise"], "score": row["points"], "max_score": row["of"], "output": row["text"],
              "status": "passed" if row["passed"] else "failed"} for row in rows]  # fmt: skip
    return {"score": round(sum(row["points"] for row in rows), 2), "tests": tests}


def write(path, write_to):
    """Write a file through `write_to(stream)`, making its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", errors="replace", newline="") as stream:
        write_to(stream)
    print(f"{path} is written")


def grade(chosen):
    """The command; returns 0, or 2 if there is nothing to grade."""
    folder = Path(chosen.id or "")
    try:
        exercises = chosen_exercises(chosen.only)
        if not chosen.id or not folder.is_dir() or not students_in(folder):
            raise ValueError(f"grade needs a folder that holds one folder for each student, not {chosen.id!r}")
        for option, path in (("--csv", chosen.csv), ("--json", chosen.json)):
            if path and path.is_dir():
                raise ValueError(f"{option} {path} is a folder: it must be a file")
    except ValueError as error:
        print(error)
        return 2
    if others := sorted(path.name for path in folder.iterdir() if path not in students_in(folder)):
        print(f"no student's folder, and so left out: {', '.join(others)}")
    everything, lines = [], []
    for student, verdicts in graded(folder, exercises, chosen.own, chosen.jobs):
        rows = rows_of(student, exercises, verdicts)
        everything += rows
        lines.append([student, sum(r["points"] for r in rows), sum(r["of"] for r in rows), *[r["points"] for r in rows]])
        if chosen.gradescope:
            write(chosen.gradescope / f"{student}.json", lambda stream: json.dump(gradescope(rows), stream, indent=1))
    header = ["student", "points", "of", *[exercise.id for exercise in exercises]]
    table(header[:3] + ["passed", "handed in"], [
        [student, float(got), of, sum(r["passed"] for r in everything if r["student"] == student),
         sum(r["text"] != "not handed in" for r in everything if r["student"] == student)] for student, got, of, *_ in lines])  # fmt: skip
    if chosen.csv:
        write(chosen.csv, lambda stream: csv.writer(stream).writerows([header, *lines]))
    if chosen.json:
        write(chosen.json, lambda stream: json.dump(everything, stream, indent=1))
    return 0
