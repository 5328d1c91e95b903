r"""What an exercise is. The catalogue files (engine.py and others) hold nothing but these, so that adding one is one entry.

Kinds. What the learner writes, and what stands in the file that `start` makes:

    rebuild        a function of the library; its signature and docstring, without the formula
    variant        a function that the library does not hold; a signature of our own
    spot the bug   a function of the library that is wrong; the wrong text, to be mended
    predict        numbers, before running anything; questions
    write the test a test that passes the library's function and fails for wrong ones
    measure        an experiment whose true result is known to us

The first and the third have a target in the library, "models.made:masks": the answer takes its place. The others have
"answer:NAME": the file is a module of its own that may import the library, and `answer` here is our own such file.
"""

import ast
import hashlib
import textwrap
from dataclasses import dataclass, field

import numpy as np

from . import graft

KINDS = ("rebuild", "variant", "spot the bug", "predict", "write the test", "measure")


class Failed(AssertionError):
    """A check that the learner's answer does not pass; its text is the verdict, credit (0 to 1) what it is worth anyhow."""

    def __init__(self, text, credit=0.0):
        super().__init__(text)
        self.credit = credit


@dataclass(frozen=True)
class Exercise:
    """One piece to write.

    target:  "module:qualname" in the library, or "answer:NAME", or for `predict` "answer:"
    kind:    one of KINDS
    read:    what to read first; minutes, difficulty (1 to 3)
    task:    what to do, a few lines; it stands at the head of the learner's file
    check:   check(get), or several of them: each raises Failed. get("module:name") gives objects of the *grafted* library,
             get("answer:name") those of the learner's own module. Each check counts one point; its docstring names it
    probe:   probe(f, get): numbers that tell the known mistakes apart, f being the learner's function (module for `predict`)
    hints:   a question, the formula, pseudo-code
    why:     what the library does, and why
    wrong:   {name: (edits ((old, new), ...) of the text, or a whole other text; what to say)}: all must fail
    right:   {name: full source of another answer}: all must pass
    equivalent: {mutant as `teeth` prints it: why it changes nothing}
    formula: pieces of the docstring that give the answer away, left out by `start`
    answer:  full source of our own answer, where the target is not in the library
    bug:     the wrong answer that a `spot the bug` starts with; symptom(get): what it does to a run, see museum.py
    subject: for `write the test`, the target in the library that is under test; hidden: {name: edits} of wrong versions of
             it, beside the generic mutants of teeth.py
    own:     own(rng): this exercise with other numbers, for --seed STUDENT; catalogue and student are set by catalogue.py
    """

    id: str
    title: str
    target: str
    kind: str
    minutes: int
    difficulty: int
    read: str
    task: str
    check: object
    probe: object
    hints: tuple
    why: str
    wrong: dict = field(default_factory=dict)
    right: dict = field(default_factory=dict)
    formula: tuple = ()
    equivalent: dict = field(default_factory=dict)
    answer: str = ""
    bug: str = ""
    symptom: object = None
    subject: str = ""
    hidden: dict = field(default_factory=dict)
    own: object = None
    catalogue: str = ""
    student: str = ""

    @property
    def name(self):
        """The function's name: the end of the target."""
        return self.target.split(":")[1].split(".")[-1]

    @property
    def text(self):
        """Our own right answer: a definition of the library, or a whole module."""
        return self.answer or graft.library_text(self.target)

    @property
    def checks(self):
        """All checks."""
        return self.check if isinstance(self.check, tuple) else (self.check,)

    @property
    def compiled(self):
        """Whether the target is a numba kernel: decorated, or compiled by `td = jit(td, ...)` under its definition."""
        if self.answer:
            return "@jit" in self.answer
        module = graft.source_of(self.target.split(":")[0]).read_text(encoding="utf-8")
        return self.text.startswith(("@jit", "@strict", "@inlined")) or f"\n{self.name} = jit({self.name}" in module

    @property
    def version(self):
        """Eight letters that change when the task or the right answer does."""
        return hashlib.sha256((self.text + self.task).encode()).hexdigest()[:8]

    def edited(self, name):
        """The text with one known mistake in it. ValueError if the edit does not match any more."""
        return edited(self.text, self.wrong[name][0], f"{self.id}, {name}", self.target)


def edited(text, edits, who, where):
    """A text after edits ((old, new), ...), or the other text that stands instead of them. ValueError unless each `old` stands there once."""
    if isinstance(edits, str):
        return edits
    for old, new in edits:
        if text.count(old) != 1:
            raise ValueError(f"{who}: {old!r} stands {text.count(old)} times in {where}")
        text = text.replace(old, new)
    return text


def plain(text):
    """A definition of the library as a learner would write it: not indented, without decorators."""
    text = textwrap.dedent(text)
    return "".join(text.splitlines(keepends=True)[ast.parse(text).body[0].lineno - 1 :])


def expect(got, want, call, rtol=1e-9, atol=1e-12):
    """Failed unless `got` has the shape, type and numbers of `want`; says what was called and the first difference."""
    if got is None:
        raise Failed(f"{call} returned None: is there a `return`?")
    kind, wanted = getattr(got, "dtype", None), np.asarray(want).dtype
    got, want = np.asarray(got), np.asarray(want)
    if got.shape != want.shape:
        raise Failed(f"{call}\nhas shape {got.shape}, not {want.shape}")
    if wanted.kind == "f" and kind is not None and kind != wanted:
        raise Failed(f"{call}\nhas type {kind}, not {wanted}: the numbers must keep the type of the input")
    wrong = ~np.isclose(got, want, rtol=rtol, atol=atol, equal_nan=True)
    if wrong.any():
        index = tuple(int(i) for i in np.argwhere(wrong)[0])
        where = f" at index {index}" if index else ""
        raise Failed(f"{call}\nexpected{where} {want[index]:.9g}\ngot      {' ' * len(where)}{got[index]:.9g}")


def slope(function, x, v, eps=1e-6):
    """Central difference of a function of an array in the direction v."""
    return (function(x + eps * v) - function(x - eps * v)) / (2 * eps)


def predicted(get, name, want, question, rtol=1e-3):
    """Failed unless the number `name` of the learner's file is `want`, exactly if that is an int; the right one is not told."""
    got = getattr(get("answer:"), name, None)
    if got is None or got is ...:
        raise Failed(f"{name} is not there yet: {question}")
    if isinstance(got, bool) or not isinstance(got, (int, float, np.number)):
        raise Failed(f"{name} must be a number, not {got!r}")
    rtol = 1e-9 if isinstance(want, int) else rtol
    if not np.isclose(float(got), want, rtol=rtol, atol=0 if want else rtol):
        near = " (one off)" if isinstance(want, int) and abs(got - want) == 1 else ""
        raise Failed(f"{name} = {got:.9g} is not it{near}: {question}")
