"""Policy gradients in finite worlds, against the exact gradient: the theorem, REINFORCE, baselines, QAC and A2C; the short corridor."""

import numpy as np
import pytest

from minigrad import Tensor, grad, gradcheck
from rl import policies
from rl import policy_gradient as pg
from rl.envs import TabularEnvironment
from rl.envs.short_corridor import BEST_RIGHT, BEST_VALUE, ShortCorridor
from rl.mdp import action_values, state_values


def world(limit=200):
    """Five states, the last terminal, two actions with two outcomes each: an environment, and features X (S, A, K) of no pattern."""
    rng = np.random.default_rng(0)
    next_state, probability = rng.integers(5, size=(5, 2, 2)), rng.dirichlet(np.ones(2), (5, 2))
    next_state[:, :, 0] = np.where(rng.random((5, 2)) < 0.5, 4, next_state[:, :, 0])  # so that it ends soon
    env = TabularEnvironment(
        next_state, probability, rng.standard_normal((5, 2, 2)), np.arange(5) == 4, [0.5, 0.3, 0.2, 0, 0], limit
    )
    return env, rng.standard_normal((5, 2, 3))


def log_policy(theta, X, s, a):
    h = X[s] @ theta
    return h[a] - np.log(np.exp(h).sum())


def central(f, theta, eps=1e-6):
    """Central differences of f (K,)."""
    return np.array([(f(theta + e) - f(theta - e)) / (2 * eps) for e in eps * np.eye(len(theta))])


# ---- the policy and its score


def test_softmax_and_score_by_hand_and_at_preferences_of_1000():
    X = np.array([[[1.0, 0.0], [0.0, 1.0]]])  # one state, two actions, each with a parameter of its own
    theta = np.array([0.0, np.log(3.0)])
    np.testing.assert_allclose(pg.softmax_policy(theta, X), [[0.25, 0.75]], rtol=1e-14)
    np.testing.assert_allclose(pg.scores(theta, X), [[[0.75, -0.75], [-0.25, 0.25]]], rtol=1e-14)
    np.testing.assert_array_equal(pg.softmax_policy(np.array([1000.0, -1000.0]), X), [[1, 0]])


def test_scores_are_the_slopes_of_the_logarithm_and_have_mean_zero():
    _, X = world()
    theta = np.array([0.3, -0.8, 0.5])
    score, policy = pg.scores(theta, X), pg.softmax_policy(theta, X)
    for s, a in np.ndindex(policy.shape):
        np.testing.assert_allclose(score[s, a], central(lambda th: log_policy(th, X, s, a), theta), rtol=1e-7, atol=1e-9)  # noqa: B023
    np.testing.assert_allclose(np.einsum("sa,sak->sk", policy, score), 0, atol=1e-15)


def test_the_compiled_policy_and_its_step_are_the_same():
    _, X = world()
    theta, p, n = np.array([0.3, -0.8, 0.5]), np.empty(2), 8_000
    for s in range(5):
        pg.probabilities(theta, X, s, p)
        np.testing.assert_allclose(p, pg.softmax_policy(theta, X)[s], rtol=1e-14)
        moved = theta.copy()
        pg.climb(moved, X, s, 1, 0.7, p)
        np.testing.assert_allclose(moved - theta, 0.7 * pg.scores(theta, X)[s, 1], rtol=1e-12, atol=1e-15)
    rng = np.random.default_rng(1)
    share = np.mean([pg.choose(theta, X, 4, p, rng) for _ in range(n)])
    assert abs(share - p[1]) < 4 * np.sqrt(p[0] * p[1] / n)


# ---- the theorem


@pytest.mark.parametrize("gamma", [0.0, 0.7, 1.0])
def test_the_policy_gradient_theorem_is_the_slope_of_the_exact_value(gamma):
    env, X = world()
    mdp, theta = env.mdp(), np.array([0.3, -0.8, 0.5])
    J = lambda th: env.start @ state_values(mdp, pg.softmax_policy(th, X), gamma)
    exact = pg.exact_gradient(mdp, theta, X, env.start, gamma)
    np.testing.assert_allclose(exact, central(J, theta), rtol=1e-6, atol=1e-9)
    assert np.abs(exact).max() > 0.05


