r"""Homework: write a piece of this project and have it graded, offline.

    python -m examples.homework list            all exercises
    python -m examples.homework start ID        a file for your answer, in ./my_homework/
    python -m examples.homework check ID        the verdict; -v with the whole traceback
    python -m examples.homework hint ID         up to three: a question, the formula, pseudo-code
    python -m examples.homework solution ID     our own answer and why it is so, after success or three failed checks
    python -m examples.homework reset ID        begin anew; your file is kept beside it
    python -m examples.homework status          what is done
    python -m examples.homework watch           check each file whenever it is saved, until Ctrl-C
    python -m examples.homework capstone        train MADE and DDPG on all of your functions at once
    python -m examples.homework museum [ID]     real bugs, and what each does to a run: numbers and a picture
    python -m examples.homework grade FOLDER    for teachers: one folder for each student; --csv, --json, --gradescope

`minigrad-course homework list` is the same from any folder. --dir FOLDER: where your files are (./my_homework). Your progress
is in progress.txt there, plain text. --seed STUDENT: numbers of your own, where an exercise has such. --catalogue FILE: more
exercises, in a Python file of your teacher's.
"""

import argparse
import itertools
import sys
import time
import traceback
from pathlib import Path

from ..command import table
from . import catalogue
from .catalogue import EXERCISES
from .check import check
from .files import Progress, file_of, stub


def start(exercise, chosen, progress):
    """Make the file, unless it is there."""
    exercise, path = catalogue.owned(exercise, chosen.seed), file_of(chosen.dir, exercise)
    if path.exists():
        print(f"{path} is there already: edit it, or `reset {exercise.id}` to begin anew")
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(stub(exercise), encoding="utf-8")
    progress.of(exercise)[3] = exercise.version
    print(f"{path}: read it, write what is missing, then `check {exercise.id}`")
    if exercise.symptom:
        print(f"`museum {exercise.id}` shows what the bug does")


def run_check(exercise, chosen, progress):
    """Show the verdict; returns whether it passed."""
    path = file_of(chosen.dir, exercise)
    exercise = catalogue.find(exercise.id, path) if path.exists() else exercise
    if exercise.compiled:
        print("(a kernel: run as plain Python first, then compiled, which takes some seconds)", flush=True)
    verdict = check(exercise, path)
    row = progress.of(exercise)
    tried = path.exists() and path.read_text(encoding="utf-8", errors="replace") != stub(exercise)
    row[0], row[2] = row[0] + tried, int(verdict.passed or row[2])
    if row[3] != exercise.version and not verdict.passed:
        print(f"{exercise.id} has changed since you started it: `reset {exercise.id}`, then `start {exercise.id}` gives the new text")
    if verdict.passed:
        print(f"PASSED. {exercise.why}")
    else:
        print(f"NOT YET: {verdict.share:.0%} of the points.\n{verdict.text}")
        print(f"Next: `hint {exercise.id}`" if path.exists() else f"Next: `start {exercise.id}`")
        print(verdict.trace if chosen.verbose else "", end="")
    return verdict.passed


def hint(exercise, chosen, progress):
    """One more hint."""
    row = progress.of(exercise)
    row[1] = min(row[1] + 1, len(exercise.hints))
    for number, text in enumerate(exercise.hints[: row[1]], 1):
        print(f"{number}. {text}")


def solution(exercise, chosen, progress):
    """Our own answer, once it can no longer spoil anything."""
    tries, _, passed, _ = progress.of(exercise)
    if not passed and tries < 3:
        print(f"after success, or {3 - tries} more failed checks")
        return
    path = file_of(chosen.dir, exercise)
    print((catalogue.find(exercise.id, path) if path.exists() else exercise).text)
    print(exercise.why)


def reset(exercise, chosen, progress):
    """Set the answer aside and forget the tries."""
    path = file_of(chosen.dir, exercise)
    old = next(p for n in itertools.count(1) if not (p := path.with_suffix(f".old{n}.py")).exists())
    if path.exists():
        path.replace(old)
        print(f"your answer is kept as {old.name}")
    progress.rows.pop(exercise.id, None)
    print(f"{exercise.id}: as new; `start {exercise.id}`")


