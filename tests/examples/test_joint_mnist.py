"""joint_mnist: its classifiers, the posterior row after row, the labels of a file, and the run as a newcomer starts it."""

import subprocess
import sys

import numpy as np
import pytest
from test_mnist_examples import ROOT, run  # pytest puts this folder on the path

from examples import joint_mnist as chapter
from minigrad.functional import sigmoid
from models import nade
from models.joint import Joint

PARTS = ("train", "valid", "test")


def save(path, labels=True, n=250, classes=10):
    """A file with two kinds of image, noise with its upper or its lower half darker; the label says which."""
    rng, arrays = np.random.default_rng(0), {}
    for part in PARTS:
        y = rng.integers(classes, size=n).astype(np.uint8)
        dark = (np.arange(784) < 392) == (y[:, None] % 2 == 0)
        arrays[part] = (rng.random((n, 784)) < np.where(dark, 0.3, 0.1)).astype(np.uint8)
        if labels:
            arrays[f"{part}_y"] = y
    np.savez(path, **arrays)
    return arrays


def test_labels_come_from_the_package_or_from_a_file(tmp_path):
    data = chapter.labelled(None)
    assert [part.shape for part in data[:3]] == [(50_000, 784), (10_000, 784), (10_000, 784)]
    assert np.bincount(data.test_labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]  # those of MNIST
    arrays = save(tmp_path / "data.npz")
    data = chapter.labelled(tmp_path / "data.npz")
    for part in PARTS:
        np.testing.assert_array_equal(getattr(data, part), arrays[part])
        np.testing.assert_array_equal(getattr(data, f"{part}_labels"), arrays[f"{part}_y"])
    save(tmp_path / "bare.npz", labels=False)
    with pytest.raises(ValueError, match="lacks the labels train_y, valid_y, test_y; it has train, valid, test"):
        chapter.labelled(tmp_path / "bare.npz")


def test_hidden_units_are_those_after_the_last_pixel():
    rng = np.random.default_rng(0)
    model = nade.NADE(30, 7, rng=rng, order="random", dtype=np.float64)
    x = (rng.random((1003, 30)) < 0.4).astype(np.uint8)
    _, a = nade.forward(x, model.order, model.W.data, model.V.data, model.b.data, model.c.data)
    np.testing.assert_allclose(chapter.hidden(model, x), sigmoid(a), rtol=1e-12)


def test_the_posterior_row_after_row_starts_from_the_prior_and_ends_with_bayes_rule():
    rng = np.random.default_rng(1)
    model = Joint(nade.NADE, 784, 10, 3, rng=rng)
    for p in model.parameters():
        p.data = rng.standard_normal(p.shape) * 0.3
    x = (rng.random((3, 784)) < 0.1).astype(np.uint8)
    p = chapter.posteriors(model, x)
    assert p.shape == (29, 3, 10)
    for rows in (0, 1, 13, 28):
        np.testing.assert_allclose(p[rows], model.posterior(x, np.arange(784) < 28 * rows), rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(p[28], model.posterior(x), rtol=1e-3, atol=1e-5)
    assert np.abs(p[0] - p[28]).max() > 0.05


def gaussian_classes(n, rng):
    """Features whose classes are Gaussians of one width: then p(y | z) is exactly a logistic regression."""
    y = rng.integers(10, size=n)
    return rng.standard_normal((n, 10)) * 3 + 50 + 8 * np.eye(10)[y], y


def test_logistic_regression_errs_as_seldom_as_the_best_classifier():
    rng = np.random.default_rng(2)
    features, labels = zip(*[gaussian_classes(n, rng) for n in (4000, 2000, 2000)])
    name, valid, test, interval, seconds = chapter.logistic_regression("Gaussians", features, labels, 5, 0)
    best = [100 * (z.argmax(axis=1) != y).mean() for z, y in zip(features[1:], labels[1:])]  # Bayes' rule for these Gaussians
    assert name == "logistic regression, Gaussians" and seconds > 0
    assert 10 < best[0] < 50 and abs(valid - best[0]) < interval + 1 and abs(test - best[1]) < interval + 1  # 1: it saw 4,000 only


def test_the_grid_is_decided_by_the_validation_part(monkeypatch):
    seen = []

    def train(model, data, lr, epochs, rng, loss, valid_loss, verbose):
        seen.append((lr, model.decay))
        model.s.data = np.eye(10)[len(seen)]  # the first says always 1, the second always 2 ...
        return abs(len(seen) - 3), 1.0  # and the third is the best

    monkeypatch.setattr(chapter, "train", train)
    z, y = np.eye(4), np.array([1, 2, 3, 4])
    _, valid, test, _, seconds = chapter.logistic_regression("", [z, z, z + 1], [y, y, np.array([3, 3, 3, 4])], 1, 0)
    assert sorted(seen) == sorted((lr, decay) for lr in chapter.RATES for decay in chapter.DECAYS)
    assert (valid, test, seconds) == (75, 25, len(seen))


def test_a_row_gives_rates_in_per_cent_with_their_interval():
    row = chapter.row("x", np.arange(1000) < 40, np.arange(10_000) < 500, 2.5)
    assert row[:3] == ["x", 4.0, 5.0] and abs(row[3] - 0.427) < 0.001 and row[4] == 2.5  # 1.96 sqrt(0.05 * 0.95 / 10000)


def test_naive_bayes_tells_halves_apart_and_nothing_else(tmp_path):
    save(tmp_path / "data.npz", n=20, classes=2)
    assert chapter.naive_bayes(chapter.labelled(tmp_path / "data.npz"))[1:3] == [0, 0]
    save(tmp_path / "data.npz", n=50)  # of ten classes five look alike
    _, valid, test, interval, _ = chapter.naive_bayes(chapter.labelled(tmp_path / "data.npz"))
    assert abs(test - 80) < 2 * interval and abs(valid - 80) < 2 * interval


@pytest.mark.proof
def test_debug_run_draws_its_picture_with_kernels_as_plain_python(tmp_path):
    out = run(tmp_path, "examples.joint_mnist", "--debug")
    assert "joint_mnist.png" in out and (tmp_path / "figures" / "joint_mnist.png").stat().st_size > 5_000


@pytest.mark.proof
@pytest.mark.parametrize("coding", ["cp1252:strict", "cp936:strict"])
def test_quick_run_prints_the_same_table_for_the_same_seed_on_old_consoles(tmp_path, coding):
    out = run(tmp_path, "examples.joint_mnist", "--quick", "--seed", "3", coding=coding)
    rows = [line for line in out.splitlines() if line.startswith(("logistic", "Bayes' rule, "))]
    errors = [float(row.split()[-3]) for row in rows]
    assert len(rows) == 5 and all(0 < error < 60 for error in errors)  # guessing errs in 90 of 100
    if coding.startswith("cp1252"):
        again = run(tmp_path, "examples.joint_mnist", "--quick", "--seed", "3").splitlines()
        assert [row.split()[:-1] for row in rows] == [row.split()[:-1] for row in again if row.startswith(("logistic", "Bayes' rule, "))]


@pytest.mark.proof
def test_it_takes_a_file_with_labels_and_says_what_is_missing_in_one_without(tmp_path):
    save(tmp_path / "data.npz", n=500)
    assert "Bayes' rule" in run(tmp_path, "examples.joint_mnist", "--quick", "--data", "data.npz")
    save(tmp_path / "bare.npz", labels=False)
    command = [sys.executable, "-m", "examples.joint_mnist", "--data", str(tmp_path / "bare.npz")]
    done = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode and "lacks the labels train_y" in done.stderr