def test_visits_are_discounted_shares_of_time():
    env, X = world()
    mdp, policy = env.mdp(), pg.softmax_policy(np.array([0.3, -0.8, 0.5]), X)
    P, expected, now = np.einsum("sa,san->sn", policy, mdp.P), np.zeros(5), env.start * ~mdp.terminal
    for t in range(3000):
        expected += 0.9**t * now
        now = now @ P * ~mdp.terminal
    np.testing.assert_allclose(pg.visits(mdp, policy, env.start, 0.9), expected, rtol=1e-12)
    v = state_values(mdp, policy, 0.9)
    assert pg.visits(mdp, policy, env.start, 0.9) @ (policy * mdp.R).sum(axis=1) == pytest.approx(env.start @ v)


def test_any_baseline_leaves_the_gradient_and_the_optimal_one_scatters_least():
    env, X = world()
    theta, rng = np.array([0.3, -0.8, 0.5]), np.random.default_rng(2)
    mdp, policy, score = env.mdp(), pg.softmax_policy(theta, X), pg.scores(theta, X)
    v = state_values(mdp, policy, 0.9)
    q = action_values(mdp, v, 0.9)

    def spread(b):
        """Second moment of (q − b) ∇ ln π over the actions, and its mean, in each state."""
        g = (q - b[:, None])[:, :, None] * score
        return np.einsum("sa,sak->s", policy, g**2), np.einsum("sa,sak->sk", policy, g)

    best = pg.optimal_baseline(policy, score, q)
    for b in (np.zeros(5), v, rng.standard_normal(5), best + 0.01, best - 0.01):
        np.testing.assert_allclose(spread(b)[1], spread(best)[1], atol=1e-14)
        assert (spread(b)[0] >= spread(best)[0] - 1e-15).all()
    assert (spread(best + 0.01)[0] > spread(best)[0]).all()
    by_hand = (policy * (score**2).sum(axis=2) * q).sum(axis=1) / (policy * (score**2).sum(axis=2)).sum(axis=1)
    np.testing.assert_allclose(best, by_hand, rtol=1e-12)
    np.testing.assert_allclose(pg.optimal_baseline(policy, np.zeros_like(score), q), (policy * q).sum(axis=1))


# ---- REINFORCE, one episode


def test_reinforce_by_hand():
    """Three steps that pay 1, 2, 4, gamma = 1/2: g = 3, 4, 4. One state, two actions, a parameter for each; alpha so small that
    theta stays where it is to first order."""
    X, Phi, p = np.eye(2)[None], np.ones((1, 1)), np.empty(2)
    states, actions, rewards = np.zeros(3, int), np.array([0, 1, 0]), np.array([1.0, 2.0, 4.0])
    alpha = 1e-9
    theta, w = np.zeros(2), np.zeros(1)
    pg.reinforce_update(theta, w, X, Phi, states, actions, rewards, alpha, 0.0, 0.5, p)
    half = 0.5 * (3 * 1 - 4 * 0.5 + 4 * 0.25)  # the score of action 0 is (½, −½), that of 1 its opposite
    np.testing.assert_allclose(theta / alpha, [half, -half], rtol=1e-6)
    assert w[0] == 0
    theta, w = np.zeros(2), np.zeros(1)
    pg.reinforce_update(theta, w, X, Phi, states, actions, rewards, alpha, 0.5, 0.5, p)
    assert w[0] == 0 + 1.5 + 1.25 + 0.625  # half of each error: 3 − 0, 4 − 1.5, 4 − 2.75
    half = 0.5 * (3 * 1 - 2.5 * 0.5 + 1.25 * 0.25)  # the baseline is the one before this step's change
    np.testing.assert_allclose(theta / alpha, [half, -half], rtol=1e-6)


