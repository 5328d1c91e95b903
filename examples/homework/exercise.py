r"""What an exercise is. The catalogue files (engine.py and others) hold nothing but these, so that adding one is one entry."""

from dataclasses import dataclass, field

import numpy as np


class Failed(AssertionError):
    """A check that the learner's answer does not pass; its text is the verdict."""


@dataclass(frozen=True)
class Exercise:
    """One piece to write.

    target:  "module:qualname" of the definition that the learner writes
    kind:    rebuild, next-door variant, ...
    read:    what to read first; minutes, difficulty (1 to 3)
    task:    what to do, a few lines; it stands at the head of the learner's file
    check:   check(get): raises Failed. get("module:name") gives objects of the *grafted* library
    probe:   probe(get): numbers that tell the known mistakes apart
    hints:   a question, the formula, pseudo-code
    why:     what the library does, and why
    wrong:   {name: ((old, new) edit of the library's source, what to say)}: all must fail
    right:   {name: full source of another answer}: all must pass
    equivalent: {mutant as `teeth` prints it: why it changes nothing}
    formula: pieces of the docstring that give the answer away, left out by `start`
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
