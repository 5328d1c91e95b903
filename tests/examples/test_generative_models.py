"""The chapter's claims: what each KL chooses, how many numbers a table needs, a counting table that is a density."""

import itertools
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from examples import generative_models as chapter
from models.fvsbn import FVSBN
from models.made import MADE
from models.nade import NADE

ROOT = Path(__file__).parents[2]
MEAN = chapter.WEIGHTS @ chapter.MEANS
SD = np.sqrt(chapter.WEIGHTS @ (chapter.SDS**2 + chapter.MEANS**2) - MEAN**2)


def test_the_mixture_is_a_density():
    assert abs(chapter.P.sum() * chapter.STEP - 1) < 1e-12


def test_forward_kl_matches_the_moments():
    for start in (-4, 0, 4):
        assert np.allclose(chapter.minimise(chapter.forward_kl, start, steps=500).moments(), (MEAN, SD), atol=1e-6)


def test_reverse_kl_takes_the_mode_near_its_start():
    forward = chapter.minimise(chapter.forward_kl)
    for start, mode in ((-4, 0), (4, 1)):
        q = chapter.minimise(chapter.reverse_kl, start)
        assert np.allclose(q.moments(), (chapter.MEANS[mode], chapter.SDS[mode]), atol=0.03)
        assert abs(chapter.reverse_kl(q).item() + np.log(chapter.WEIGHTS[mode])) < 0.01  # about -log w
        assert chapter.reverse_kl(q).item() < chapter.reverse_kl(forward).item()
        assert chapter.forward_kl(q).item() > chapter.forward_kl(forward).item()


def test_a_kl_is_zero_only_for_the_same_distribution(monkeypatch):
    q, other = chapter.Gaussian(1.0, 1.5), chapter.Gaussian(1.1, 1.5)
    log_p = q.log_prob(chapter.GRID).data  # the data are now drawn from q
    monkeypatch.setattr(chapter, "LOG_P", log_p)
    monkeypatch.setattr(chapter, "P", np.exp(log_p))
    for kl in (chapter.forward_kl, chapter.reverse_kl):
        assert kl(q).item() == 0
        assert np.isclose(kl(other).item(), 0.1**2 / (2 * 1.5**2))  # the closed form, for equal sd


def test_maximum_likelihood_approaches_the_minimiser_of_forward_kl():
    best, rng = chapter.Gaussian(MEAN, SD), np.random.default_rng(0)
    gaps = []
    for n in (100, 100_000):
        x = chapter.draw_mixture(n, rng)
        q = chapter.minimise(lambda q: -q.log_prob(x).mean(), steps=500)
        assert np.allclose(q.moments(), (x.mean(), x.std()), atol=1e-5)  # the closed form of maximum likelihood
        gaps.append(chapter.forward_kl(q).item() - chapter.forward_kl(best).item())
    assert 0 < gaps[1] < 1e-3 < gaps[0] < 0.1


def test_how_many_numbers_a_table_needs():
    assert chapter.numbers_needed(2, H=3) == (2, 3, 3, 17)
    assert chapter.numbers_needed(10)[:2] == (512, 1023)
    last, joint, fvsbn, nade = chapter.numbers_needed(784)
    assert last == 2**783 and joint == 2 * last - 1 and (fvsbn, nade) == (307_720, 785_284)
    assert (chapter.short(last), chapter.short(joint), chapter.short(nade)) == ("5.1e+235", "1.0e+236", "785,284")


def test_masked_numbers_do_not_count():
    rng = np.random.default_rng(0)
    assert chapter.free_numbers(FVSBN(784, rng=rng)) == 307_720
    assert chapter.free_numbers(NADE(784, 500, rng=rng)) == 785_284
    assert chapter.free_numbers(MADE(5, (), rng=rng)) == chapter.free_numbers(FVSBN(5, rng=rng)) == 15
    assert chapter.free_numbers(chapter.CountingTable(28, 28, 10)) == 784 * 1024


@pytest.mark.parametrize("height, width", [(3, 3), (1, 7), (7, 1), (2, 4)])
@pytest.mark.parametrize("K", [0, 1, 4, 6])
def test_the_counting_table_is_a_density(height, width, K):
    D, rng = height * width, np.random.default_rng(K)
    model = chapter.CountingTable(height, width, K)
    model.count(rng.integers(0, 2, (50, D), dtype=np.uint8))
    states = np.array(list(itertools.product((0, 1), repeat=D)), np.uint8)  # (2^D, D)
    assert abs(np.exp(model.log_prob(states).data.astype(float)).sum() - 1) < 1e-5  # float32
    assert (model.seen.sum(axis=1) == 50).all()


def test_neighbours_come_before_and_are_the_nearest():
    index = chapter.causal_neighbours(4, 5, 4)
    assert (index[0] == 20).all()  # nothing comes before the first pixel: all off the image
    assert index[12].tolist() == [7, 11, 6, 8]  # row 2, column 2: up, left, up-left, up-right
    assert index[10].tolist() == [5, 20, 20, 6]  # at the left edge nothing wraps round
    d = np.arange(20)[:, None]
    far = chapter.causal_neighbours(4, 5, 20)
    assert ((far < d) | (far == 20)).all()


def test_a_counting_table_counts():
    x = np.array([[0, 0], [0, 1], [1, 1], [1, 1], [1, 0]], np.uint8)
    model = chapter.CountingTable(1, 2, 2, smoothing=0.5)  # K = 2: up (off the image) and left
    model.count(x)
    p = model.conditionals(np.array([[0, 0], [1, 0]], np.uint8))
    assert np.allclose(p, [[3.5 / 6, 1.5 / 3], [3.5 / 6, 2.5 / 4]])


def test_samples_of_a_counting_table_follow_its_density():
    rng = np.random.default_rng(0)
    model = chapter.CountingTable(2, 2, 3)
    model.count(rng.integers(0, 2, (30, 4), dtype=np.uint8))
    states = np.array(list(itertools.product((0, 1), repeat=4)), np.uint8)
    p = np.exp(model.log_prob(states).data.astype(float))  # (16,)
    n = 20_000
    seen = np.bincount(model.sample(n, rng) @ [8, 4, 2, 1], minlength=16)
    assert ((seen - n * p) ** 2 / (n * p)).sum() < 50  # chi-squared with 15 degrees of freedom


def run(folder, option, encoding):
    environment = {**os.environ, "PYTHONIOENCODING": f"{encoding}:strict"}
    command = [sys.executable, "-m", "examples.generative_models", option, "--out", str(folder)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, timeout=300)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    assert (folder / "generative_models.png").read_bytes().startswith(b"\x89PNG")
    assert b"?" not in done.stdout.split(b"2. How many")[1].replace(b"bits?", b"")  # no letter was lost
    assert done.stdout.isascii()


@pytest.mark.proof
def test_the_chapter_runs_on_an_old_console(tmp_path):
    run(tmp_path, "--debug", "cp1252")


@pytest.mark.proof
@pytest.mark.parametrize("encoding", ["cp1252", "cp936"])
def test_the_chapter_runs_quickly(tmp_path, encoding):
    run(tmp_path, "--quick", encoding)
