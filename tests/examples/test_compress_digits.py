"""The chapter on compression: its counting coder is exact and spends what its counts say; a run as a newcomer runs it."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from examples import compress_digits as chapter
from examples.generative_models import CountingTable, causal_neighbours
from minigrad import checkpoint
from models.codec import read, write
from models.nade import NADE

ROOT = Path(__file__).parents[2]


def stripes(N, height, width, seed=0):
    """Images with something to learn: each row repeats the one above, but for some noise."""
    rng = np.random.default_rng(seed)
    row = rng.random((N, 1, width)) < 0.4
    return (row ^ (rng.random((N, height, width)) < 0.1)).astype(np.uint8).reshape(N, -1)


def bits_by_hand(x, neighbours, counts):
    """Σ −log₂ p with p = (n_x + 1/2) / (n_0 + n_1 + 1), the counts going on after each pixel."""
    total, counts = 0.0, counts.copy()
    for image in x:
        for d in range(len(image)):
            pattern = sum(int(image[n]) << k for k, n in enumerate(neighbours[d]) if n < len(image))
            seen = counts[d % len(counts), pattern]
            total -= np.log2((seen[image[d]] + 0.5) / (seen.sum() + 1))
            seen[image[d]] += 1
    return total


@pytest.mark.parametrize("tables", [1, 12])
@pytest.mark.parametrize("start", [0, 3, 40_000_000])
def test_the_counting_coder_is_exact_and_as_short_as_its_counts_say(tables, start):
    x, K = stripes(20, 3, 4), 4
    neighbours = causal_neighbours(3, 4, K)
    counts = np.random.default_rng(1).integers(0, start + 1, (tables, 2**K, 2))
    before = counts.copy()
    payload = write(x, chapter.code_by_counting, (neighbours, counts))
    y, _ = read(payload, x.shape, chapter.code_by_counting, (neighbours, before.copy()))
    assert np.array_equal(x, y)
    assert counts.sum() == before.sum() + x.size  # it has counted every pixel
    ideal = bits_by_hand(x, neighbours, before)
    assert ideal - 1 < 8 * len(payload) < ideal + 10


def test_what_was_never_seen_among_millions_can_be_coded():
    """Without its floor, p would be 0 here."""
    x, neighbours = np.ones((2, 3), np.uint8), np.full((3, 0), 3)
    for counts in (np.array([[[10**9, 0]]]), np.array([[[0, 10**9]]])):
        payload = write(x, chapter.code_by_counting, (neighbours, counts.copy()))
        assert np.array_equal(read(payload, x.shape, chapter.code_by_counting, (neighbours, counts.copy()))[0], x)


def test_the_table_for_each_pixel_starts_from_the_densities_of_the_counting_table():
    x, table = stripes(50, 4, 4), CountingTable(4, 4, chapter.K)
    table.count(x[:40])
    counts = np.stack([table.seen - table.ones, table.ones], axis=-1)
    assert np.isclose(bits_by_hand(x[40:41], table.neighbours, counts), chapter.costs(table, x[40:41]).sum(), rtol=1e-5)


def test_costs_add_up_to_the_density():
    model, x = NADE(12, 5, rng=np.random.default_rng(0)), stripes(6, 3, 4)
    assert np.allclose(chapter.costs(model, x).sum(axis=1) * np.log(2), -model.log_prob(x).data, rtol=1e-5)


def test_what_learns_while_it_codes_wins_over_the_bits_themselves():
    x = stripes(400, 4, 4)
    none = chapter.from_library("none", bytes, bytes, x)
    counting = chapter.by_counting("counting", np.zeros((1, 2**chapter.K, 2), np.int64), 0, 4, x)
    assert none.size == 800 and counting.size < 0.8 * none.size


def test_a_wrong_pixel_is_an_error():
    x = stripes(2, 3, 4)
    with pytest.raises(AssertionError, match="broken: the decoded digits"):
        chapter.measure("broken", lambda x: x, lambda data: data ^ 1, 0, x)


def run(folder, *options):
    env = {**os.environ, "PYTHONIOENCODING": "cp936:strict", "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-m", "examples.compress_digits", *options], cwd=folder, env=env, capture_output=True, text=True
    )


@pytest.mark.proof
def test_debug_run_draws_its_picture_with_kernels_as_plain_python(tmp_path):
    done = run(tmp_path, "--debug")
    assert done.returncode == 0, done.stderr
    assert "decoded without a wrong pixel" in done.stdout and "bz2" in done.stdout
    assert (tmp_path / "figures" / "compress_digits.png").stat().st_size > 20_000


@pytest.mark.proof
def test_the_published_split_needs_trained_weights(tmp_path):
    rng = np.random.default_rng(0)
    np.savez(
        tmp_path / "digits.npz", **{part: (rng.random((30, 784)) < 0.1).astype(np.uint8) for part in ("train", "valid", "test")}
    )
    lacking = run(tmp_path, "--data", "digits.npz")
    assert lacking.returncode == 1 and "first train" in lacking.stderr and "published_nade_0.npz" in lacking.stderr
    checkpoint.save(tmp_path / "figures" / "published_nade_0.npz", {"best": NADE(784, 500, rng=rng).state_dict()})
    done = run(tmp_path, "--data", "digits.npz")
    assert done.returncode == 0, done.stderr
    assert "3,141,136" in done.stdout and "decoded without a wrong pixel" in done.stdout
