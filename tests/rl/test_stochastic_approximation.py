"""Robbins-Monro and its special cases: closed forms, Zhao's printed series, TD(0) to the bit, and what the conditions say."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rl import linear_value as lv
from rl import stochastic_approximation as sa
from rl.envs import GridWorld, RandomWalk
from rl.episodes import play_fast
from rl.features import rows
from rl.mdp import state_values, under, uniform_policy

ROOT_FOLDER, ROOT = Path(__file__).parents[2], 5 ** (1 / 3)
PRINTED = np.array([0, 1.93, 0.95, 2.31, 0.98, 1.76, 1.62, 1.65, 1.70, 1.74])  # Zhao's figure 6.3, read off its curves
NOISE = np.array([1.17, 0.81, -1.26, -0.56, -0.60, 0.56, 0.50])


def cube(w):
    """Zhao's g; its root is the cube root of 5."""
    return w**3 - 5


def normal(w, n, rng):
    """Noise that asks for nothing."""
    return rng.standard_normal(n)


# ---- the core


def test_two_steps_by_hand_and_k_counts_from_1():
    asked = []
    got = sa.robbins_monro(lambda w, k: asked.append((float(w), k)) or 2 * w + k, 1.0, lambda k: 1 / (k + 1), 2)
    np.testing.assert_allclose(got, [1, 1 - (2 + 1) / 2, -0.5 - (-1 + 2) / 3], rtol=1e-15)
    assert asked == [(1.0, 1), (-0.5, 2)]


def test_step_sizes_as_a_function_an_array_and_a_number():
    for a in (lambda k: 0.25, 0.25, [0.25] * 4, np.full(9, 0.25)):
        np.testing.assert_array_equal(sa.step_sizes(a, 4), np.full(4, 0.25))
    np.testing.assert_array_equal(sa.step_sizes(sa.harmonic, 4), [1, 1 / 2, 1 / 3, 1 / 4])
    start = np.array([1.0, 2.0])
    history = sa.robbins_monro(lambda w, k: w, start, 0.5, 1)
    np.testing.assert_array_equal(history, [[1, 2], [0.5, 1]])
    np.testing.assert_array_equal(start, [1, 2])
    assert sa.robbins_monro(lambda w, k: w, 3, sa.harmonic, 0).tolist() == [3]


@pytest.mark.parametrize("a, steps, message", [
    ([0.1, 0.2], 3, "3 step sizes are needed"), (np.ones((3, 2)), 3, "one number each"), (-0.1, 3, "a_1 is -0.1"),
    (lambda k: 1 / k if k < 3 else np.nan, 3, "a_3 is nan"), ([1, np.inf], 2, "a_2 is inf"), (0.1, -1, "steps must be"), (0.1, 1.5, "steps"),
])  # fmt: skip
def test_bad_step_sizes_are_named(a, steps, message):
    with pytest.raises(ValueError, match=message):
        sa.step_sizes(a, steps)


def test_an_answer_of_another_shape_is_refused():
    with pytest.raises(ValueError, match="not that of w"):
        sa.robbins_monro(lambda w, k: (w**2).sum(), np.ones(3), 0.1, 2)
    with pytest.raises(ValueError, match="not that of w"):
        sa.robbins_monro(lambda w, k: w[:, None], np.ones(3), 0.1, 2)


# ---- Zhao's two functions


def test_tanh_without_noise():
    got = sa.robbins_monro(lambda w, k: np.tanh(w - 1), 3.0, sa.harmonic, 4000)
    np.testing.assert_allclose(got[:8], [3, 2.03597, 1.64783, 1.45776, 1.35069, 1.2833, 1.2373, 1.20403], atol=5e-6)
    assert abs(got[-1] - 1) < 1e-3


