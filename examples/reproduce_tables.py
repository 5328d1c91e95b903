r"""The papers' tables, cell by cell, from one command.

The question. A paper's table is a promise: with this model, on these bits, that many nats. Which of its cells do
these short models keep, on a laptop, and by how much? One command runs them all, so nobody need believe the README:

    python -m examples.reproduce_tables --data FOLDER [--only SET/MODEL] [--seed N] [--quick]
    python -m examples.reproduce_tables --data FOLDER --where

FOLDER holds one .npz file for each set, with the bits train, valid and test, (N, D), or with folds of real numbers;
the file's name is the set's. Any other file of that form joins, with no published number beside it; without --data it
is the digits that ship with this project. `--where` says where each set is to be had and how to know it
(`tables_sets.py`). Stop it when you like: a finished cell is noted in a file, and an unfinished one goes on in the
epoch, or fold, where it was.

A cell is reached when ours is at most the paper's plus the paper's 95 % interval (plus ours, where it gives none).

The formula. The figure of a cell is the mean of −log p over the N test examples, in nats, and ± 1.96 s / √N, s the
deviation over the examples: the interval that would hold the model's true mean in 95 of 100 test sets.

What to notice. The grid is trained on the training part and chosen on the validation part; the test part is looked at
once, when the choice is made (`tables_recipes.py` states the grids; the output repeats the choice). Sets as small as
these overfit, so much depends on how a run is stopped: learning rates as large as they can be, that fall to 0, and
the early stop. And on dna, with 1,400 rows, masks that change with every update gain four nats: a mixture of 300
networks that share their weights.

The common mistake. To try ten settings and report the best *test* figure. Figures of one model in several draws of
its order and weights differ by chance; of ten equally good ones the best looks 1.5 standard deviations better than it
is. Chosen on the validation part, that luck stays there: the figure "valid" of the chosen run is too good, "ours" is
not.
"""

import argparse
import hashlib
import json
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np

from . import red_wine
from .tables_recipes import LARGE, RECIPES, train
from .tables_sets import digests, find_sets, form, load, published, where

FOLDS = {"gaussian": "one Gaussian", "rnade": "RNADE, 50, mixtures of 20"}  # the rows of a set of real numbers in folds
COLUMNS = ["set", "model", "ours", "+- 95 %", "the paper's", "reached", "seed", "CPU minutes", "chosen on the validation part"]


# ---- the cells
class Bench(NamedTuple):
    """What every cell is told."""

    seed: int
    folder: Path  # of notes and checkpoints
    quick: bool

    def file(self, *words, suffix):
        """A file of this seed."""
        return self.folder / f"{'_'.join(map(str, words))}_{self.seed}{suffix}"


def cell(name, model, data, bench):
    """One cell as a dict: from its notes, if those are of the same data and grid, or else run and noted."""
    how = RECIPES[model].grid(data) if model in RECIPES else red_wine.RECIPE
    key = hashlib.sha256(json.dumps([digests(data), how, bench.quick]).encode()).hexdigest()[:16]
    notes = bench.file(name, model, suffix=".json")
    if notes.exists() and (noted := json.loads(notes.read_text()))["key"] == key:
        return noted
    run = run_folds if model in FOLDS else run_grid
    found = {"key": key, "set": name, "model": model, "seed": bench.seed, **run(name, model, data, bench, key)}
    notes.write_text(json.dumps(found, indent=1))
    return found


def run_grid(name, model, data, bench, key):
    """Train the grid, choose on the validation part, evaluate the test part once: a dict for the notes.

    Each run has a checkpoint, so that the cell can be stopped at any time; in the end only the best one's is kept. Its name
    holds the key: after a change of the data or the grid an old run must not be gone on with.
    """
    recipe, tried, minutes, best = RECIPES[model], [], 0.0, None
    if recipe.of:  # the network of another row, looked at in another way
        grid, path = [cell(name, recipe.of, data, bench)["best"]], bench.file(name, recipe.of, suffix=".npz")
    else:
        grid, path = recipe.grid(data), bench.file(name, model, suffix=".npz")
    for number, choice in enumerate(grid[:2] if bench.quick else grid):
        choice = choice | {"epochs": 2} if bench.quick else choice
        checkpoint = path if recipe.of else bench.file(name, model, "choice", number, key, suffix=".npz")
        trained, history = train(recipe.build, choice, data, bench.seed, checkpoint)
        trained = recipe.finish(trained)
        epoch = min(history, key=lambda record: record["valid"])["epoch"]
        tried.append({**choice, "epoch": epoch, "valid": float(trained.evaluate(data.valid).nll)})
        minutes += history[-1]["seconds"] / 60
        if best is None or tried[-1]["valid"] < best[0]["valid"]:
            best = tried[-1], trained, checkpoint
    test = best[1].evaluate(data.test)
    best[2].replace(path)
    for other in bench.folder.glob(bench.file(name, model, "choice", "*", suffix=".npz").name):
        other.unlink()
    return {"test": float(test.nll), "interval": float(test.interval), "minutes": minutes, "best": best[0], "grid": tried}


