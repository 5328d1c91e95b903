"""n-step TD and n-step Sarsa: by hand, at their limits, at the ends of episodes, and beside other programs' numbers."""

import numpy as np
import pytest

from rl import episodes as ep
from rl import linear_control as lc
from rl import linear_value as lv
from rl import sarsa
from rl.envs import GridWorld, RandomWalk, TabularEnvironment
from rl.envs.mountain_car import MountainCar
from rl.features import TileCoding, fourier, polynomial, rows
from rl.n_step import n_step_sarsa, n_step_td, new_window

TILES = TileCoding([-1.2, -0.07], [0.5, 0.07])
FEW = TileCoding([-1.2, -0.07], [0.5, 0.07], tiles=3, tilings=4)  # 64 features: for kernels as plain Python
CAR = {"gamma": 1.0, "epsilon": 0.0}


def record(*steps):
    """An Experience from (s, r, s', terminated, truncated)."""
    return ep.Experience(*(np.array(column, kind) for column, kind in zip(zip(*steps), (int, float, int, bool, bool))))


def near(ours, fact, fact_error):
    """Whether the mean of our runs lies within three standard errors of the fact; both errors count."""
    return abs(ours.mean() - fact) < 3 * np.hypot(ours.std(ddof=1) / np.sqrt(len(ours)), fact_error)


# ---- by hand


REWARDS, V, HALF = [8.0, 16.0, 32.0, 64.0], np.array([1.0, 2.0, 4.0, 8.0, 16.0]), 0.5
BY_HAND = {  # the targets of s = 0 … 3 for n steps, γ = 1/2; the last is r₄ alone, or r₄ + v(4)/2
    1: ([8 + 1, 16 + 2, 32 + 4], 64 + 0),
    2: ([8 + 8 + 1, 16 + 16 + 2, 32 + 32], 64),
    3: ([8 + 8 + 8 + 1, 16 + 16 + 16, 32 + 32], 64),
    4: ([8 + 8 + 8 + 8, 16 + 16 + 16, 32 + 32], 64),
    5: ([8 + 8 + 8 + 8, 16 + 16 + 16, 32 + 32], 64),
}
CUT = {1: [9, 18, 36, 72], 2: [17, 34, 68, 72], 3: [25, 50, 68, 72], 4: [33, 50, 68, 72], 5: [33, 50, 68, 72]}  # γᵏ v(4)


@pytest.mark.parametrize("n", BY_HAND)
@pytest.mark.parametrize("truncated", [False, True])
def test_four_steps_by_hand(n, truncated):
    """α = 1 writes each target into the table. No state comes twice, and none is read after it was written."""
    steps = [(s, REWARDS[s], s + 1, s == 3 and not truncated, s == 3 and truncated) for s in range(4)]
    w = V.copy()
    history = n_step_td(w, rows(np.eye(5)), record(*steps), n, 1.0, HALF)
    first, last = BY_HAND[n]
    np.testing.assert_array_equal(w, [*(CUT[n] if truncated else [*first, last]), 16])
    np.testing.assert_array_equal(history, [w])


@pytest.mark.parametrize("n", BY_HAND)
@pytest.mark.parametrize("truncated", [False, True])
def test_n_step_sarsa_by_hand(n, truncated):
    """The same four steps, each with an action of its own: q̂(s, a) in W[a, s]."""
    W, window, one = np.zeros((2, 5)), new_window(n, 1), np.ones(1)
    actions = [0, 1, 1, 0, 1]
    W[actions, range(5)] = V
    for t in range(4):
        after, end = np.array([t + 1]), t == 3
        n_step_sarsa(W, window, t, np.array([t]), one, actions[t], REWARDS[t], after, one, actions[t + 1],
                     end and not truncated, end and truncated, 1.0, HALF)  # fmt: skip
        done = max(0, t - n + 2) if not end else 4  # s_τ is learned when s_{τ+n} is reached, not before
        np.testing.assert_array_equal(W[actions, range(5)][done:], V[done:])
        assert done == 0 or (W[actions, range(5)][:done] != V[:done]).all()
    first, last = BY_HAND[n]
    np.testing.assert_array_equal(W[actions, range(5)], [*(CUT[n] if truncated else [*first, last]), 16])
    W[actions, range(5)] = 0
    assert (W == 0).all()  # nothing else was touched


# ---- limits


def walk(episodes=30, seed=0, **keywords):
    return ep.play_fast(RandomWalk(9, 2, **keywords), np.ones((11, 1)), episodes, np.random.default_rng(seed))