def test_the_printed_series_is_made_with_one_over_k_plus_1():
    """Each step from the printed w, with the recovered noise: right to the width of a line, and far off with 1/k or 1/(k + 2)."""
    errors = []
    for shift in (0, 1, 2):
        steps = [
            sa.robbins_monro(lambda w, _: cube(w) + eta, PRINTED[k - 1], [1 / (k + shift)], 1)[1]  # noqa: B023
            for k, eta in enumerate(NOISE, start=1)
        ]
        errors.append(np.abs(steps - PRINTED[1:8]).max())
    assert errors[1] < 0.025 and min(errors[0], errors[2]) > 0.5
    whole = sa.robbins_monro(lambda w, k: cube(w) + NOISE[k - 1], 0.0, lambda k: 1 / (k + 1), 7)
    np.testing.assert_allclose(whole, PRINTED[:8], atol=0.025)
    literal = sa.robbins_monro(lambda w, k: cube(w) + NOISE[k - 1], 0.0, sa.harmonic, 7)
    assert np.abs(literal[1:]).tolist() == sorted(np.abs(literal[1:])) and abs(literal[-1]) > 1e200


@pytest.mark.parametrize("shift, share", [(0, 0.004), (1, 0.715), (2, 1.0)])
def test_the_share_of_2000_runs_that_stays_bounded(shift, share):
    rng = np.random.default_rng(0)
    w = sa.robbins_monro(lambda w, k: cube(w) + rng.standard_normal(2000), np.zeros(2000), lambda k: 1 / (k + shift), 50)[-1]
    bounded = np.abs(w) < 10
    assert (np.isfinite(w) == bounded).all()  # nothing in between: who has left is at infinity by then
    error = np.sqrt(2 * max(share * (1 - share), 1 / 2000) / 2000)  # of the difference of two such counts
    assert abs(bounded.mean() - share) <= 3 * error
    if shift == 2:
        assert abs(np.median(np.abs(w - ROOT)) - 0.025) < 0.003


# ---- the mean


@pytest.mark.parametrize("shape", [(200,), (200, 3)])
def test_the_incremental_mean_is_the_batch_mean_of_what_came(shape):
    x = np.random.default_rng(0).standard_normal(shape) + 3
    got = sa.incremental_mean(x, start=-20.0)
    assert got.shape == (201, *shape[1:]) and (got[0] == -20).all()
    for k in (1, 2, 17, 200):
        np.testing.assert_allclose(got[k], sa.batch_mean(x[:k]), rtol=1e-12)
        np.testing.assert_allclose(got[k], x[:k].mean(axis=0), rtol=1e-12)
    with pytest.raises(ValueError, match="no samples"):
        sa.batch_mean(x[:0])


def test_with_constant_steps_the_mean_forgets():
    x, a = np.random.default_rng(0).standard_normal(30), 0.2
    weights = a * (1 - a) ** np.arange(29, -1, -1)
    np.testing.assert_allclose(sa.incremental_mean(x, a, start=7.0)[-1], weights @ x + 7 * (1 - a) ** 30, rtol=1e-12)
    np.testing.assert_allclose(weights.sum() + (1 - a) ** 30, 1, rtol=1e-12)


def test_any_harmonic_steps_reach_the_mean_and_summable_ones_do_not():
    x = np.random.default_rng(0).standard_normal(20_000) + 3
    for a in (lambda k: 5 / (k + 9), lambda k: k**-0.75):
        assert abs(sa.incremental_mean(x, a, start=-20.0)[-1] - 3) < 0.1
    stuck = sa.incremental_mean(x, lambda k: 0.5 / k**2, start=-20.0)[-1]
    reach = 23 * np.prod(1 - 0.5 / np.arange(1.0, 20_001) ** 2)  # of the way, what is left: the sum of a_k is only .82
    assert reach > 8 and abs(3 - stuck - reach) < 1.5


# ---- gradient descent


X = np.random.default_rng(5).uniform(-10, 10, (100, 2))
START = np.array([-20.0, 20.0])