@pytest.mark.parametrize("method, gamma", [("reinforce", 0.8), ("baseline", 0.8), ("reinforce", 1.0)])
def test_the_mean_of_many_episodes_is_the_exact_gradient(method, gamma):
    """With a step of 1e-9 the policy stays what it is, so the sum of all steps is the mean estimate times their number."""
    env, X = world()
    theta, episodes, alpha = np.array([0.3, -0.8, 0.5]), 4000, 1e-9
    critic = {"Phi": np.eye(5), "alpha_w": 0.01} if method == "baseline" else {}
    blocks = []
    for block in range(10):
        rng = np.random.default_rng(block)
        learned = pg.learn(env, X, episodes // 10, method=method, alpha=alpha, gamma=gamma, rng=rng, theta=theta, **critic)
        blocks.append((learned.theta - theta) / alpha / (episodes // 10))
    mean, error = np.mean(blocks, axis=0), np.std(blocks, axis=0, ddof=1) / np.sqrt(10)
    exact = pg.exact_gradient(env.mdp(), theta, X, env.start, gamma)
    assert (np.abs(mean - exact) < 3 * error + 1e-5).all()
    assert (error < 0.2 * np.abs(exact).max()).all() and np.abs(
        mean
    ).max() > 5 * error.max()  # so that the line above says something


def test_a_baseline_of_v_scatters_less_and_has_the_same_mean():
    env, X = world()
    theta = np.array([0.3, -0.8, 0.5])
    v = state_values(env.mdp(), pg.softmax_policy(theta, X), 0.9)
    sums = []
    for w in (np.zeros(1), np.ones(1)):  # v̂ = 0, and v̂ = v: the exact values as the only feature
        rng, p, rows = np.random.default_rng(3), np.empty(2), []
        for _ in range(1500):
            s, states, actions, rewards = env.reset(seed=int(rng.integers(2**31)))[0], [], [], []
            done = False
            while not done:
                a = pg.choose(theta, X, s, p, rng)
                states, actions = [*states, s], [*actions, a]
                s, r, terminated, truncated, _ = env.step(a)
                rewards, done = [*rewards, r], terminated or truncated
            moved = theta.copy()
            columns = np.array(states), np.array(actions), np.array(rewards)
            pg.reinforce_update(moved, w.copy(), X, v[:, None].copy(), *columns, 1e-9, 0.0, 0.9, p)
            rows.append((moved - theta) / 1e-9)
        sums.append(np.array(rows))
    plain, based = (x.var(axis=0).sum() for x in sums)
    assert based < 0.9 * plain
    error = np.sqrt(sum(x.var(axis=0) / len(x) for x in sums))
    assert (np.abs(sums[0].mean(axis=0) - sums[1].mean(axis=0)) < 3 * error).all()


# ---- QAC and A2C, one step


@pytest.mark.parametrize("terminated", [False, True])
def test_a2c_by_hand(terminated):
    X, theta, W, p = np.tile(np.eye(2), (2, 1, 1)), np.array([0.0, np.log(3.0)]), np.array([[2.0, 5.0]]), np.empty(2)
    pg.actor_critic_update(pg.A2C, theta, W, X, np.eye(2), 0, 1, 3.0, 1, 0, terminated, 0.1, 0.5, 0.25, 0.5, p)
    delta = 3 + (0 if terminated else 0.5 * 5) - 2
    np.testing.assert_allclose(theta, [0.1 * 0.25 * delta * -0.25, np.log(3) + 0.1 * 0.25 * delta * 0.25], rtol=1e-13)
    np.testing.assert_allclose(W, [[2 + 0.5 * delta, 5]], rtol=1e-13)


@pytest.mark.parametrize("terminated", [False, True])
def test_qac_by_hand(terminated):
    X, theta, p = np.tile(np.eye(2), (2, 1, 1)), np.array([0.0, np.log(3.0)]), np.empty(2)
    W = np.array([[1.0, 7.0], [2.0, 9.0]])  # W[a, s]
    pg.actor_critic_update(pg.QAC, theta, W, X, np.eye(2), 0, 1, 3.0, 1, 0, terminated, 0.1, 0.5, 0.25, 0.5, p)
    delta = 3 + (0 if terminated else 0.5 * 7) - 2  # q(s', a') = W[0, 1], q(s, a) = W[1, 0]
    np.testing.assert_allclose(theta, [0.1 * 0.25 * 2 * -0.25, np.log(3) + 0.1 * 0.25 * 2 * 0.25], rtol=1e-13)  # Ψ = q before
    np.testing.assert_allclose(W, [[1, 7], [2 + 0.5 * delta, 9]], rtol=1e-13)


@pytest.mark.parametrize("method", ["qac", "a2c"])
def test_critics_learn_the_values_of_a_policy_that_stands_still(method):
    """α = 0: only the critic moves. Its mean over the second half of its way is the exact v or q, within what the step leaves."""
    env, X = world()
    theta = np.array([0.3, -0.8, 0.5])
    learned = pg.learn(
        env, X, 30_000, method=method, alpha=0.0, alpha_w=0.01, gamma=0.9, rng=np.random.default_rng(0), theta=theta, Phi=np.eye(5)
    )
    v = state_values(env.mdp(), pg.softmax_policy(theta, X), 0.9)
    seen = pg.visits(env.mdp(), pg.softmax_policy(theta, X), env.start, 1.0) > 0.05
    exact = v if method == "a2c" else action_values(env.mdp(), v, 0.9).T
    np.testing.assert_allclose(learned.W[..., seen], exact[..., seen], atol=0.15)
    np.testing.assert_array_equal(learned.theta, theta)


# ---- the short corridor


def test_the_corridor_has_the_values_of_the_book():
    env = ShortCorridor()
    for p, v in ((BEST_RIGHT, BEST_VALUE), (0.95, -44.2105263), (0.05, -82.1052632), (0.5, -12.0)):
        assert state_values(env.mdp(), np.tile([1 - p, p], (4, 1)), 1.0)[0] == pytest.approx(v, rel=1e-8)
        assert env.value(p) == pytest.approx(v, rel=1e-8)
    assert BEST_RIGHT == pytest.approx(0.585786, abs=5e-7) and BEST_VALUE == pytest.approx(-11.656854, abs=5e-7)
    assert (env.value(np.linspace(0.01, 0.99, 99)) <= BEST_VALUE).all() and env.value(0.0) == env.value(1.0) == -np.inf
    for p in (1.5, [0.5, -0.1], np.nan):
        with pytest.raises(ValueError, match="p must lie between 0 and 1"):
            env.value(p)
    env.reset(seed=0)
    assert env.render().shape == (24, 96, 3)
    assert [env.step(a)[0] for a in (0, 1, 1, 1, 0, 1)] == [0, 1, 0, 1, 2, 3]  # the wall; in the second cell right is left


def test_in_the_corridor_the_exact_gradient_is_that_of_the_formula_and_vanishes_at_the_best():
    env = ShortCorridor()
    for p in (0.3, BEST_RIGHT, 0.9):
        slope = central(lambda th: env.value(1 / (1 + np.exp(th[0] - th[1]))), theta := np.array([0.0, np.log(p / (1 - p))]))
        exact = pg.exact_gradient(env.mdp(), theta, env.features, env.start, 1.0)
        np.testing.assert_allclose(exact, slope, rtol=1e-6, atol=1e-6)
        assert np.sign(np.round(exact[1], 6)) == np.sign(np.round(BEST_RIGHT - p, 6))


def test_reinforce_finds_the_random_policy_of_the_corridor():
    """From P(right) = .05, value −82, ten seeds; the mean of 10 · 100 episodes, within what those scatter."""
    env, theta = ShortCorridor(1000), np.array([np.log(19), 0.0])
    for method, steps in (("reinforce", {"alpha": 2.0**-13}), ("baseline", {"alpha": 2.0**-9, "alpha_w": 2.0**-6})):
        runs = [
            pg.learn(env, env.features, 1500, method=method, rng=np.random.default_rng(seed), theta=theta, **steps)
            for seed in range(10)
        ]
        first, last = (np.array([x.returns[rows].mean() for x in runs]) for rows in (slice(0, 20), slice(-100, None)))
        assert first.mean() < -20 and abs(last.mean() - BEST_VALUE) < 1.2, method
        p = [pg.softmax_policy(x.theta, env.features)[0, 1] for x in runs]
        assert 0.45 < np.mean(p) < 0.7 and env.value(np.mean(p)) > BEST_VALUE - 0.6
        exact = np.array([env.value(x) for x in p])
        assert np.median(exact) > -11.8


@pytest.mark.parametrize("method, alpha", [("qac", 2.0**-12), ("a2c", 2.0**-9)])
def test_critics_that_see_the_cells_help_a_policy_that_does_not(method, alpha):
    env, theta = ShortCorridor(1000), np.array([np.log(19), 0.0])
    for seed in range(3):
        rng, steps = np.random.default_rng(seed), {"alpha": alpha, "alpha_w": 2.0**-4}
        learned = pg.learn(env, env.features, 4000, method=method, rng=rng, theta=theta, Phi=np.eye(4), **steps)
        assert env.value(pg.softmax_policy(learned.theta, env.features)[0, 1]) > -12.2


def test_same_seed_same_bits_and_theta_is_not_touched():
    env, X = world()
    theta = np.zeros(3)
    settings = {"method": "a2c", "alpha": 0.1, "alpha_w": 0.1, "gamma": 0.9, "theta": theta}
    one, two, other = (pg.learn(env, X, 20, **settings, rng=np.random.default_rng(seed)) for seed in (0, 0, 1))
    for a, b in zip(one, two):
        np.testing.assert_array_equal(a, b)
    assert (one.theta != other.theta).all() and (theta == 0).all()


def test_bad_arguments_say_what_is_wrong():
    env, X = world()
    rng = np.random.default_rng(0)
    for message, keywords in (
        ("method must be one of reinforce, baseline, qac, a2c, not 'ppo'", {"method": "ppo"}),
        (r"X and Phi must have shapes \(S, A, K\) and \(S, F\), S, A = \(5, 2\), not \(4, 2, 3\)", {"X": X[:4]}),
        ("X and Phi must have shapes", {"Phi": np.eye(4)}),
        (r"theta must have shape \(K,\) = \(3,\), not \(2,\)", {"theta": np.zeros(2)}),
        ("reinforce has no critic: leave alpha_w out", {"alpha_w": 0.1}),
        ("reinforce: give the environment max_episode_steps", {"env": world(None)[0]}),
        ("a2c: give the environment max_episode_steps", {"env": world(None)[0], "method": "a2c"}),
        ("alpha must be a finite number", {"alpha": np.nan}), ("alpha must be a finite number", {"alpha": -1}),
        ("X, Phi and theta must be finite", {"theta": np.full(world()[1].shape[2], np.nan)}),
        ("gamma must lie between 0 and 1, not 1.5", {"gamma": 1.5}),
        ("episodes must be an integer of at least 1, not 0", {"episodes": 0}),
    ):
        with pytest.raises(ValueError, match=message):
            pg.learn(**({"env": env, "X": X, "episodes": 2, "alpha": 0.1, "rng": rng} | keywords))
    with pytest.raises(ValueError, match="start"):
        pg.visits(env.mdp(), np.full((5, 2), 0.5), np.ones(5), 0.9)


# ---- distributions of networks


def test_categorical_by_hand_and_at_1000():
    logits = np.log([[1.0, 3.0], [2.0, 2.0]])
    np.testing.assert_allclose(policies.categorical_log_prob(logits, np.array([1, 0])), np.log([0.75, 0.5]), rtol=1e-14)
    expected = [-(0.25 * np.log(0.25) + 0.75 * np.log(0.75)), np.log(2)]
    np.testing.assert_allclose(policies.categorical_entropy(logits), expected, rtol=1e-14)
    extreme = np.array([[1000.0, -1000.0]])
    np.testing.assert_array_equal(policies.categorical_log_prob(extreme, np.array([1])), [-2000])
    np.testing.assert_array_equal(policies.categorical_entropy(extreme), [0])


def integral(log_prob, low, high, n=20_001):
    """Of a density in one dimension, by the midpoint rule."""
    x = low + (high - low) * (np.arange(n) + 0.5) / n
    return np.exp(log_prob(x[:, None])).sum() * (high - low) / n


def test_all_b_squared_pairs_are_refused():
    with pytest.raises(ValueError, match=r"actions and means must be \(B, m\), not \(4,\) and \(4, 1\)"):
        policies.gaussian_log_prob(np.zeros(4), np.zeros((4, 1)), np.zeros(1))
    for a in (np.zeros((4, 1), int), np.full(4, -1), np.full(4, 3)):
        with pytest.raises(ValueError, match=r"actions must be \(B,\) = \(4,\) numbers of 0 ... 2"):
            policies.categorical_log_prob(np.zeros((4, 3)), a)


def test_gaussian_densities_sum_to_one_and_have_their_entropy():
    mean, log_std = np.array([[0.3]]), np.array([-0.7])
    density = lambda x: policies.gaussian_log_prob(x, mean, log_std)
    assert integral(density, -5, 5) == pytest.approx(1, abs=1e-9)
    x = np.linspace(-5, 5, 20_001)[:, None]
    entropy = -(np.exp(density(x)) * density(x)).sum() * 10 / 20_000
    assert policies.gaussian_entropy(log_std) == pytest.approx(entropy, abs=1e-9)
    two = policies.gaussian_log_prob(np.array([[1.0, 2.0]]), np.array([[0.0, 4.0]]), np.log([1.0, 2.0]))
    assert two[0] == pytest.approx(-0.5 - 0.5 - np.log(2) - np.log(2 * np.pi))


@pytest.mark.parametrize("mean, log_std", [(0.0, 0.0), (1.0, -0.5), (-0.4, 0.5)])
def test_the_squashed_density_sums_to_one_over_minus_one_to_one(mean, log_std):
    density = lambda a: policies.squashed_gaussian_log_prob(np.arctanh(a), np.array([[mean]]), np.array([log_std]))
    assert integral(density, -1, 1, 200_001) == pytest.approx(1, abs=2e-3)
    rng = np.random.default_rng(0)
    a = np.tanh(mean + np.exp(log_std) * rng.standard_normal(40_000))
    share = np.mean((a > 0.2) & (a < 0.7))  # and it is the density of tanh(u)
    assert integral(density, 0.2, 0.7) == pytest.approx(share, abs=4 * np.sqrt(0.25 / 40_000))


def test_the_squashed_density_is_right_where_tanh_is_one():
    for dtype, tolerance in ((np.float32, 1e-5), (np.float64, 1e-13)):
        u = np.array([[-50.0], [-9.5], [0.0], [9.5], [50.0]], dtype)
        got = policies.squashed_gaussian_log_prob(u, np.zeros((5, 1), dtype), np.zeros(1, dtype))
        x = u[:, 0].astype(np.float64)
        expected = -0.5 * x**2 - 0.5 * np.log(2 * np.pi) + 2 * np.log(np.cosh(x))  # 1 − tanh² = 1 / cosh²
        np.testing.assert_allclose(got, expected, rtol=tolerance)
        assert got.dtype == dtype


def test_gradients_of_the_distributions():
    rng = np.random.default_rng(0)
    a, mean, log_std = rng.standard_normal((4, 2)), rng.standard_normal((4, 2)), rng.standard_normal(2)
    for density in (policies.gaussian_log_prob, policies.squashed_gaussian_log_prob):
        gradcheck(density, [a, mean, log_std], rng=rng)
    gradcheck(policies.gaussian_entropy, [log_std], rng=rng)
    logits, chosen = rng.standard_normal((4, 3)), np.array([0, 2, 1, 1])
    gradcheck(lambda x: policies.categorical_log_prob(x, chosen), [logits], rng=rng)
    gradcheck(policies.categorical_entropy, [logits], rng=rng)
    t = Tensor(logits, requires_grad=True)
    (slope,) = grad(policies.categorical_log_prob(t, chosen).sum(), t)
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(slope.data, np.eye(3)[chosen] - p, rtol=1e-12)  # the score: one-hot minus π


def test_policies_draw_what_their_log_prob_says():
    rng, n = np.random.default_rng(0), 20_000
    policy = policies.Categorical(2, 3, (8,), rng, np.float64)
    policy.net.theta.data = policy.net.theta.data + 0.5 * rng.standard_normal(policy.net.theta.shape)
    s = np.tile([[0.5, -1.0]], (n, 1))
    p = np.exp([policy.log_prob(s[:1], np.array([a]))[0].data[0] for a in range(3)])
    share = np.bincount(policy.draw(s, rng), minlength=3) / n
    np.testing.assert_allclose(share, p, atol=4 * np.sqrt(0.25 / n))
    assert p.sum() == pytest.approx(1) and policy.best(s[:1])[0] == p.argmax()
    gauss = policies.Gaussian(2, 3, (8,), rng, np.float64, log_std=-0.5)
    a = gauss.draw(s, rng)
    np.testing.assert_allclose(a.mean(axis=0), gauss.best(s[:1])[0], atol=4 * np.exp(-0.5) / np.sqrt(n))
    np.testing.assert_allclose(a.std(axis=0), np.exp(-0.5), rtol=4 / np.sqrt(2 * n))
    log_prob, entropy = gauss.log_prob(s, a)
    assert -log_prob.data.mean() == pytest.approx(entropy.data, abs=4 * np.sqrt(1.5 / n))  # the entropy is the mean of −ln π