@pytest.mark.parametrize("Phi", [np.eye(11), polynomial(2)(np.arange(11) / 10)])
@pytest.mark.parametrize("steps", [None, 7])
def test_one_step_is_td_bit_for_bit(Phi, steps):
    w, v = np.zeros(Phi.shape[1]), np.zeros(Phi.shape[1])
    ours = n_step_td(w, rows(Phi), walk(max_episode_steps=steps), 1, 0.1, 0.9)
    np.testing.assert_array_equal(ours, lv.td(v, rows(Phi), walk(max_episode_steps=steps), 0.1, 0.9))
    assert (ours[-1] != 0).any()


@pytest.mark.parametrize("n", [3, 7, 50, 10**9])
def test_each_update_is_the_definition(n):
    """Against equation 7.1, written out sum by sum; for n ≥ T each target is the return that follows. Episodes of 1 to 20 steps."""
    experience, gamma, alpha = walk(20, max_episode_steps=20), 0.9, 0.2
    state, reward, next_state, terminated, truncated = experience
    w, v, first, history = np.linspace(-1, 1, 11), np.linspace(-1, 1, 11), 0, []
    got = n_step_td(w, rows(np.eye(11)), experience, n, alpha, gamma)
    for last in np.flatnonzero(terminated | truncated):
        T = last + 1
        for t in range(first, T):
            k = min(n, T - t)
            g = sum(gamma**i * reward[t + i] for i in range(k))
            g += 0 if terminated[t + k - 1] else gamma**k * v[next_state[t + k - 1]]
            v[state[t]] += alpha * (g - v[state[t]])
        first = T
        history.append(v.copy())
    assert truncated.any() and terminated.any()
    np.testing.assert_allclose(got, history, rtol=1e-12, atol=1e-12)


def test_with_n_as_long_as_the_episode_it_is_monte_carlo():
    """A corridor, so that no state comes twice and the order of the updates does not matter."""
    rng = np.random.default_rng(0)
    steps = [(s, rng.standard_normal(), s + 1, s == 6, False) for s in range(7)] * 5
    w, v = np.zeros(8), np.zeros(8)
    ours = n_step_td(w, rows(np.eye(8)), record(*steps), 7, 0.3, 0.9)
    np.testing.assert_array_equal(ours, lv.gradient_monte_carlo(v, rows(np.eye(8)), record(*steps), 0.3, 0.9))


@pytest.mark.parametrize("n", [2, 5, 100])
def test_no_window_crosses_an_episode(n):
    """What comes after the end of an episode changes nothing that was learned in it."""
    alone, both = walk(1, seed=3, max_episode_steps=6), walk(9, seed=3, max_episode_steps=6)
    first = n_step_td(np.zeros(11), rows(np.eye(11)), alone, n, 0.5, 0.9)[0]
    other = both._replace(reward=np.where(np.arange(both.reward.size) < alone.reward.size, both.reward, 1e6))
    np.testing.assert_array_equal(n_step_td(np.zeros(11), rows(np.eye(11)), other, n, 0.5, 0.9)[0], first)


@pytest.mark.parametrize("n", [1, 3, 50])
def test_an_episode_that_the_clock_stops_is_not_over(n):
    """A world that pays 1 a step for ever: v = 1 / (1 − γ), for every n, wherever the clock stops."""
    N = 3000
    experience = record(*[(0, 1.0, 0, False, t % 7 == 6) for t in range(N)])
    w = np.zeros(1)
    n_step_td(w, rows(np.ones((1, 1))), experience, n, 0.1, 0.9)
    assert w[0] == pytest.approx(10, abs=1e-6)


# ---- n-step Sarsa


@pytest.mark.parametrize("limit", [70, 20_000])
@pytest.mark.parametrize("settings", [{"n": 1}, {"method": "accumulating"}, {"method": "replacing"}])
def test_one_step_sarsa_is_that_of_linear_control_bit_for_bit(limit, settings):
    one = lc.learn_fast(MountainCar(limit), FEW, 3, alpha=0.1, rng=np.random.default_rng(0))
    two = sarsa.learn_fast(MountainCar(limit), FEW, 3, alpha=0.1, **settings, rng=np.random.default_rng(0))
    assert (one.lengths < limit).any() == (limit > 70)  # the goal is reached, or the clock stops
    for a, b in zip(one, two):
        np.testing.assert_array_equal(a, b)


def noisy():
    """A small world whose actions sometimes do something else."""
    rng = np.random.default_rng(0)
    next_state, probability = rng.integers(6, size=(6, 3, 2)), np.full((6, 3, 2), 0.5)
    start = np.full(6, 1 / 5) * (np.arange(6) < 5)
    return TabularEnvironment(next_state, probability, rng.standard_normal((6, 3, 2)), np.arange(6) == 5, start, 9)