def test_bgd_is_at_the_mean_after_one_step():
    np.testing.assert_array_equal(sa.whole_batches(3, 2), [[0, 1, 2], [0, 1, 2]])
    got = sa.descend(sa.mean_gradient, START, X, sa.whole_batches(100, 5), sa.harmonic)
    np.testing.assert_allclose(got[1:], np.tile(X.mean(axis=0), (5, 1)), atol=1e-12)


@pytest.mark.parametrize("m", [1, 5, 50, 100])
def test_mbgd_is_the_mean_of_the_batch_means(m):
    batches = sa.random_batches(100, m, 30, np.random.default_rng(m))
    got = sa.descend(sa.mean_gradient, START, X, batches, sa.harmonic)
    means = X[batches].mean(axis=1)
    for k in range(1, 31):
        np.testing.assert_allclose(got[k], means[:k].mean(axis=0), atol=1e-12)
    assert m < 100 or np.abs(got[1] - X.mean(axis=0)).max() > 0.01  # with replacement: even m = n is not BGD


def test_sgd_in_order_is_the_running_mean():
    got = sa.descend(sa.mean_gradient, START, X, np.arange(100)[:, None], sa.harmonic)
    np.testing.assert_allclose(got, sa.incremental_mean(X, start=START), atol=1e-12)
    np.testing.assert_allclose(got[1:], np.cumsum(X, axis=0) / np.arange(1, 101)[:, None], atol=1e-12)


def test_least_squares_by_sgd():
    """Another f: ½ (w · z − y)², whose slope is (w · z − y) z; BGD settles at the solution of the normal equations."""
    rng = np.random.default_rng(0)
    z = rng.standard_normal((300, 2))
    data = np.column_stack([z, z @ [1, -2] + 0.1 * rng.standard_normal(300)])
    slope = lambda w, x: (x[:, :2] @ w - x[:, 2])[:, None] * x[:, :2]
    best = np.linalg.lstsq(z, data[:, 2], rcond=None)[0]
    np.testing.assert_allclose(sa.descend(slope, np.zeros(2), data, sa.whole_batches(300, 100), 0.5)[-1], best, atol=1e-12)
    sgd = sa.descend(slope, np.zeros(2), data, sa.random_batches(300, 1, 4000, rng), lambda k: 1 / (k + 9))[-1]
    assert np.abs(sgd - best).max() < 0.03


def test_figure_6_5_larger_batches_end_nearer():
    """Mean square distance to the sample mean after 30 steps: exactly (spread of the samples) / (30 m), 120 runs each."""
    mean, rng, distances = X.mean(axis=0), np.random.default_rng(0), {}
    assert abs(np.linalg.norm(START - mean) - 27) < 2
    for m in (1, 5, 50):
        ends = [sa.descend(sa.mean_gradient, START, X, sa.random_batches(100, m, 30, rng), sa.harmonic)[-1] for _ in range(120)]
        squares = ((np.array(ends) - mean) ** 2).sum(axis=1)
        exact = ((X - mean) ** 2).sum(axis=1).mean() / (30 * m)
        assert abs(squares.mean() - exact) < 3 * squares.std() / np.sqrt(120)
        distances[m] = np.sqrt(squares).mean()
    assert distances[1] > 1.5 * distances[5] > 3 * distances[50]


def test_far_away_one_sample_shows_the_way():
    """δ_k of SGD: small at the start, above 1 near the mean; the bound |g̃ − g| / (c |w − w*|) is met with c = 1 for the mean."""
    rng, mean, far, near = np.random.default_rng(0), X.mean(axis=0), [], []
    for _ in range(60):
        batches = sa.random_batches(100, 1, 200, rng)
        w = sa.descend(sa.mean_gradient, START, X, batches, 0.05)[:-1]
        delta = sa.relative_error(w - X[batches[:, 0]], w - mean)
        distance = np.linalg.norm(w - mean, axis=1)
        np.testing.assert_allclose(delta, np.linalg.norm(X[batches[:, 0]] - mean, axis=1) / distance, rtol=1e-12)
        far.append(delta[0])
        near.append(np.median(delta[100:]))
    typical = np.linalg.norm(X - mean, axis=1).mean() / np.linalg.norm(START - mean)
    assert abs(np.mean(far) - typical) < 4 * np.std(far) / np.sqrt(60) and np.mean(far) < 0.35
    assert np.mean(near) > 3


