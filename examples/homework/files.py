r"""What lies in the learner's folder: one file for each exercise that was started, and progress.txt."""

import ast
import itertools
import os
import re
import textwrap
from pathlib import Path

from .exercise import plain

TITLE = "# id tries hints passed version: written by `python -m examples.homework`\n"


class Progress:
    """What is kept between two commands: {id: [tries, hints, passed, version]}, in a plain-text file.

    A damaged file is set aside under another name, and nothing else is lost.
    """

    def __init__(self, folder):
        self.path, self.rows = Path(folder, "progress.txt"), {}
        if self.path.exists():
            try:
                for line in self.path.read_text(encoding="utf-8").splitlines()[1:]:
                    name, tries, hints, passed, version = line.split()
                    self.rows[name] = [int(tries), int(hints), int(passed), version]
            except ValueError:  # a UnicodeDecodeError is one too
                self.rows = {}
                aside = next(p for n in itertools.count(1) if not (p := self.path.with_name(f"progress.damaged{n}.txt")).exists())
                self.path.replace(aside)
                print(f"{self.path.name} is damaged: set aside as {aside.name}; your answers are untouched")

    def of(self, exercise):
        """[tries, hints, passed, version] of one exercise, to be changed."""
        return self.rows.setdefault(exercise.id, [0, 0, 0, exercise.version])

    def save(self):
        """Write the file; whoever reads sees the old one or the new one."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.path.with_suffix(".tmp")
        rows = "".join(f"{name} {' '.join(map(str, row))}\n" for name, row in self.rows.items())
        temporary.write_text(TITLE + rows, encoding="utf-8")
        os.replace(temporary, self.path)


def file_of(folder, exercise):
    """Where the learner's answer is."""
    return Path(folder, f"{exercise.id.replace('-', '_')}.py")


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
    lines = [line for line in text.splitlines() if re.match(r"\w+ = ", line)]
    return "".join(re.sub(r"^(\w+ = ).*?(  # .*)?$", r"\1...\2", line) + "\n" for line in lines)


def stub(exercise):
    """The learner's file: the task, and what the kind of exercise gives."""
    if exercise.kind == "predict":
        return head(exercise) + "\n" + questions(exercise.text)
    if exercise.bug:
        return head(exercise) + "\n\n" + plain(exercise.edited(exercise.bug))
    text = textwrap.dedent(exercise.text)
    imports = "".join(line + "\n" for line in text.splitlines() if exercise.answer and line.startswith(("import ", "from ")))
    return head(exercise) + "\n" + imports + "\n" * (1 + bool(imports)) + without_body(exercise, text)
