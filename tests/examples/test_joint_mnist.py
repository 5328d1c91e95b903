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
    (z, y), *others = [gaussian_classes(n, rng) for n in (4000, 2000, 2000)]
    wrong_valid, wrong_test, seconds = chapter.logistic_regression([z, *[a for a, _ in others]], [y, *[b for _, b in others]], 5, 0)
    for wrong, (z, y) in zip((wrong_valid, wrong_test), others):
        best = z.argmax(axis=1) != y  # Bayes' rule for these Gaussians
        difference = wrong.astype(float) - best
        assert wrong.shape == (2000,) and 0.1 < best.mean() < 0.5
        assert abs(difference.mean()) < 3 * difference.std() / np.sqrt(2000) + 0.01  # 0.01: it has learned from 4,000 only
    assert seconds > 0


def test_the_grid_is_decided_by_the_validation_part(monkeypatch):
    seen = []

    def train(model, data, lr, epochs, rng, loss, valid_loss, verbose):
        seen.append((lr, model.decay))
        model.b.data = np.eye(10)[len(seen)]  # the first says always 1, the second always 2 ...
        return abs(len(seen) - 3), 1.0  # and the third is the best

    monkeypatch.setattr(chapter, "train", train)
    z, y = np.eye(4), np.array([1, 2, 3, 4])
    wrong_valid, wrong_test, seconds = chapter.logistic_regression([z, z, z + 1], [y, y, y[::-1]], 1, 0)
    assert sorted(seen) == sorted((lr, decay) for lr in chapter.RATES for decay in chapter.DECAYS)
    assert wrong_valid.tolist() == [True, True, False, True] and wrong_test.tolist() == [True, False, True, True]
    assert seconds == len(seen)


def test_an_error_rate_has_its_interval():
    rate, interval = chapter.rate(np.arange(10_000) < 500)
    assert rate == 5.0 and abs(interval - 0.427) < 0.001  # 1.96 sqrt(0.05 * 0.95 / 10000)


@pytest.mark.proof
def test_debug_run_draws_its_picture_with_kernels_as_plain_python(tmp_path):
    out = run(tmp_path, "examples.joint_mnist", "--debug")
    assert "joint_mnist.png" in out and (tmp_path / "figures" / "joint_mnist.png").stat().st_size > 5_000


@pytest.mark.proof
@pytest.mark.parametrize("coding", ["cp1252:strict", "cp936:strict"])
def test_quick_run_prints_the_same_table_for_the_same_seed_on_old_consoles(tmp_path, coding):
    out = run(tmp_path, "examples.joint_mnist", "--quick", "--seed", "3", coding=coding)
    rows = [line for line in out.splitlines() if line.startswith(("logistic", "Bayes"))]
    errors = [float(row.split()[-3]) for row in rows]
    assert len(rows) == 4 and all(0 < error < 60 for error in errors)  # guessing errs in 90 of 100
    if coding.startswith("cp1252"):
        again = run(tmp_path, "examples.joint_mnist", "--quick", "--seed", "3").splitlines()
        assert [row.split()[:-1] for row in rows] == [row.split()[:-1] for row in again if row.startswith(("logistic", "Bayes"))]


@pytest.mark.proof
def test_it_takes_a_file_with_labels_and_says_what_is_missing_in_one_without(tmp_path):
    save(tmp_path / "data.npz", n=500)
    assert "Bayes' rule" in run(tmp_path, "examples.joint_mnist", "--quick", "--data", "data.npz")
    save(tmp_path / "bare.npz", labels=False)
    command = [sys.executable, "-m", "examples.joint_mnist", "--data", str(tmp_path / "bare.npz")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode and "lacks the labels train_y" in done.stderr
