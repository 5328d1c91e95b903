"""reproduce_tables: the mixture over masks is a density, the test part does not choose, runs resume, hashes are of the text."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from examples import reproduce_tables as tables
from examples import tables_recipes as recipes
from examples import tables_sets as sets
from minigrad.datasets import Split

ROOT = Path(__file__).parents[2]


def run(folder, *arguments):
    """What the example prints; fails with its error."""
    env = {**os.environ, "PYTHONIOENCODING": "cp1252:strict", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "examples.reproduce_tables", *map(str, arguments)]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return done.stdout.decode(errors="replace")


def small_set(seed=0, D=7, N=60):
    """Bits that depend on each other: a walk, thresholded."""
    rng = np.random.default_rng(seed)
    parts = [(np.cumsum(rng.standard_normal((n, D)), axis=1) > 0).astype(np.uint8) for n in (N, 40, 50)]
    return Split(*parts)


@pytest.fixture
def tiny(monkeypatch):
    """Every recipe with one or two choices, 20 epochs of one step, few units and masks."""
    monkeypatch.setattr(recipes, "MASKS_TEST", 5)
    monkeypatch.setattr(recipes, "HIDDEN", 20)
    faster = {"orderless": {"optimizer": "SGD", "lr": 0.03}}  # 20 steps of Adam at its rate teach it nothing
    for name, recipe in recipes.RECIPES.items():
        small = [{**choice, "epochs": 20, **faster.get(name, {})} for choice in recipe.small[:2]]
        monkeypatch.setitem(recipes.RECIPES, name, recipe._replace(small=small))


@pytest.mark.parametrize("shuffle", ["both", "connectivity"])
def test_the_mixture_over_masks_is_a_density(shuffle):
    """Its sum over all states of 6 bits is 1, and it is the mean of its parts' probabilities."""
    rng = np.random.default_rng(0)
    model = recipes.SampledMADE(6, (11,), rng=rng, shuffle=shuffle, direct=True, dtype=np.float64)
    for p in model.parameters():
        p.data = rng.standard_normal(p.shape)
    states = (np.arange(64)[:, None] >> np.arange(6) & 1).astype(np.uint8)
    log_p = model.mixture(states, 9)
    assert abs(np.exp(log_p).sum() - 1) < 1e-9
    draw, parts = np.random.default_rng(0), []
    for _ in range(9):
        model.draw_masks(draw)
        parts.append(np.exp(model.log_prob(states).data))
    np.testing.assert_allclose(np.exp(log_p), np.mean(parts, axis=0), rtol=1e-12)
    assert np.ptp(parts, axis=0).max() > 1e-3  # the parts do differ


def test_fresh_masks_change_the_order_only_if_told_to():
    for shuffle in ("both", "connectivity"):
        rng = np.random.default_rng(0)
        model = recipes.SampledMADE(9, (5,), rng=rng, shuffle=shuffle)
        orders, degrees = [], []
        for _ in range(3):
            model.draw_masks(rng)
            orders.append(tuple(model.components[0].order))
            degrees.append(tuple(model.components[0].degrees[1]))
        assert len(set(orders)) == (3 if shuffle == "both" else 1) and len(set(degrees)) == 3


@pytest.mark.parametrize("name", recipes.RECIPES)
def test_every_cell_learns_and_takes_the_choice_of_the_least_validation_nll(name, tmp_path, tiny):
    data = small_set()
    found = tables.cell("walk", name, data, tables.Bench(0, tmp_path, False))
    assert found["test"] < 7 * np.log(2) and found["interval"] > 0
    assert found["best"]["valid"] == min(choice["valid"] for choice in found["grid"])
    left = {path.name for path in tmp_path.iterdir()}
    trained = recipes.RECIPES[name].of or name
    assert left == {f"walk_{n}_0.json" for n in {name, trained}} | {f"walk_{trained}_0.npz"}  # one checkpoint, of the best


