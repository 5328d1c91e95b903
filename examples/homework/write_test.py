r"""`write the test`: the learner's test must pass the library's function, and fail for wrong versions that it never saw.

The wrong versions are the generic mutants of mutate.py and the entry's own `hidden` ones. The share of them that the test
kills is the grade.
"""

import traceback

import numpy as np

from .check import function_of
from .exercise import Exercise, Failed, edited
from .graft import library_text
from .mutate import mutants


def versions(subject, hidden, equivalent, get):
    """{what is wrong: function} of a library's target."""
    text, names = library_text(subject), vars(get(subject.split(":")[0]))
    made = {name: edited(text, edits, name, subject) for name, edits in hidden.items()}
    for line, source in mutants(text, subject.split(".")[-1].split(":")[-1]):
        if line not in equivalent:  # one line may name several mutants: "1 -> 2"
            made[line if line not in made else f"{line} (no. {len(made) + 1})"] = source
    return {what: function_of(subject, source, names) for what, source in made.items()}


def kills(test, function):
    """Whether a test fails for a function, in whatever way."""
    try:
        with np.errstate(all="ignore"):
            test(function)
    except BaseException:  # pytest.fail and sys.exit are no Exceptions
        return True
    return False


def test_exercise(*, subject, hidden, answer, equivalent=None, name="test", **rest):
    """An Exercise of this kind. The learner's file defines `test(function)`, an answer by `assert`."""
    equivalent = equivalent or {}

    def check_library(get):
        """The library's function passes, and so does a copy: a test judges what a function does, not which one it is."""
        copy = function_of(subject, library_text(subject), vars(get(subject.split(":")[0])))
        for function, what in ((get(subject), "the library's own"), (copy, "a copy of the library's")):
            try:
                get(f"answer:{name}")(function)
            except AssertionError as error:
                raise Failed(f"your test fails for {what} {subject}: {str(error) or traceback.extract_tb(error.__traceback__)[-1].line}") from None

    def check_versions(get):
        """Wrong versions fail, and the right one does not."""
        check_library(get)  # what fails for everything sees nothing
        all_of_them = versions(subject, hidden, equivalent, get)
        alive = [what for what, function in all_of_them.items() if not kills(get(f"answer:{name}"), function)]
        check_library(get)  # again: a test must not fail because it was called before
        if alive:
            score = 1 - len(alive) / len(all_of_them)
            text = f"your test passes {len(alive)} of {len(all_of_them)} wrong versions of {subject}. One of them: {alive[0]}"
            raise Failed(text, credit=score)

    def probe(test, get):
        return [float(kills(test, function)) for function in versions(subject, hidden, equivalent, get).values()]

    return Exercise(
        target=f"answer:{name}", kind="write the test", subject=subject, hidden=hidden, answer=answer, equivalent=equivalent,
        check=check_versions, probe=probe, **rest,
    )  # fmt: skip
