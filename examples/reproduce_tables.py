r"""The papers' tables, cell by cell, from one command.

The question. A paper's table is a promise: with this model, on these bits, that many nats. Which of its cells do these short
models keep, on a laptop, and by how much? One command runs them all, so nobody need believe the README:

    python -m examples.reproduce_tables --data FOLDER [--only SET/MODEL] [--seed N] [--quick]
    python -m examples.reproduce_tables --data FOLDER --where

FOLDER holds one .npz file for each set, with the bits train, valid and test, (N, D); the file's name is the set's. Other files of that form
join with no published number beside them; without --data it is the digits that ship with this project. `--where` says where each set is to be
had and prints the SHA-256 of each part as text ("0 1 ... 0" and a newline each row, the form of the published digits). Stop it when you like: a
finished cell is noted in a file, and an unfinished one goes on in the epoch where it was.

The formula. The figure of a cell is the mean of −log p over the N test examples, in nats, and ± 1.96 s / √N, s the deviation over
the examples: the interval that would hold the model's true mean in 95 of 100 test sets.

What to notice. The grid is trained on the training part and chosen on the validation part; the test part is looked at once, when
the choice is made (`tables_recipes.py` states the grids; the output repeats the choice). On sets this small a model is tuned
by what stops it: large learning rates that fall to 0, and the early stop. Between two draws of the order lie more nats than between
most ideas.

The common mistake. To try ten learning rates and report the best *test* figure. With ten tries on a set of 1,186 examples, a standard error of
0.3 nats, the best of ten equal models looks half a nat better than they are.
"""

import argparse
import hashlib
import json
import sys
from pathlib import Path

import numpy as np

from minigrad.datasets import binarized_mnist, load_binary

from .tables_published import PAPER, SOURCES
from .tables_recipes import RECIPES, train

LARGE = 20_000  # training rows from which a set has the large grid


# ---- the sets
def find_sets(folder):
    """{name: path} of the .npz files in a folder and in its folders that hold train, valid and test; ValueError if there are none."""
    paths = sorted(Path(folder).glob("*.npz")) + sorted(Path(folder).glob("*/*.npz"))
    sets = {path.stem: path for path in paths if has_parts(path)}
    if not sets:
        raise ValueError(f"{folder}: holds no .npz file with the arrays train, valid and test")
    return sets


def has_parts(path):
    """Are train, valid and test in the file?"""
    with np.load(path) as file:
        return {"train", "valid", "test"} <= set(file.files)


def load(path):
    """A Split; None stands for the digits that are in the package."""
    return binarized_mnist() if path is None else load_binary(path)


def text_sha256(bits):
    r"""SHA-256 of bits (N, D) as text, a row "0 1 ... 0\n" each: the form in which the published digits are distributed."""
    text = np.full((len(bits), 2 * bits.shape[1]), ord(" "), np.uint8)  # (N, 2D)
    text[:, ::2] = bits + ord("0")
    text[:, -1] = ord("\n")
    return hashlib.sha256(text.tobytes()).hexdigest()


def where(sets):
    """Print the source of each set, the SHA-256 of its parts, and whether they are the known ones."""
    for name, path in sets.items():
        source, who, known = SOURCES.get(name, ("unknown set, hashes as found", "", ()))
        print(f"{name}: {source}" + (f"; SHA-256 {who}" if who else ""))
        for number, (part, bits) in enumerate(zip(("train", "valid", "test"), load(path))):
            digest = text_sha256(bits)
            verdict = "" if not known else "  as known" if digest == known[number] else f"  NOT {known[number]}: another version of the set"
            print(f"    {part:5}  {bits.shape[0]:6} x {bits.shape[1]}  {digest}{verdict}")


# ---- the cells
def run_cell(name, model_name, data, seed, folder, quick=False):
    """One cell: train the grid, choose on the validation part, evaluate the test part once. A dict for the notes.

    Checkpoints of the grid's runs lie in the folder until the cell is done, so that it can be stopped at any time.
    """
    recipe = RECIPES[model_name]
    grid = recipe.large if len(data.train) >= LARGE else recipe.small
    grid = grid[:2] if quick else grid
    best, minutes, tried, paths = None, 0.0, [], []
    for number, choice in enumerate(grid):
        paths.append(folder / f"{name}_{model_name}_{seed}_{number}.npz")
        model, history = train(recipe.build, choice, data, seed, paths[-1], 2 if quick else None)
        epoch = min(history, key=lambda record: record["valid"])
        tried.append({**choice, "valid": epoch["valid"], "epoch": epoch["epoch"]})
        minutes += history[-1]["seconds"] / 60
        if best is None or epoch["valid"] < best[0]:
            best = epoch["valid"], model, tried[-1]
    nll, interval, _ = best[1].evaluate(data.test)
    for path in paths:
        path.unlink()
    return {"set": name, "model": model_name, "seed": seed, "test": nll, "interval": interval, "minutes": minutes, "best": best[2], "grid": tried}


