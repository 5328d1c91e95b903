r"""The transcripts of the README, produced by the commands themselves.

    python -m examples.homework.transcript            print them
    python -m examples.homework.transcript --write    put them into examples/homework/README.md, between its markers

A whole way: list, start, a wrong attempt, a hint, a right attempt, status, and the capstone with an answer of another kind
than the library's for each of its functions. Then 60 made-up submissions are graded, among them empty, endless and broken
ones.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from .catalogue import EXERCISES
from .files import file_of, stub
from .graft import ROOT

README = Path(__file__).with_name("README.md")
WRONG = "def tanh_vjp(g, y, x):\n    return g * (1 - x * x)\n"
WILD = ("", "def (:\n", "while True:\n    pass\n", "import os\nos._exit(1)\n", "raise SystemExit\n", "x = 1 / 0\n")
GRADED = "tanh-vjp,made-masks,soften,n-step-targets,test-masks,predict-made"


def session(folder, *steps):
    """Run commands in a folder; returns what a terminal would show. A step (path, text) writes a file first."""
    shown, env = [], {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    for step in steps:
        if isinstance(step, tuple):
            path, text = step
            Path(folder, path).write_text(text, encoding="utf-8")
            shown.append(f"$ cat {path}\n{text.strip()}\n")
            continue
        command, first, last = (*step.split("|"), "", "")[:3]
        run = subprocess.run([sys.executable, "-m", *command.split()[2:]], cwd=folder, env=env, capture_output=True, encoding="utf-8")
        lines = (run.stdout + run.stderr).splitlines()
        if first:
            kept = int(first), int(last or 0)
            lines = [*lines[: kept[0]], f"... {len(lines) - sum(kept)} more lines", *lines[len(lines) - kept[1] :]]
        shown.append(f"$ {command}\n" + "\n".join(lines) + "\n")
    return "\n".join(shown)


def whole_way(folder):
    """The learner's way."""
    home, path = "python -m examples.homework", "my_homework/tanh_vjp.py"
    right = "def tanh_vjp(g, y, x):\n    return g * (1 - y) * (1 + y)\n"
    way = session(folder, f"{home} list|7|2", f"{home} start tanh-vjp", (path, stub(EXERCISES["tanh-vjp"])), (path, WRONG), f"{home} check tanh-vjp",
                  f"{home} hint tanh-vjp", (path, right), f"{home} check tanh-vjp")  # fmt: skip
    for exercise in EXERCISES.values():
        if not exercise.answer and exercise.id != "tanh-vjp":
            file_of(Path(folder, "my_homework"), exercise).write_text(next(iter(exercise.right.values())), encoding="utf-8")
    return way + "\n" + session(folder, f"{home} status|4|2", f"{home} capstone")


def submissions(folder, students=60):
    """Made-up answers: right ones, named wrong ones, unwritten, wild or none, drawn with a fixed seed."""
    rng = np.random.default_rng(0)
    pick = lambda texts: texts[rng.integers(len(texts))]  # noqa: E731
    for number in range(1, students + 1):
        skill = rng.random()
        for name in GRADED.split(","):
            exercise, luck = EXERCISES[name], rng.random()
            texts = [exercise.text if exercise.answer else "", *exercise.right.values()]
            if luck < 0.1:
                continue
            if luck < 0.15:
                text = pick(WILD)
            elif luck < 0.2:
                text = stub(exercise)
            elif rng.random() < skill:
                text = pick([text for text in texts if text])
            else:
                text = exercise.edited(pick(list(exercise.wrong)))
            path = file_of(Path(folder, f"student_{number:02}"), exercise)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")


def grading(folder):
    """The teacher's way."""
    submissions(Path(folder, "submissions"))
    return session(folder, f"python -m examples.homework grade submissions --only {GRADED} --csv grades.csv --json grades.json|10|3")


def transcripts():
    """{marker in the README: text}"""
    with tempfile.TemporaryDirectory() as folder:
        return {"whole way": whole_way(folder), "grading": grading(folder)}


def between(text, name):
    """(before, transcript, after) of a text with markers; ValueError if they are not there."""
    begin, end = f"<!-- {name} -->\n```text\n", "```\n<!-- end -->"
    if begin not in text or end not in text.split(begin)[1]:
        raise ValueError(f"transcript: the README has no place for {name!r}")
    before, rest = text.split(begin)
    inside, after = rest.split(end, 1)
    return before + begin, inside, end + after


def main():
    """Print or write."""
    for name, text in transcripts().items():
        if "--write" in sys.argv:
            before, _, after = between(README.read_text(encoding="utf-8"), name)
            README.write_text(before + text + after, encoding="utf-8")
        else:
            print(text)


if __name__ == "__main__":
    main()