@pytest.mark.parametrize(
    "batches", [np.zeros(3, int), np.full((2, 3), 100), np.full((2, 3), -1), np.zeros((2, 3)), np.zeros((2, 0), int)]
)
def test_batches_that_are_none(batches):
    with pytest.raises(ValueError, match="batches must be"):
        sa.descend(sa.mean_gradient, START, X, batches, 0.1)


def test_random_batches_are_uniform():
    got = sa.random_batches(7, 3, 5000, np.random.default_rng(0))
    assert got.shape == (5000, 3)
    share = np.bincount(got.ravel(), minlength=7) / 15_000
    np.testing.assert_allclose(share, 1 / 7, atol=4 * np.sqrt(1 / 7 / 15_000))
    none = sa.random_batches(1, 1, 0, np.random.default_rng(0))
    assert none.shape == (0, 1) and len(sa.descend(sa.mean_gradient, START, X, none, 0.1)) == 1  # no step, the start alone
    with pytest.raises(ValueError, match="steps must be an integer of at least 0, not -1"):
        sa.whole_batches(3, -1)
    with pytest.raises(ValueError, match="m must be"):
        sa.random_batches(7, 0, 5, np.random.default_rng(0))


# ---- TD(0)


@pytest.mark.parametrize("env, gamma", [(RandomWalk(5, 1), 1.0), (GridWorld(max_episode_steps=40), 0.9)])
def test_td_is_linear_td_with_one_feature_a_state_to_the_bit(env, gamma):
    S = env.observation_space.n
    experience = play_fast(env, uniform_policy(env.mdp()), 12, np.random.default_rng(3))
    start = np.random.default_rng(4).standard_normal(S)
    history = sa.td(start, experience, 0.1, gamma)
    w = start.copy()
    theirs = lv.td(w, rows(np.eye(S)), experience, 0.1, gamma)
    ends = np.flatnonzero(experience.terminated | experience.truncated) + 1
    np.testing.assert_array_equal(history[ends], theirs)
    np.testing.assert_array_equal(history[-1], w)
    assert history.shape == (len(experience.state) + 1, S) and (history[0] == start).all() and (w != start).any()


def test_what_td_measures_is_the_bellman_equation_on_average():
    """Given the state, the mean answer is v(s) − (r_π + γ P_π v)(s): the noise has mean 0, as (c) asks; other entries answer 0."""
    env = GridWorld(max_episode_steps=1000)
    mdp = env.mdp()
    policy = uniform_policy(mdp)
    P, r = under(mdp, policy)
    v = np.random.default_rng(0).standard_normal(25)
    g = v - (r + 0.9 * P @ v)
    experience = play_fast(env, policy, 5, np.random.default_rng(1))
    total, squares = np.zeros(25), np.zeros(25)
    for k in range(len(experience.state)):
        answer = v - sa.td(v, type(experience)(*(column[k : k + 1] for column in experience)), 1.0, 0.9)[1]
        assert (np.delete(answer, experience.state[k]) == 0).all()
        total += answer
        squares += answer**2
    n = np.bincount(experience.state, minlength=25)
    error = np.sqrt((squares / n - (total / n) ** 2) / n)
    assert (np.abs(total / n - g) < 4 * error).all() and n.min() > 120
    assert np.abs(state_values(mdp, policy, 0.9) - (r + 0.9 * P @ state_values(mdp, policy, 0.9))).max() < 1e-12  # its root


