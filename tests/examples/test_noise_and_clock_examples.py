"""The pages on exploration noise and on time limits: what they state is so; both commands run."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from examples import exploration_noise as noise_page
from examples import time_limits as clock_page
from rl.noise import Gaussian, OrnsteinUhlenbeck

ROOT = Path(__file__).parent.parent.parent


def test_the_power_of_the_formula_is_that_of_the_noise():
    rng, T, N = np.random.default_rng(0), 2000, 400
    for noise in (Gaussian(0.3), OrnsteinUhlenbeck(0.15, 0.2, 1.0), noise_page.noise(11.5, 0.1)):
        noise.reset(N)
        for _ in range(100):  # it starts from 0
            noise.draw(rng)
        wave = sum(noise.draw(rng) * np.exp(-1j * noise_page.OMEGA * t) for t in range(T))
        measured = np.abs(wave) ** 2 / T  # (N,), exponentially distributed
        assert abs(measured.mean() - noise_page.power(noise)) < 4 * measured.std() / np.sqrt(N)


def test_noise_of_one_size_has_that_size_and_its_power_is_largest_where_the_page_says():
    for steps in (1, 6.7, 40):
        noise, rng = noise_page.noise(steps, 0.5), np.random.default_rng(1)
        noise.reset(20_000)
        for _ in range(300):
            n = noise.draw(rng)
        assert n.std() == pytest.approx(0.5, rel=0.03)
    times = np.geomspace(1, 700, 500)
    best = times[np.argmax([noise_page.power(noise_page.noise(t)) for t in times])]
    assert best == pytest.approx(1 / noise_page.OMEGA, rel=0.1)
    assert noise_page.power(noise_page.noise(11.5)) / noise_page.power(noise_page.noise(1)) == pytest.approx(11, abs=1)


def test_only_noise_that_lasts_reaches_the_goal():
    shares = [noise_page.pushed_by(noise_page.noise(steps), 300, np.random.default_rng(2))[1].mean() for steps in (1, 11.5, 667)]
    assert shares[0] == 0 and shares[1] > 0.6 and shares[2] < 0.05


def test_the_values_of_the_constant_world():
    exact = clock_page.constant(0.9, 10)
    assert exact["terminated"] == pytest.approx(10) and exact["done"] == pytest.approx(1 / 0.19)
    v = 0.0  # the mean target over an episode of 10 steps, over and over
    for _ in range(500):
        v = np.mean([1 + 0.9 * v * (t < 9) for t in range(10)])
    assert v == pytest.approx(exact["done"])
    clock = clock_page.with_clock(0.9, 10)
    assert clock[0] == pytest.approx(sum(0.9**k for k in range(10))) and clock[-1] == pytest.approx(1)


def test_the_share_of_visits_is_that_of_a_walker_and_the_mistake_turns_the_policy():
    rng, limit = np.random.default_rng(3), 12
    s, visits, last = np.zeros(20_000, int), np.zeros(6), np.zeros(6)
    for t in range(limit):
        visits += np.bincount(s, minlength=6)
        last += np.bincount(s, minlength=6) * (t == limit - 1)
        s = np.minimum(s + rng.integers(2, size=s.size), clock_page.WALK)
    np.testing.assert_allclose(clock_page.stopped(limit), last / visits, atol=0.01)
    for limit, done in ((10, 0), (16, 0), (17, 1), (50, 1)):
        assert clock_page.exact_q(0.9, np.zeros(6))[0].argmax() == 1
        assert clock_page.exact_q(0.9, clock_page.stopped(limit))[0].argmax() == done


def test_q_learning_comes_to_the_exact_values():
    for mask, m in (("terminated", np.zeros(6)), ("done", clock_page.stopped(10))):
        learned = clock_page.learned_q(0.9, 10, mask, 10_000, np.random.default_rng(4))
        np.testing.assert_allclose(learned[0], clock_page.exact_q(0.9, m)[0], atol=0.6)


@pytest.mark.proof
def test_a_critic_learns_ten_with_the_right_mask_and_half_of_it_without():
    for seed in (0, 1, 2):
        right, wrong = (clock_page.critic(mask, seed, 3000)[40:, 0].mean() for mask in ("terminated", "done"))
        assert right == pytest.approx(10, abs=0.2) and wrong == pytest.approx(1 / 0.19, abs=0.3)  # T4: < 7


@pytest.mark.proof
def test_ddpg_learns_with_noise_that_lasts_and_stands_still_with_the_other():
    best = {steps: max(noise_page.train(100, noise_page.noise(steps), 6000, 500)[2]) for steps in (1, 1 / 0.15)}
    assert best[1] < 1 and best[1 / 0.15] > 90


@pytest.mark.proof
@pytest.mark.parametrize("name", ["exploration_noise", "time_limits"])
def test_the_command_runs(name, tmp_path):
    command = [sys.executable, "-m", f"examples.{name}", "--debug", "--out", str(tmp_path)]
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1", "PYTHONIOENCODING": "cp1252:strict"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / f"{name}.png").stat().st_size > 10_000
