r"""Homework: write a piece of this project and have it graded, offline.

    python -m examples.homework list            all exercises
    python -m examples.homework start ID        a file for your answer, in ./my_homework/
    python -m examples.homework check ID        the verdict
    python -m examples.homework hint ID         up to three: a question, the formula, pseudo-code
    python -m examples.homework solution ID     what the library does, after success or three failed checks
    python -m examples.homework status          what is done
    python -m examples.homework reset ID        begin anew; your file is kept beside it

`minigrad-course homework list` is the same from any folder. --dir FOLDER: where your files are (./my_homework). Your progress is in progress.txt there, plain text.
"""

import argparse
import ast
import os
import re
import sys
import textwrap
from pathlib import Path

from ..command import table
from .catalogue import EXERCISES
from .check import check
from .exercise import plain

HEAD = "# id tries hints passed: written by `python -m examples.homework`\n"


class Progress:
    """What is kept between two commands: {id: [tries, hints, passed]}, in a plain-text file."""

    def __init__(self, folder):
        self.path, self.rows = Path(folder, "progress.txt"), {}
        if self.path.exists():
            try:
                for line in self.path.read_text(encoding="utf-8").splitlines()[1:]:
                    name, *numbers = line.split()
                    tries, hints, passed = map(int, numbers)
                    self.rows[name] = [tries, hints, passed]
            except ValueError:
                aside = self.path.with_name("progress.damaged.txt")
                self.path.replace(aside)
                print(f"{self.path.name} is damaged: set aside as {aside.name}; your answers are untouched")

    def of(self, name):
        """[tries, hints, passed] of one exercise, to be changed."""
        return self.rows.setdefault(name, [0, 0, 0])

    def save(self):
        """Write the file; whoever reads sees the old one or the new one."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.path.with_suffix(".tmp")
        temporary.write_text(HEAD + "".join(f"{name} {' '.join(map(str, row))}\n" for name, row in self.rows.items()), encoding="utf-8")
        os.replace(temporary, self.path)


def head(exercise):
    """The comment at the top of the learner's file."""
    about = f"Exercise {exercise.id}: {exercise.title} ({exercise.minutes} minutes). Read first: {exercise.read}."
    paragraphs = [about, *exercise.task.split("\n")]
    if not exercise.answer:
        owner = exercise.target.split(":")[1].rpartition(".")[0]
        place = f"It takes the place of {exercise.target}" + (f", in {owner}" if owner else "")
        paragraphs.append(f"{place}, and may use what that file imports and defines.")
    lines = [textwrap.indent(textwrap.fill(paragraph, 110), "# ") for paragraph in paragraphs]
    return "\n#\n".join(lines) + "\n" + (f"# seed: {exercise.student}\n" if exercise.student else "")


def without_body(exercise, text):
    """A function's signature and docstring, without the formula, and a body that raises."""
    node = next(n for n in ast.parse(text).body if isinstance(n, ast.FunctionDef) and n.name == exercise.name)
    header = "\n".join(text.splitlines()[node.lineno - 1 : node.body[0].lineno - 1])  # the signature, without decorators
    doc = ast.get_docstring(node) or ""
    for piece in exercise.formula:
        doc = doc.replace(piece, "").strip()
    doc = textwrap.indent(f'r"""{doc}"""', "    ") + "\n" if doc else ""
    return f'{header}\n{doc}    raise NotImplementedError("exercise {exercise.id}")\n'


def questions(text):
    """The lines of `predict`, each value replaced by dots."""
    return "".join(re.sub(r"^(\w+ = ).*?(  # .*)?$", r"\1...\2", line) + "\n" for line in text.splitlines() if re.match(r"\w+ = ", line))


def stub(exercise):
    """The learner's file: the task, and what the kind of exercise gives."""
    if exercise.kind == "predict":
        return head(exercise) + "\n" + questions(exercise.text)
    if exercise.bug:
        return head(exercise) + "\n\n" + plain(exercise.edited(exercise.bug))
    text = textwrap.dedent(exercise.text)
    lines = [line for line in text.splitlines() if line.startswith(("import ", "from "))] if exercise.answer else []
    return head(exercise) + "\n" + "".join(line + "\n" for line in lines) + "\n" * (1 + bool(lines)) + without_body(exercise, text)