def key_of(data, model_name, quick):
    """What must be the same for a noted cell to count: the bits and the grid. A short text."""
    recipe = RECIPES[model_name]
    parts = [text_sha256(part) for part in data]
    return hashlib.sha256(json.dumps([parts, recipe.small, recipe.large, quick]).encode()).hexdigest()[:16]


def quick_version(data):
    """At most 300 rows of each part, evenly spread: the published digits' test part is sorted by class."""
    return type(data)(*(part[:: -(-len(part) // 300)] for part in data[:3]))


def markdown(cells):
    """The table as Markdown, a row for each cell."""
    lines = ["| set | model | ours | +- 95 % | the paper's | seed | CPU minutes | chosen on the validation part, of so many |",
             "|---|---|---|---|---|---|---|---|"]  # fmt: skip
    for cell in cells:
        paper = PAPER.get(cell["set"], {}).get(cell["model"], ())
        choice = ", ".join(f"{name} {value}" for name, value in cell["best"].items() if name not in ("valid",))
        row = [cell["set"], RECIPES[cell["model"]].title, f"{cell['test']:.2f}", f"{cell['interval']:.2f}",
               " +- ".join(f"{number:.2f}" for number in paper) or "-", cell["seed"], f"{cell['minutes']:.1f}",
               f"{choice}; valid {cell['best']['valid']:.2f}; {len(cell['grid'])}"]  # fmt: skip
        lines.append(f"| {' | '.join(map(str, row))} |")
    return "\n".join(lines)


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)
    parser.add_argument("--data", type=Path, help="folder of .npz files (default: the digits in the package)")
    parser.add_argument("--only", metavar="SET/MODEL", help=f"SET, SET/MODEL or /MODEL; models: {', '.join(RECIPES)}")
    parser.add_argument("--where", action="store_true", help="print each set's source and SHA-256, train nothing")
    parser.add_argument("--quick", action="store_true", help="few rows, two choices of two epochs: seconds")
    parser.add_argument("--debug", action="store_true", help="kernels as plain Python; implies --quick")
    parser.add_argument("--seed", type=int, default=0, help="of all randomness (default 0)")
    parser.add_argument("--out", type=Path, default=Path("figures"), help="folder for the notes and the table (default figures)")
    chosen = parser.parse_args()
    chosen.quick |= chosen.debug
    return chosen


def wanted(sets, only):
    """The pairs (set, model) that are asked for; ValueError names what there is."""
    set_name, _, model_name = (only or "").partition("/")
    pairs = [(s, m) for s in sets for m in RECIPES if set_name in ("", s) and model_name in ("", m)]
    if not pairs:
        raise ValueError(f"--only {only}: there are the sets {', '.join(sets)} and the models {', '.join(RECIPES)}")
    return pairs


def main():
    """Run what is not noted yet, print the table."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")
    chosen = arguments()
    sets = find_sets(chosen.data) if chosen.data else {"digits": None}
    pairs = wanted(sets, chosen.only)
    if chosen.where:
        return where({name: sets[name] for name, _ in pairs})
    folder = chosen.out / ("tables_quick" if chosen.quick else "tables")
    folder.mkdir(parents=True, exist_ok=True)
    cells, data, loaded = [], None, None
    for name, model_name in pairs:
        if loaded != name:
            data, loaded = load(sets[name]), name
            data = quick_version(data) if chosen.quick else data
        notes, key = folder / f"{name}_{model_name}_{chosen.seed}.json", key_of(data, model_name, chosen.quick)
        cell = json.loads(notes.read_text()) if notes.exists() else {}
        if cell.get("key") != key:
            cell = {"key": key, **run_cell(name, model_name, data, chosen.seed, folder, chosen.quick)}
            notes.write_text(json.dumps(cell, indent=1))
        cells.append(cell)
        print(f"{name}/{model_name}: test {cell['test']:.2f} +- {cell['interval']:.2f} nats, {cell['minutes']:.1f} CPU minutes", flush=True)
    table = markdown(cells)
    (folder / f"table_{chosen.seed}.md").write_text(table + "\n")
    print(f"\n{table}\n\n{folder / f'table_{chosen.seed}.md'}")


if __name__ == "__main__":
    main()