def test_the_test_part_decides_nothing_but_the_figure(tmp_path, tiny):
    """With another test part all but its figure is the same."""
    data, cells = small_set(), []
    for number, test in enumerate((data.test, 1 - data.test)):
        (tmp_path / str(number)).mkdir()
        cells.append(tables.cell("walk", "made", data._replace(test=test), tables.Bench(0, tmp_path / str(number), False)))
    assert cells[0]["grid"] == cells[1]["grid"] and cells[0]["best"] == cells[1]["best"]
    assert cells[0]["test"] != cells[1]["test"]


@pytest.mark.parametrize("name", ["made_sampled", "eonade"])
def test_a_cell_that_is_stopped_goes_on_and_ends_with_the_same_bits(name, tmp_path, tiny, monkeypatch):
    data = small_set()
    whole, stopped = (tables.Bench(0, tmp_path / folder, False) for folder in ("whole", "stopped"))
    whole.folder.mkdir()
    stopped.folder.mkdir()
    expected = tables.cell("walk", name, data, whole)
    epochs = []

    def end_epoch(run, valid, original=recipes.training.Run.end_epoch):
        epochs.append(valid)
        if len(epochs) == 25:  # in the fifth epoch of the second choice: nothing of this epoch is saved
            raise KeyboardInterrupt
        original(run, valid)

    monkeypatch.setattr(recipes.training.Run, "end_epoch", end_epoch)
    with pytest.raises(KeyboardInterrupt):
        tables.cell("walk", name, data, stopped)
    found = tables.cell("walk", name, data, stopped)
    assert len(epochs) == 25 + 16  # of 40 epochs 24 were done and saved
    assert {**found, "minutes": 0} == {**expected, "minutes": 0}


def test_after_a_change_of_the_grid_an_old_run_is_not_gone_on_with(tmp_path, tiny, monkeypatch):
    data, recipe = small_set(), recipes.RECIPES["fvsbn"]
    other = recipe._replace(small=[{**choice, "lr": 0.7} for choice in recipe.small[:1]])
    new, changed = (tables.Bench(0, tmp_path / folder, False) for folder in ("new", "changed"))
    new.folder.mkdir()
    changed.folder.mkdir()
    with monkeypatch.context() as patch:
        patch.setattr(recipes.training.Run, "check", lambda run, loss, where: 1 / (where != "validation" or len(run.history) < 5))
        with pytest.raises(ZeroDivisionError):
            tables.cell("walk", "fvsbn", data, changed)
    assert list(changed.folder.glob("*choice*"))
    monkeypatch.setitem(recipes.RECIPES, "fvsbn", other)
    expected, found = (tables.cell("walk", "fvsbn", data, bench) for bench in (new, changed))
    assert {**found, "minutes": 0} == {**expected, "minutes": 0}
    assert not list(changed.folder.glob("*choice*"))


def test_notes_count_only_for_the_same_bits_and_the_same_grid(tmp_path, tiny, monkeypatch):
    bench, data = tables.Bench(0, tmp_path, False), small_set()
    first = tables.cell("walk", "fvsbn", data, bench)
    monkeypatch.setattr(tables, "run_grid", lambda *_: {"test": -1.0})
    assert tables.cell("walk", "fvsbn", data, bench) == first
    assert tables.cell("walk", "fvsbn", small_set(seed=1), bench)["test"] == -1.0
    recipe = recipes.RECIPES["fvsbn"]
    tables.cell("walk", "fvsbn", data, bench)
    monkeypatch.setattr(tables, "run_grid", lambda *_: {"test": -2.0})
    monkeypatch.setitem(recipes.RECIPES, "fvsbn", recipe._replace(small=recipe.small[:1]))
    assert tables.cell("walk", "fvsbn", data, bench)["test"] == -2.0


def test_the_hash_is_that_of_the_text(tmp_path, capsys):
    bits = small_set().train
    text = "".join(" ".join(map(str, row)) + "\n" for row in bits.tolist())
    assert sets.text_sha256(bits) == hashlib.sha256(text.encode()).hexdigest()
    np.savez(tmp_path / "mushrooms.npz", **small_set()._asdict())
    sets.where(sets.find_sets(tmp_path))
    printed = capsys.readouterr().out
    assert sets.text_sha256(bits) in printed and printed.count("NOT ") == 3  # these are no mushrooms