def file_of(folder, exercise):
    """Where the learner's answer is."""
    return Path(folder, f"{exercise.id.replace('-', '_')}.py")


def start(exercise, folder, progress):
    """Make the file, unless it is there."""
    path = file_of(folder, exercise)
    if path.exists():
        print(f"{path} is there already: edit it, or `reset {exercise.id}` to begin anew")
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(stub(exercise), encoding="utf-8")
    print(f"{path}: write the body, then `check {exercise.id}`")


def run_check(exercise, folder, progress):
    """Show the verdict; returns whether it passed."""
    if "@jit" in exercise.text:
        print("(a kernel: run as plain Python first, then compiled, which takes some seconds)")
    verdict = check(exercise, file_of(folder, exercise))
    row = progress.of(exercise.id)
    row[0], row[2] = row[0] + 1, int(verdict.passed or row[2])
    print(f"PASSED. {exercise.why}" if verdict.passed else f"NOT YET.\n{verdict.text}\nNext: `hint {exercise.id}`")
    return verdict.passed


def hint(exercise, folder, progress):
    """One more hint."""
    row = progress.of(exercise.id)
    row[1] = min(row[1] + 1, len(exercise.hints))
    for number, text in enumerate(exercise.hints[: row[1]], 1):
        print(f"{number}. {text}")


def solution(exercise, folder, progress):
    """The library's own text, once it can no longer spoil anything."""
    tries, _, passed = progress.of(exercise.id)
    if not passed and tries < 3:
        print(f"after success, or {3 - tries} more failed checks")
        return
    print(exercise.text)
    print(exercise.why)


def reset(exercise, folder, progress):
    """Set the answer aside and forget the tries."""
    path = file_of(folder, exercise)
    if path.exists():
        path.replace(path.with_suffix(".old.py"))
    progress.rows.pop(exercise.id, None)
    print(f"{exercise.id}: as new" + (f"; your answer is kept as {path.stem}.old.py" if path.with_suffix(".old.py").exists() else ""))


def show(progress):
    """All exercises and how far they are."""
    rows = []
    for name, exercise in EXERCISES.items():
        tries, hints, passed = progress.rows.get(name, (0, 0, 0))
        state = "passed" if passed else f"{tries} tries" if tries else ""
        rows.append([name, exercise.title, exercise.kind, f"{exercise.minutes} min", "*" * exercise.difficulty, state, f"{hints} hints" if hints else ""])
    table(["id", "title", "kind", "time", "hard", "state", "hints"], rows)


ACTIONS = {"start": start, "check": run_check, "hint": hint, "solution": solution, "reset": reset}


def main(arguments=None):
    """Run one command; returns 0, or 1 for a check that did not pass, or 2 for a command that is none."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=("list", "status", *ACTIONS))
    parser.add_argument("id", nargs="?")
    parser.add_argument("--dir", type=Path, default=Path("my_homework"))
    chosen = parser.parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")
    progress = Progress(chosen.dir)
    if chosen.action in ("list", "status"):
        show(progress)
        return 0
    if chosen.id not in EXERCISES:
        print(f"{chosen.action} needs the id of an exercise, not {chosen.id!r}: `list` shows them")
        return 2
    passed = ACTIONS[chosen.action](EXERCISES[chosen.id], chosen.dir, progress)
    progress.save()
    return 1 if passed is False else 0


def course():
    """The console script: `minigrad-course homework list`, from any folder."""
    if sys.argv[1:2] != ["homework"]:
        sys.exit("usage: minigrad-course homework list | start ID | check ID | hint ID | solution ID | status | reset ID")
    sys.exit(main(sys.argv[2:]))


if __name__ == "__main__":
    sys.exit(main())
