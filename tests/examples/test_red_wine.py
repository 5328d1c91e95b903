"""red_wine: the Gaussian is the textbook's, RNADE beats it, the example runs, notes what is done and goes on from there."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from examples import red_wine

ROOT = Path(__file__).parents[2]


def run(folder, *arguments):
    """What the example prints; fails with its error."""
    env = {**os.environ, "PYTHONIOENCODING": "cp1252:strict", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "examples.red_wine", *arguments]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return done.stdout.decode(errors="replace")


def test_the_gaussian_is_the_product_of_its_independent_parts():
    """Turned by a rotation, independent Gaussians have a full covariance and the same density."""
    rng = np.random.default_rng(0)
    train, x = rng.standard_normal((200, 3)) * [1, 2, 0.5] + [1, 0, -1], rng.standard_normal((7, 3))
    mean, deviation = train.mean(axis=0), train.std(axis=0)
    root = np.linalg.cholesky(np.cov(train.T, bias=True))
    white = (train - mean) @ np.linalg.inv(root).T * deviation + mean  # exactly uncorrelated
    expected = (-(((x - mean) / deviation) ** 2) / 2 - np.log(deviation * np.sqrt(2 * np.pi))).sum(axis=1)
    Q, _ = np.linalg.qr(rng.standard_normal((3, 3)))
    np.testing.assert_allclose(red_wine.gaussian_log_density(white, x), expected, rtol=1e-9)
    np.testing.assert_allclose(red_wine.gaussian_log_density(white @ Q, x @ Q), expected, rtol=1e-9)


def test_on_gaussian_data_the_gaussian_reaches_the_negative_entropy():
    for seed in range(3):
        rng = np.random.default_rng(seed)
        root = rng.standard_normal((11, 11))
        train, test = rng.standard_normal((20_000, 11)) @ root, rng.standard_normal((4000, 11)) @ root
        log_p = red_wine.gaussian_log_density(train, test)
        entropy = 11 / 2 * np.log(2 * np.pi * np.e) + np.linalg.slogdet(root)[1]
        assert abs(log_p.mean() + entropy) < 3 * log_p.std() / np.sqrt(4000) + 0.01  # 0.01: 77 parameters from 20,000 rows


def test_the_density_of_the_made_up_wine_has_integral_1_and_is_that_of_its_samples():
    x1, x2, x3 = np.linspace(-3.4, 3.4, 69), np.linspace(-3, 14, 171), np.linspace(-6, 18, 601)
    total = 0
    for value in x1:
        x = np.stack(np.meshgrid([value], x2, x3, indexing="ij"), axis=-1).reshape(-1, 3)
        total += np.exp(red_wine.true_log_density(x)).sum() * 0.1 * 0.1 * 0.04
    assert abs(total - 1) < 1e-6
    data = red_wine.made_up(np.random.default_rng(0), folds=1, test=20_000)["fold1_test"]
    log_p = red_wine.true_log_density(data)
    bells = np.log(0.4) + np.log(0.3) + np.log(0.1 + 0.3 * np.abs(data[:, 0])).mean() + 1.5 * np.log(2 * np.pi * np.e)
    assert abs(log_p.mean() + bells + np.log(2)) < 3 * log_p.std() / np.sqrt(20_000) + 0.02  # 0.02: the two modes overlap a little


def test_rnade_comes_nearer_to_the_truth_than_one_gaussian():
    data = red_wine.made_up(np.random.default_rng(1), test=2000)
    recipe = red_wine.RECIPE_MADE_UP | {"epochs": 20, "mean_of": 20, "hidden": 20, "components": 8}
    for fold in (1, 2, 3):
        _, cell = red_wine.train_fold(data, fold, 0, recipe)
        truth = red_wine.true_mean(data, fold)
        assert truth - 0.4 < cell["test"] < truth + 0.05 and cell["test"] > cell["gaussian"] + 0.7, (truth, cell)


def test_a_cell_is_the_same_in_every_run_and_the_test_part_decides_nothing(monkeypatch):
    monkeypatch.setattr(red_wine, "RECIPE", red_wine.RECIPE | {"epochs": 2, "hidden": 5, "components": 3})
    monkeypatch.setattr(red_wine.train_fold, "__defaults__", (red_wine.RECIPE,))
    data = red_wine.made_up(np.random.default_rng(2), folds=1, train=180, test=50)
    one, two, other = red_wine.cell(data, 1, 0), red_wine.cell(data, 1, 0), red_wine.cell(data, 1, 1)
    data["fold1_test"] = data["fold1_test"][:10]
    fewer = red_wine.cell(data, 1, 0)
    assert one["test"] == two["test"] != other["test"]
    assert one["valid"] == fewer["valid"] and one["train"] == fewer["train"] and one["test"] != fewer["test"]
    assert set(one) == {"fold", "seed", "train", "valid", "test", "new", "interval", "gaussian", "minutes"}


def test_a_file_without_folds_is_refused(tmp_path):
    np.savez(tmp_path / "a.npz", train=np.zeros((3, 2)))
    with pytest.raises(ValueError, match="fold1_train"):
        red_wine.load(tmp_path / "a.npz")
    np.savez(tmp_path / "b.npz", fold1_train=np.zeros((3, 2)), fold1_test=np.zeros((3, 2)), fold2_train=np.zeros((3, 2)))
    with pytest.raises(ValueError, match="missing fold2_test"):
        red_wine.load(tmp_path / "b.npz")


@pytest.mark.proof
def test_a_newcomers_run_without_data(tmp_path):
    out = run(tmp_path, "--quick")
    assert "fold 3 of 3" in out and "truth" in out
    assert (tmp_path / "figures" / "red_wine_made_up.png").stat().st_size > 5_000


@pytest.mark.proof
def test_a_run_with_data_goes_on_from_the_folds_that_are_noted(tmp_path):
    data = red_wine.made_up(np.random.default_rng(3), folds=3, train=180, test=50)
    np.savez(tmp_path / "wine.npz", **data)
    first = run(tmp_path, "--quick", "--data", "wine.npz")
    notes = tmp_path / "figures" / "red_wine_0_quick.json"
    noted = json.loads(notes.read_text())
    notes.write_text(json.dumps(noted | {"cells": noted["cells"][:2]}))
    second = run(tmp_path, "--quick", "--data", "wine.npz")
    assert "fold 1 of 3" in first and "fold 2 of" not in second and "fold 3 of 3" in second
    assert [line.split()[:4] for line in first.splitlines()[-4:]] == [line.split()[:4] for line in second.splitlines()[-4:]]
    assert "fold 1 of 3" in run(tmp_path, "--quick", "--data", "wine.npz", "--seed", "1")  # another run does not mix with it