def test_td_with_steps_that_die_out_reaches_the_values():
    env = RandomWalk(5, 1)
    mdp = env.mdp()
    v = state_values(mdp, uniform_policy(mdp), 1.0)
    errors = []
    for seed in range(4):
        experience = play_fast(env, uniform_policy(mdp), 1000, np.random.default_rng(seed))
        history = sa.td(np.zeros(7), experience, lambda k: 50 / (k + 500), 1.0)
        errors.append(np.sqrt(np.mean((history[-1] - v)[1:-1] ** 2)))
    assert max(errors) < 0.06 and np.mean(errors) < 0.04


# ---- another distribution


def test_importance_sampling_of_chapter_10():
    x, p0, p1 = np.array([1.0, -1.0]), np.array([0.5, 0.5]), np.array([0.8, 0.2])
    both = sa.importance_terms(x, p0, p1, np.array([0, 1]))
    np.testing.assert_allclose(both, [0.625, -2.5], rtol=1e-15)
    mean, plain = p1 @ both, p1 @ x
    np.testing.assert_allclose([plain, mean], [0.6, 0], atol=1e-15)
    np.testing.assert_allclose([p1 @ (x - plain) ** 2, p1 @ (both - mean) ** 2], [0.64, 1.5625], rtol=1e-14)
    drawn = np.random.default_rng(0).choice(2, 40_000, p=p1)
    assert abs(sa.incremental_mean(x[drawn])[-1] - 0.6) < 4 * np.sqrt(0.64 / 40_000)
    terms = sa.importance_terms(x, p0, p1, drawn)
    assert abs(sa.incremental_mean(terms)[-1]) < 4 * np.sqrt(1.5625 / 40_000) and abs(terms.var() - 1.5625) < 0.05


def test_an_outcome_that_is_never_drawn_is_missing():
    x, p0 = np.array([1.0, -1.0]), np.array([0.5, 0.5])
    terms = sa.importance_terms(x, p0, np.array([1.0, 0.0]), np.zeros(50, int))
    np.testing.assert_array_equal(terms, np.full(50, 0.5))  # not 0, and no sample tells
    with pytest.raises(ValueError, match="no probability"):
        sa.importance_terms(x, p0, np.array([1.0, 0.0]), np.array([1]))
    for numbers, drawn in ((x, [-1]), (x, [2]), (x, [True, False]), (np.ones(3), [1]), (x, [0.5])):
        with pytest.raises(ValueError, match=r"x must be \(K,\) = \(2,\), drawn integers of 0 ... 1"):
            sa.importance_terms(numbers, p0, p0, drawn)
    with pytest.raises(ValueError, match="sums to"):
        sa.importance_terms(x, p0, np.array([0.7, 0.2]), np.array([1]))


# ---- the three conditions


def wanders(w, n, rng):
    """Errors of mean 0, but each foretells the next."""
    eta = rng.standard_normal(n + 1)
    return eta[1:] + eta[:-1]


SLOPE, SUM, SQUARES, MEAN, VARIANCE = (
    "(a) slope",
    "(b) sum of a_k",
    "(b) sum of a_k^2",
    "(c) mean of the noise",
    "(c) variance of the noise",
)