def test_published_numbers():
    assert sets.published("dna", "made_sampled") == (79.66, 0.63)
    assert sets.published("dna", "orderless") == (84.28, None)
    assert sets.published("binarized_mnist", "made") == sets.published("walk", "made") == (None, None)
    assert set(sets.HEADER[1:]) == {*recipes.RECIPES, *tables.FOLDS}
    assert all(len(texts) == len(sets.HEADER) for texts in sets.LINES)


def test_reached_means_inside_the_papers_interval_or_better():
    def reached(test, model="made"):
        cell = {
            "set": "mushrooms",
            "model": model,
            "seed": 0,
            "test": test,
            "interval": 0.1,
            "minutes": 0,
            "best": {"valid": 1},
            "grid": [],
        }
        return tables.row(cell)[tables.COLUMNS.index("reached")]

    assert [reached(9.0), reached(9.719), reached(9.73)] == ["yes", "yes", "no"]  # 9.68 +- .04
    assert [reached(10.35, "fvsbn"), reached(10.38, "fvsbn")] == ["yes", "no"]  # 10.27, no interval: ours
    assert reached(1.0, "rnade") == "-"


def test_wrong_folders_and_cells_are_named(tmp_path):
    with pytest.raises(ValueError, match="no .npz file with the arrays train"):
        sets.find_sets(tmp_path)
    with pytest.raises(ValueError, match=r"--only walk/mode: there are the sets digits and the models fvsbn, nade"):
        tables.wanted({"digits": None}, "walk/mode")
    assert tables.wanted({"digits": None}, "/made") == {"digits": ["made"]}


def test_the_command_runs_and_takes_what_it_finds_in_a_folder(tmp_path):
    (tmp_path / "data" / "below").mkdir(parents=True)
    np.savez(tmp_path / "data" / "walk.npz", **small_set()._asdict())
    rng = np.random.default_rng(0)
    folds = {f"fold{k}_{part}": rng.standard_normal((40, 3)) for k in (1, 2) for part in ("train", "test")}
    np.savez(tmp_path / "data" / "below" / "red_wine.npz", **folds)
    np.savez(tmp_path / "data" / "other.npz", x=np.zeros(3))
    arguments = ("--data", tmp_path / "data", "--quick", "--out", tmp_path / "out")
    printed = run(tmp_path, *arguments, "--only", "walk/fvsbn")
    assert "| walk | FVSBN | " in printed and "FVSBN: lr 0.1 / 0.3 / 1.0" in printed
    notes = json.loads((tmp_path / "out" / "tables_quick" / "walk_fvsbn_0.json").read_text())
    assert notes["grid"][0]["lr"] == 0.1 and "walk" in (tmp_path / "out" / "tables_quick" / "table_0.md").read_text()
    printed = run(tmp_path, *arguments, "--where")
    assert "walk: unknown here" in printed and "all folds" in printed and "other:" not in printed


def test_red_wine_goes_fold_by_fold(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    data = {f"fold{k}_{part}": rng.standard_normal((40, 3)) for k in (1, 2, 3) for part in ("train", "test")}
    calls = []

    def train_fold(data, fold, seed, recipe):
        calls.append(fold)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return None, {"test": -1.0 * fold, "gaussian": -4.0 * fold, "valid": 0.0, "minutes": 0.5}

    monkeypatch.setattr(tables.red_wine, "train_fold", train_fold)
    bench = tables.Bench(0, tmp_path, False)
    with pytest.raises(KeyboardInterrupt):
        tables.cell("red_wine", "rnade", data, bench)
    found = tables.cell("red_wine", "rnade", data, bench)
    assert calls == [1, 2, 2, 3]
    assert found["test"] == 2.0 and found["minutes"] == 1.5  # NLL: the sign is turned
    assert found["interval"] == pytest.approx(1.96 * np.std([1, 2, 3]) / 3**0.5)
    assert tables.cell("red_wine", "gaussian", data, bench)["test"] == 8.0 and calls == [1, 2, 2, 3]