def show(progress, folder):
    """All exercises and how far they are."""
    rows = []
    for name, exercise in EXERCISES.items():
        tries, hints, passed, _ = progress.rows.get(name, (0, 0, 0, ""))
        state = "passed" if passed else f"{tries} tries" if tries else "started" if file_of(folder, exercise).exists() else ""
        rows.append([name, exercise.title, exercise.kind, f"{exercise.minutes} min", "*" * exercise.difficulty, state, f"{hints} of {len(exercise.hints)}" if hints else ""])
    table(["id", "title", "kind", "time", "hard", "state", "hints"], rows)
    done = [EXERCISES[name] for name, row in progress.rows.items() if row[2] and name in EXERCISES]
    print(f"\n{len(done)} of {len(EXERCISES)} passed, {sum(e.minutes for e in done)} of {sum(e.minutes for e in EXERCISES.values())} minutes")


def watch(chosen, pauses=itertools.repeat(0.5)):
    """Check each file when it is saved; ends with Ctrl-C (or when there are no more pauses, which are in seconds)."""
    seen = stamps(chosen.dir)
    print(f"{len(seen)} files in {chosen.dir}: each is checked when it is saved. Ctrl-C ends it.", flush=True)
    try:
        for pause in pauses:
            time.sleep(pause)
            now = stamps(chosen.dir)
            for name in [name for name in now if now[name] != seen.get(name)]:
                print(f"\n{name}", flush=True)
                progress = Progress(chosen.dir)  # other commands may have written meanwhile
                run_check(EXERCISES[name], chosen, progress)
                progress.save()
            seen = now
    except KeyboardInterrupt:
        print("watched enough")


def stamps(folder):
    """{id: time of the last change} of the learner's files."""
    files = {name: file_of(folder, exercise) for name, exercise in EXERCISES.items()}
    return {name: path.stat().st_mtime_ns for name, path in files.items() if path.exists()}


ONE = {"start": start, "check": run_check, "hint": hint, "solution": solution, "reset": reset}


def parse(arguments):
    """The command line."""
    parser = argparse.ArgumentParser(prog="homework", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=("list", "status", "watch", "capstone", "museum", "grade", *ONE))
    parser.add_argument("id", nargs="?", metavar="ID or FOLDER")
    parser.add_argument("--dir", type=Path, default=Path("my_homework"))
    parser.add_argument("--catalogue", metavar="FILE", help="a Python file with more exercises")
    parser.add_argument("--seed", default="", type=str.strip, metavar="STUDENT", help="`start`: numbers of your own; any name")
    parser.add_argument("-v", "--verbose", action="store_true", help="`check`: the whole traceback")
    parser.add_argument("--out", type=Path, default=Path("figures"), help="`museum`: folder for the picture")
    parser.add_argument("--only", metavar="ID,ID", help="`grade`: these exercises, not all")
    parser.add_argument("--own", action="store_true", help="`grade`: each file must have been made with --seed and the name of its folder")
    parser.add_argument("--jobs", type=int, default=2, choices=range(1, 65), metavar="N", help="`grade`, `capstone`: so many checks at a time (2)")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="`grade`: one line for each student")
    parser.add_argument("--json", type=Path, metavar="FILE", help="`grade`: everything")
    parser.add_argument("--gradescope", type=Path, metavar="FOLDER", help="`grade`: STUDENT.json in the form of Gradescope's results.json")
    return parser.parse_args(arguments)


def main(arguments=None):
    """Run one command; returns 0, or 1 for a check that did not pass, or 2 for a command that is none."""
    chosen = parse(arguments)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")
    if chosen.catalogue:
        try:
            catalogue.add(chosen.catalogue)
        except Exception as error:
            print(error if isinstance(error, ValueError) else traceback.format_exc(limit=-1))
            return 2
    if chosen.action == "grade":
        from .grade import grade

        return grade(chosen)
    if chosen.action == "museum":
        from .museum import museum

        return museum(chosen)
    if chosen.dir.exists() and not chosen.dir.is_dir():
        print(f"--dir {chosen.dir} is a file: it must be a folder")
        return 2
    progress = Progress(chosen.dir)
    if chosen.action in ("list", "status"):
        show(progress, chosen.dir)
        return 0
    if chosen.action == "watch":
        return watch(chosen)
    if chosen.action == "capstone":
        from .capstone import capstone

        return capstone(chosen)
    if chosen.id not in EXERCISES:
        print(f"{chosen.action} needs the id of an exercise, not {chosen.id!r}: `list` shows them")
        return 2
    passed = ONE[chosen.action](EXERCISES[chosen.id], chosen, progress)
    progress.save()
    return 1 if passed is False else 0


def course():
    """The console script: `minigrad-course homework list`, from any folder."""
    if sys.argv[1:2] != ["homework"]:
        sys.exit("usage: minigrad-course homework list | start ID | check ID | ...; minigrad-course homework --help says more")
    sys.exit(main(sys.argv[2:]))


if __name__ == "__main__":
    sys.exit(main())
