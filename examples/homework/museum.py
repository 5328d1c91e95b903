r"""Any example with a known mistake in it: `python -m examples.made_mnist --break output_mask_ge`.

The wrong answers of the exercises are one-line edits of the library's source. Here such an edit is grafted before the
example imports anything, so that one can watch what the mistake does to a whole training run.
"""

import os
import tempfile
import textwrap
from pathlib import Path

from . import graft
from .catalogue import EXERCISES


def mistakes():
    """{name: (exercise, name in it)}: "output_mask_ge", or "made-masks:output_mask_ge" where several share a name."""
    pairs = [(exercise, name) for exercise in EXERCISES.values() if not exercise.answer for name in exercise.wrong]
    names = [name for _, name in pairs]
    full = {f"{exercise.id}:{name}": (exercise, name) for exercise, name in pairs}
    return full | {name: (exercise, name) for exercise, name in pairs if names.count(name) == 1}


def break_library(name):
    """Graft a known mistake; everything imported from now on has it. SystemExit lists the names if there is none such.

    Compiled code goes to a folder of its own: the library's must never hold a mistake.
    """
    known = mistakes()
    if name not in known:
        full = ", ".join(name for name in sorted(known) if ":" in name)
        raise SystemExit(f"--break: there is no mistake {name!r}; there are\n" + textwrap.fill(full, 110, break_on_hyphens=False))
    exercise, mistake = known[name]
    folder = Path(tempfile.mkdtemp(prefix="minigrad-broken-"))
    os.environ["NUMBA_CACHE_DIR"] = str(folder)
    path, text = folder / f"{mistake}.py", textwrap.dedent(exercise.edited(mistake))
    path.write_text(text, encoding="utf-8")
    graft.install((exercise.target, text, path))
    print(f"BROKEN ON PURPOSE: {exercise.target}: {mistake}")