@pytest.mark.parametrize("n", [1, 2, 4, 20])
def test_sarsa_in_a_table_is_the_algorithm_of_section_7_2(n):
    """Sutton & Barto's pseudo-code line by line, with lists that never forget, and T where the clock stops, too."""
    env, alpha, gamma, epsilon = noisy(), 0.1, 0.9, 0.2
    learned = sarsa.learn(env, np.eye(6), 15, n=n, alpha=alpha, gamma=gamma, epsilon=epsilon, rng=np.random.default_rng(1))
    rng = np.random.default_rng(1)
    Q, seed, lengths = np.zeros((6, 3)), int(rng.integers(2**31)), []
    for episode in range(15):
        s, _ = env.reset(seed=seed if episode == 0 else None)
        S, A, R, T, t = [s], [lc.epsilon_greedy(Q[s], epsilon, rng)], [0.0], np.inf, 0
        while True:
            if t < T:
                s, r, terminated, truncated, _ = env.step(A[t])
                S.append(s)
                R.append(r)
                A.append(lc.epsilon_greedy(Q[s], epsilon, rng))
                if terminated or truncated:
                    T = t + 1
            tau = t - n + 1
            if tau >= 0:
                G = sum(gamma ** (i - tau - 1) * R[i] for i in range(tau + 1, min(tau + n, T) + 1))
                if tau + n < T or not terminated:
                    k = min(n, T - tau)
                    G += gamma**k * Q[S[tau + k], A[tau + k]]
                Q[S[tau], A[tau]] += alpha * (G - Q[S[tau], A[tau]])
            t += 1
            if tau == T - 1:
                break
        lengths.append(T)
    assert max(lengths) == 9 and min(lengths) < 9
    np.testing.assert_array_equal(learned.lengths, lengths)
    np.testing.assert_allclose(learned.W, Q.T, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("method, settings", [
    ("n_step", {"n": 1}), ("n_step", {"n": 5}),
    ("accumulating", {"lam": 0.7}), ("replacing", {"lam": 0.7}), ("true_online", {"lam": 0.7}),
])  # fmt: skip
def test_both_drivers_give_the_same_bits(method, settings):
    keywords = {"method": method, "alpha": 0.05, "gamma": 0.95, "epsilon": 0.2, **settings}
    slow = sarsa.learn(MountainCar(120), FEW, 4, **keywords, rng=np.random.default_rng(5))
    fast = sarsa.learn_fast(MountainCar(120), FEW, 4, **keywords, rng=np.random.default_rng(5))
    for a, b in zip(slow, fast):
        np.testing.assert_array_equal(a, b)
    assert (slow.W != 0).any()
    other = sarsa.learn_fast(MountainCar(120), FEW, 4, **keywords, rng=np.random.default_rng(6))
    assert (other.W != fast.W).any()


def test_learning_goes_on_from_given_weights_and_any_features_will_do():
    env, look = GridWorld(max_episode_steps=20), fourier(2)
    W = sarsa.learn(env, np.eye(25), 2, n=3, alpha=0.1, gamma=0.9, rng=np.random.default_rng(0)).W
    more = sarsa.learn(env, np.eye(25), 2, n=3, alpha=0.1, gamma=0.9, rng=np.random.default_rng(0), W=W)
    assert more.W is W
    car = sarsa.learn(MountainCar(30), lambda x: look(np.asarray(x, float)), 2, n=3, alpha=0.01, rng=np.random.default_rng(0))
    assert car.W.shape == (3, 9) and (car.lengths == 30).all() and (car.returns == -30).all()


# ---- what is refused


@pytest.mark.parametrize("keywords, message", [
    ({"method": "sarsa"}, "method must be one of n_step, accumulating, replacing, true_online, not 'sarsa'"),
    ({"n": 0}, "n must be an integer of at least 1, not 0"),
    ({"n": 1.5}, "n must be an integer of at least 1, not 1.5"),
    ({"lam": 1.1}, "lam must lie between 0 and 1, not 1.1"),
    ({"gamma": -1}, "gamma must lie between 0 and 1, not -1"),
    ({"epsilon": 2}, "epsilon must lie between 0 and 1, not 2"),
    ({"episodes": 0}, "episodes must be an integer of at least 1, not 0"),
    ({"W": np.zeros((3, 7))}, "W must be a float64 array of shape"),
    ({"W": [0.0]}, "W must be a float64 array of shape .* not list"),
    ({"alpha": -0.1}, "alpha must be a finite number of at least 0, not -0.1"),
    ({"alpha": np.nan}, "alpha must be a finite number of at least 0, not nan"),
])  # fmt: skip
@pytest.mark.parametrize("driver", [sarsa.learn, sarsa.learn_fast])
def test_bad_input_is_refused_by_name(driver, keywords, message):
    arguments = {"episodes": 1, "alpha": 0.1, "rng": np.random.default_rng(0)} | keywords
    with pytest.raises(ValueError, match=message):
        driver(MountainCar(5), TILES, **arguments)


@pytest.mark.parametrize("n", [np.inf, 2**62, 4.0])
def test_any_window_is_no_longer_than_the_record(n):
    experience = walk(20)
    longest = n if n < 100 else experience.state.size
    one, two = (n_step_td(np.zeros(11), rows(np.eye(11)), experience, each, 0.1, 0.9) for each in (n, int(longest)))
    np.testing.assert_array_equal(one, two)


def test_n_step_td_refuses_what_does_not_fit():
    for n in (0, -3, 2.7, np.nan):
        with pytest.raises(ValueError, match="n must be at least 1, a whole number or infinite"):
            n_step_td(np.zeros(11), rows(np.eye(11)), walk(1), n, 0.1, 0.9)
    for alpha in (-0.1, np.inf, np.nan):
        with pytest.raises(ValueError, match="alpha must be a finite number"):
            n_step_td(np.zeros(11), rows(np.eye(11)), walk(1), 2, alpha, 0.9)
    with pytest.raises(ValueError, match="w has fewer weights"):
        n_step_td(np.zeros(10), rows(np.eye(11)), walk(1), 2, 0.1, 0.9)
    three = TileCoding((-1.2, -0.07, 0), (0.5, 0.07, 1))
    with pytest.raises(ValueError, match="the tile coding has 3 coordinates, MountainCar has 2"):
        sarsa.learn_fast(MountainCar(5), three, 1, alpha=0.1, rng=np.random.default_rng(0))
    lengths = iter((3, 6))
    with pytest.raises(ValueError, match=r"equally many numbers for every observation, not \[3, 6\]"):
        sarsa.learn(MountainCar(5), lambda x: np.ones((1, next(lengths))), 1, n=2, alpha=0.1, rng=np.random.default_rng(0))
    with pytest.raises(TypeError, match="no compiled loop for GridWorld with these features: use learn"):
        sarsa.learn_fast(GridWorld(max_episode_steps=5), np.eye(25), 1, alpha=0.1, rng=np.random.default_rng(0))


@pytest.mark.parametrize("driver", [sarsa.learn, sarsa.learn_fast])
@pytest.mark.parametrize("settings", [{"n": 16}, {"method": "accumulating", "lam": 0.9}])
def test_weights_that_run_away_stop_it(driver, settings):
    with pytest.raises(FloatingPointError, match="the weights diverge"), np.errstate(all="ignore"):
        driver(MountainCar(1500), FEW, 3, alpha=3.0 / 4, **CAR, **settings, rng=np.random.default_rng(0))


# ---- what is learned


N_STEP = {1: (0.80, 0.3453), 2: (0.60, 0.2771), 4: (0.40, 0.2642), 8: (0.25, 0.2768), 16: (0.15, 0.3118)}


@pytest.mark.proof
@pytest.mark.parametrize("n", N_STEP)
def test_walk_of_19_states(n):
    """Figure 7.2 of Sutton & Barto: RMS error, mean over the states and the first 10 episodes; 400 runs beside 4,000 of
    another program, whose standard error is 0.0008 for n = 4; that error is taken for all n."""
    alpha, fact = N_STEP[n]
    v, env = np.arange(1, 20) / 10 - 1, RandomWalk(19, 1)
    got = []
    for seed in range(400):
        experience = ep.play_fast(env, np.ones((21, 1)), 10, np.random.default_rng(seed))
        history = n_step_td(np.zeros(21), rows(np.eye(21)), experience, n, alpha, 1.0)
        got.append(np.sqrt(np.mean((history[:, 1:20] - v) ** 2, axis=1)).mean())
    assert near(np.array(got), fact, 0.0008)
    assert np.std(got) / 20 < 0.004


def car(runs, episodes, share, **settings):
    """Steps of each episode, (runs, episodes)."""
    env, alpha = MountainCar(20_000), share / TILES.tilings
    rngs = map(np.random.default_rng, range(runs))
    return np.array([sarsa.learn_fast(env, TILES, episodes, alpha=alpha, **CAR, **settings, rng=rng).lengths for rng in rngs])


@pytest.mark.proof
@pytest.mark.parametrize(
    "n, share, fact, error", [(1, 1.3, 229.0, 0.5), (2, 1.1, 226.8, 0.5), (4, 0.8, 221.8, 0.9), (8, 0.5, 226.0, 2.0)]
)
def test_n_step_sarsa_on_mountain_car(n, share, fact, error):
    """Steps of an episode over the first 50; 60 runs beside 100 of another program."""
    assert near(car(60, 50, share, n=n).mean(axis=1), fact, error)


@pytest.mark.proof
def test_n_step_sarsa_on_mountain_car_later():
    """Episodes 401 to 500 with n = 8: fewer steps than one-step Sarsa ends with, 118.6 at the best. 30 runs."""
    late = car(30, 500, 0.3, n=8)[:, 400:].mean(axis=1)
    assert near(late, 109.2, 0.7) and late.mean() < 118.6