@pytest.mark.parametrize("g, a, noise, fails, open_", [
    (lambda w: w - 1, sa.harmonic, normal, [], []),
    (lambda w: w + np.sin(w) / 2, lambda k: k**-0.6, lambda w, n, rng: (1 + abs(w)) * rng.uniform(-1, 1, n), [], []),
    (cube, sa.harmonic, normal, [SLOPE], []),
    (lambda w: np.tanh(w - 1), lambda k: 1 / (k + 1), lambda w, n, rng: np.zeros(n), [SLOPE], []),
    (lambda w: 1 - w, sa.harmonic, normal, [SLOPE], []),
    (np.sign, sa.harmonic, normal, [SLOPE], []),
    (lambda w: w, 0.1, normal, [SQUARES], []),
    (lambda w: w, lambda k: k**-0.5, normal, [SQUARES], []),
    (lambda w: w, lambda k: k**-2.0, normal, [SUM], []),
    (lambda w: w, lambda k: 0.9**k, normal, [SUM], []),
    (lambda w: w, lambda k: 1 / (k * np.log(k + 1)), normal, [], [SUM]),
    (lambda w: w, sa.harmonic, lambda w, n, rng: rng.standard_normal(n) + 0.1 * (w > 1), [MEAN], []),
    (lambda w: w, sa.harmonic, wanders, [MEAN], []),
    (lambda w: w, sa.harmonic, lambda w, n, rng: rng.standard_cauchy(n), [VARIANCE], [MEAN]),
    (lambda w: -w, lambda k: 0.1, lambda w, n, rng: rng.standard_normal(n) - 1, [SLOPE, SQUARES, MEAN], []),
])  # fmt: skip
def test_the_conditions_say_which_one_fails(g, a, noise, fails, open_):
    for seed in range(2):
        found = sa.conditions(g, a, noise, -2.5, 3.0, np.random.default_rng(seed))
        assert [finding.condition for finding in found] == [SLOPE, SUM, SQUARES, MEAN, VARIANCE]
        assert sa.failing(found) == fails
        assert [finding.condition for finding in found if finding.holds is None] == open_


def test_what_the_conditions_have_seen():
    slope, total, squares, *_ = sa.conditions(cube, sa.harmonic, normal, 1, 3, np.random.default_rng(0))
    assert slope.seen.startswith("slope 3.01 to 27 in [1, 3]") and slope.seen.endswith("bounded only while w stays inside")
    harmonic = np.log(65_536) + np.euler_gamma
    assert total.seen.startswith(f"{harmonic:.4g} ") and squares.seen.startswith(f"{np.pi**2 / 6:.4g} ")
    n = 65_536
    terms = 1 / np.arange(1, n + 1)
    assert abs(terms.sum() - np.log(n) - 0.57722) < 1e-4 and abs((terms**2).sum() - np.pi**2 / 6) < 2e-5  # Zhao, section 6.2


def test_the_checker_refuses_what_it_cannot_look_at():
    with pytest.raises(ValueError, match="low must be less"):
        sa.conditions(cube, sa.harmonic, normal, 3, 1, np.random.default_rng(0))
    for noise in (lambda w, n, rng: 0.0, lambda w, n, rng: np.full(n, np.nan)):
        with pytest.raises(ValueError, match="finite numbers"):
            sa.conditions(cube, sa.harmonic, noise, 1, 3, np.random.default_rng(0))


# ---- the chapter


def test_what_the_chapter_says_of_the_literal_steps():
    w = sa.robbins_monro(lambda w, k: cube(w) + NOISE[k - 1], 0.0, sa.harmonic, 7)
    assert round(w[2]) == -22 and round(w[2] ** 3, -2) == -10_900 and round(w[3]) == 3610
    x = np.random.default_rng(0).standard_normal(10) + 3
    np.testing.assert_allclose(sa.incremental_mean(x, lambda k: 1 / (k + 1))[-1], x.mean() * 10 / 11, rtol=1e-12)


@pytest.mark.proof
def test_debug_run_draws_its_picture_with_kernels_as_plain_python(tmp_path):
    env = {**os.environ, "PYTHONIOENCODING": "cp936:strict", "PYTHONPATH": str(ROOT_FOLDER)}
    command = [sys.executable, "-m", "examples.stochastic_approximation", "--debug"]
    done = subprocess.run(command, check=False, cwd=tmp_path, env=env, capture_output=True)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    out = done.stdout.decode(errors="replace")
    assert "the same bits: True" in out and "1.5625" in out and "71.5 %" in out
    assert (tmp_path / "figures" / "stochastic_approximation.png").stat().st_size > 20_000