def run_folds(name, model, data, bench, key):
    """Train each fold, or read its notes; the mean over the folds, with 1.96 standard errors over them."""
    recipe, folds = red_wine.RECIPE | ({"epochs": 3} if bench.quick else {}), []
    for fold in range(1, red_wine.count(data) + 1):
        notes = bench.file(name, "fold", fold, suffix=".json")
        noted = json.loads(notes.read_text()) if notes.exists() else {}
        if noted.get("key") != key:
            noted = {"key": key, **red_wine.train_fold(data, fold, bench.seed, recipe)[1]}
            notes.write_text(json.dumps(noted))
        folds.append(noted)
    column = {"gaussian": "gaussian", "rnade": "test"}[model]
    tests = np.array([-fold[column] for fold in folds])
    found = {"test": float(tests.mean()), "interval": 1.96 * float(tests.std()) / len(tests) ** 0.5}
    if model == "gaussian":
        return {**found, "minutes": 0.0, "best": {"valid": 0.0}, "grid": []}
    best = {**recipe, "valid": -float(np.mean([fold["valid"] for fold in folds]))}
    return {**found, "minutes": sum(fold["minutes"] for fold in folds), "best": best, "grid": [best]}


# ---- the output
def row(found):
    """The texts of one row."""
    nll, interval = published(found["set"], found["model"])
    paper = "-" if nll is None else f"{nll:.2f}" if interval is None else f"{nll:.2f} +- {interval:.2f}"
    reached = "-" if nll is None else "yes" if found["test"] <= nll + (interval or found["interval"]) else "no"
    title = FOLDS[found["model"]] if found["model"] in FOLDS else RECIPES[found["model"]].title
    choice = ", ".join(f"{name} {value}" for name, value in found["best"].items() if name != "valid")
    chosen = f"{choice}: {found['best']['valid']:.2f}, the best of {len(found['grid'])}" if choice else "-"
    ours = [f"{found['test']:.2f}", f"{found['interval']:.2f}"]
    return [found["set"], title, *ours, paper, reached, str(found["seed"]), f"{found['minutes']:.1f}", chosen]


def markdown(cells):
    """The table as Markdown, and the grids of the rows in it."""
    lines = [COLUMNS, ["---"] * len(COLUMNS), *map(row, cells)]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    grids = [
        f"- {RECIPES[model].title}: {grid_text(model)}" for model in dict.fromkeys(c["model"] for c in cells) if model in RECIPES
    ]
    return "\n".join([table, "", f"The grids (after the semicolon: for {LARGE:,} training rows or more):", *grids])


def grid_text(model):
    """What was tried for a row, in words."""
    recipe = RECIPES[model]
    if recipe.of:
        return f"the network of {RECIPES[recipe.of].title}"
    texts = []
    for grid in (recipe.small, recipe.large):
        values = {
            name: list(dict.fromkeys(choice[name] for choice in grid if name in choice)) for choice in grid for name in choice
        }
        texts.append(", ".join(f"{name} {' / '.join(map(str, some))}" for name, some in values.items()) + f" ({len(grid)} runs)")
    return "; ".join(texts)


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)
    parser.add_argument("--data", type=Path, help="folder of .npz files (default: the digits in the package)")
    parser.add_argument("--only", metavar="SET/MODEL", help=f"SET, SET/MODEL or /MODEL; models: {', '.join([*RECIPES, *FOLDS])}")
    parser.add_argument("--where", action="store_true", help="print each set's source and SHA-256, train nothing")
    parser.add_argument("--quick", action="store_true", help="few rows, two choices of two epochs: seconds")
    parser.add_argument("--debug", action="store_true", help="kernels as plain Python; implies --quick")
    parser.add_argument(
        "--break", metavar="MISTAKE", help="run with a known mistake in the library, see examples/homework/museum.py"
    )
    parser.add_argument("--seed", type=int, default=0, help="of all randomness (default 0)")
    parser.add_argument("--out", type=Path, default=Path("figures"), help="folder for the notes and the table (default figures)")
    chosen = parser.parse_args()
    chosen.quick |= chosen.debug
    return chosen


def wanted(sets, only):
    """{set: models} that are asked for; ValueError names what there is."""
    set_name, _, model_name = (only or "").partition("/")
    rows = {name: FOLDS if path and form(path) == "folds" else RECIPES for name, path in sets.items() if set_name in ("", name)}
    rows = {name: [model for model in models if model_name in ("", model)] for name, models in rows.items()}
    if not any(rows.values()):
        raise ValueError(f"--only {only}: there are the sets {', '.join(sets)} and the models {', '.join([*RECIPES, *FOLDS])}")
    return {name: models for name, models in rows.items() if models}


def main():
    """Run what is not noted yet, print the table."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")
    chosen = arguments()
    sets = find_sets(chosen.data) if chosen.data else {"digits": None}
    rows = wanted(sets, chosen.only)
    if chosen.where:
        return where({name: sets[name] for name in rows})
    bench = Bench(chosen.seed, chosen.out / ("tables_quick" if chosen.quick else "tables"), chosen.quick)
    bench.folder.mkdir(parents=True, exist_ok=True)
    cells = []
    for name, models in rows.items():
        data = load(sets[name], chosen.quick)
        for model in models:
            cells.append(cell(name, model, data, bench))
            print(f"{name}/{model}: {' '.join(row(cells[-1])[2:4])} nats", flush=True)
    text, path = markdown(cells), bench.file("table", suffix=".md")
    path.write_text(text + "\n")
    print(f"\n{text}\n\n{path}")


if __name__ == "__main__":
    main()
