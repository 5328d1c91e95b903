r"""The museum: real bugs of published code, in our own words and code, and what each does to a run.

    python -m examples.homework museum              the list
    python -m examples.homework museum ID           one bug: its numbers and its picture, beside the healthy library
    python -m examples.made_mnist --break NAME      any example with a known mistake in it

The wrong answers of the exercises are one-line edits of the library's source. Here such an edit is grafted before anything
is imported, so that one can watch what the mistake does to a whole training run. Compiled code goes to a folder of its own:
the library's must never hold a mistake.
"""

import atexit
import json
import os
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

from ..command import table
from . import catalogue, graft
from .catalogue import EXERCISES
from .check import child_environment, get


def mistakes():
    """{name: (exercise, name in it)}: "output_mask_ge", or "made-masks:output_mask_ge" where several share a name."""
    pairs = [(exercise, name) for exercise in EXERCISES.values() if not exercise.answer for name in exercise.wrong]
    names = [name for _, name in pairs]
    full = {f"{exercise.id}:{name}": (exercise, name) for exercise, name in pairs}
    return full | {name: (exercise, name) for exercise, name in pairs if names.count(name) == 1}


def break_library(name):
    """Graft a known mistake; everything imported from now on has it. SystemExit lists the names if there is none such."""
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
    module = exercise.target.split(":")[0]
    atexit.register(lambda: module in sys.modules or print(f"--break {name}: this example never imports {module}, so nothing was broken"))


def symptoms(exercise):
    """What `exercise.symptom` returns in the healthy library and in the broken one, each in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        children = []
        for bug in ("", exercise.bug):
            result = Path(folder, f"symptom_{bug}.json")
            env = child_environment((exercise.version + bug).encode(), True)
            command = [sys.executable, "-m", "examples.homework.museum", exercise.id, str(result), bug, exercise.catalogue]
            children.append((result, subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)))
        for result, child in children:
            error = child.communicate()[1]
            if not result.exists():
                raise RuntimeError(f"museum: {exercise.id}: {error.strip()[-400:]}")
        return [json.loads(result.read_text(encoding="utf-8")) for result, _ in children]


def draw(exercise, healthy, broken, path):
    """One picture with both curves; returns its path."""
    from minigrad import plot

    ax = plot.axes(width=6.0, height=4.0)
    for shown, colour, name in ((healthy, plot.BLUE, "the library"), (broken, plot.ORANGE, "with the bug")):
        ax.plot(shown["x"], shown["y"], color=colour, marker=".", label=name)
    for axis in healthy.get("log", ""):
        getattr(ax, f"set_{axis}scale")("log")
    ax.set(xlabel=healthy["xlabel"], ylabel=healthy["ylabel"], title=exercise.title)
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False)
    return plot.save(ax, path)


def museum(chosen):
    """The command; returns 0, or 2 for a bug that is not there."""
    shown = {name: exercise for name, exercise in EXERCISES.items() if exercise.symptom}
    if chosen.id is None:
        table(["id", "bug", "target"], [[name, exercise.title, exercise.target] for name, exercise in shown.items()])
        return 0
    if chosen.id not in shown:
        print(f"museum: there is no {chosen.id!r}; there are {', '.join(shown)}")
        return 2
    exercise = shown[chosen.id]
    try:
        healthy, broken = symptoms(exercise)
    except RuntimeError as error:
        print(error)
        return 2
    table([exercise.title, "the library", "with the bug"], [[name, f"{value:.4g}", f"{broken['figures'][name]:.4g}"] for name, value in healthy["figures"].items()])
    print(draw(exercise, healthy, broken, chosen.out / f"{exercise.id}.png"))
    return 0


def main():
    """The child: python -m examples.homework.museum ID RESULT BUG CATALOGUE (the last two may be empty)"""
    name, result, bug, private = sys.argv[1:]
    if private:
        catalogue.add(private)
    exercise = EXERCISES[name]
    if bug:
        text = textwrap.dedent(exercise.edited(bug))
        path = Path(result).with_name("bug.py")  # a real file: numba's cache asks for one
        path.write_text(text, encoding="utf-8")
        graft.install((exercise.target, text, path))
    Path(result).write_text(json.dumps(exercise.symptom(get), default=lambda value: value.tolist()), encoding="utf-8")


if __name__ == "__main__":
    main()
