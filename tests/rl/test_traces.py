"""TD(lambda), the off-line lambda-return and true online TD(lambda): by hand, at their limits, forward against backward view,
and beside another program's numbers."""

import numpy as np
import pytest

from rl import episodes as ep
from rl import linear_control as lc
from rl import linear_value as lv
from rl import sarsa
from rl.envs import RandomWalk, TabularEnvironment
from rl.envs.mountain_car import MountainCar
from rl.features import TileCoding, polynomial, rows
from rl.traces import ACCUMULATING, DUTCH, REPLACING, TRACES, lambda_return, mark, td_lambda, trace_step

TILES = TileCoding([-1.2, -0.07], [0.5, 0.07])
FEATURES = [np.eye(11), polynomial(2)(np.arange(11) / 10)]


def near(ours, fact, fact_error):
    """Whether the mean of our runs lies within three standard errors of the fact; both errors count."""
    return abs(ours.mean() - fact) < 3 * np.hypot(ours.std(ddof=1) / np.sqrt(len(ours)), fact_error)


def walk(episodes=30, seed=0, **keywords):
    return ep.play_fast(RandomWalk(9, 2, **keywords), np.ones((11, 1)), episodes, np.random.default_rng(seed))


def cut(experience):
    """(state, reward, next_state, terminated) of each episode."""
    ends = np.flatnonzero(experience.terminated | experience.truncated) + 1
    return list(zip(*(np.split(column, ends[:-1]) for column in experience[:4])))


# ---- by hand


MARKS = {"accumulating": [1, 1.8, 1.44, 2.152, 1.7216], "replacing": [1, 1, 0.8, 1, 0.8], "dutch": [1, 1.4, 1.12, 1.448, 1.1584]}


@pytest.mark.parametrize("name", TRACES)
def test_the_traces_of_the_docstring(name):
    """A state is seen at the times 0, 1 and 3; γλ = 0.8, α = 0.5. Here the three kinds differ."""
    z, seen, got = np.zeros(2), np.array([0]), []
    for t in range(5):
        z *= 0.8
        if t in (0, 1, 3):
            mark(TRACES[name], z, seen, np.ones(1), 0.5)
        got.append(z[0])
    np.testing.assert_allclose(got, MARKS[name], rtol=1e-12)
    assert z[1] == 0


def test_a_feature_of_value_zero_is_not_seen():
    """`rows` fills up with such features: a replacing trace must not be wiped out by them."""
    for trace in TRACES.values():
        z = np.array([0.3, 0.4])
        mark(trace, z, np.array([0, 1]), np.array([1.0, 0.0]), 0.1)
        assert z[1] == 0.4 and z[0] != 0.3


@pytest.mark.parametrize("trace, want", [(ACCUMULATING, 1.5), (REPLACING, 1.0), (DUTCH, 1.25)])
def test_a_state_seen_twice_by_hand(trace, want):
    """0 → 0 → end, rewards 4 and 8; w = 2, α = 1/2, γ = 1, λ = 1/2."""
    experience = ep.Experience(np.zeros(2, int), np.array([4.0, 8.0]), np.array([0, 1]), np.array([False, True]), np.zeros(2, bool))
    w = np.array([2.0, 0.0])
    td_lambda(w, rows(np.eye(2)), experience, trace, 0.5, 0.5, 1.0)
    first = 2 + 0.5 * (4 + 2 - 2)  # = 4
    second = first + 0.5 * (8 - first) * want
    if trace == DUTCH:  # v̂(0) has changed by 2 since it was a target: α · 2 · (z − φ)
        second += 0.5 * (first - 2) * (want - 1)
    assert w[0] == second and w[1] == 0


# ---- limits


@pytest.mark.parametrize("Phi", FEATURES)
@pytest.mark.parametrize("steps", [None, 7])
@pytest.mark.parametrize("trace", TRACES.values())
def test_lambda_0_is_td(Phi, steps, trace):
    """Bit for bit; with the correction of the dutch trace, to rounding."""
    w, v = np.zeros(Phi.shape[1]), np.zeros(Phi.shape[1])
    experience = walk(max_episode_steps=steps)
    ours = td_lambda(w, rows(Phi), experience, trace, 0.0, 0.1, 0.9)
    theirs = lv.td(v, rows(Phi), experience, 0.1, 0.9)
    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12 if trace == DUTCH else 0)
    np.testing.assert_array_equal(ours[-1], w)


def monte_carlo(w, Phi, experience, alpha, gamma):
    """`step_towards` the return, in the order of time; a truncated episode begins with v̂, as it was."""
    history = []
    for state, reward, next_state, terminated in cut(experience):
        g, returns = 0.0 if terminated[-1] else Phi[next_state[-1]] @ w, []
        for r in reward[::-1]:
            g = r + gamma * g
            returns.append(g)
        for s, g in zip(state, returns[::-1]):
            w = w + alpha * (g - Phi[s] @ w) * Phi[s]
        history.append(w)
    return np.array(history)


@pytest.mark.parametrize("Phi", FEATURES)
@pytest.mark.parametrize("steps", [None, 7])
def test_lambda_1_is_monte_carlo(Phi, steps):
    experience, w = walk(max_episode_steps=steps), np.zeros(Phi.shape[1])
    want = monte_carlo(w.copy(), Phi, experience, 0.05, 0.9)
    np.testing.assert_allclose(lambda_return(w.copy(), rows(Phi), experience, 1.0, 0.05, 0.9), want, rtol=1e-12, atol=1e-12)
    if steps is None:  # where the clock stops, the online algorithm's last target has the newest v̂
        got = td_lambda(w.copy(), rows(Phi), experience, DUTCH, 1.0, 0.05, 0.9)
        np.testing.assert_allclose(got, want, rtol=1e-10, atol=1e-12)


def test_lambda_1_off_line_backward_view_is_the_sum_of_monte_carlo_errors():
    """Σ_t α δ_t z_t = Σ_t α (G_t − v̂(s_t)) φ(s_t) with w held fixed (12.5 to 12.7): with α so small that w hardly moves."""
    experience, alpha = walk(1), 1e-9
    got = td_lambda(np.ones(11), rows(np.eye(11)), experience, ACCUMULATING, 1.0, alpha, 0.9)[0] - 1
    want = monte_carlo(np.ones(11), np.eye(11), experience, alpha, 0.9)[0] - 1
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-14)


# ---- forward and backward view


def weighted_sum(rewards, after, gamma, lam):
    """Σ (1 − λ) λⁿ⁻¹ G_{t:t+n}, and what is left of the weights on the last of them. after[k]: v̂ after k + 1 steps."""
    T = len(rewards)
    G = [sum(gamma**i * rewards[i] for i in range(n)) + gamma**n * after[n - 1] for n in range(1, T + 1)]
    return sum((1 - lam) * lam**k * G[k] for k in range(T - 1)) + lam ** (T - 1) * G[-1]


@pytest.mark.parametrize("Phi", FEATURES)
@pytest.mark.parametrize("lam", [0.0, 0.3, 0.8, 1.0])
def test_the_off_line_return_is_the_weighted_sum_of_all_n_step_returns(Phi, lam):
    """Equation 12.2 term by term, with w of before the episode in all targets."""
    w, experience, want = np.linspace(-1, 1, Phi.shape[1]), walk(8, max_episode_steps=9), []
    got = lambda_return(w.copy(), rows(Phi), experience, lam, 0.1, 0.9)
    for state, reward, next_state, terminated in cut(experience):
        after = np.where(terminated, 0, Phi[next_state] @ w)
        targets = [weighted_sum(reward[t:], after[t:], 0.9, lam) for t in range(len(state))]
        for s, g in zip(state, targets):
            w = w + 0.1 * (g - Phi[s] @ w) * Phi[s]
        want.append(w)
    np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-12)


def online_lambda_return(w, Phi, episode, alpha, gamma, lam):
    """Section 12.4: after step h all updates of the episode again, from its first weights on, with returns cut off at h.
    v̂(s_k) in them is what the weights *of the horizon before*, at their end, say of it: w_{k−1} of horizon k − 1."""
    state, reward, next_state, terminated = episode
    first, after, end = w, [], w
    for h in range(1, len(state) + 1):
        after.append(0.0 if terminated[h - 1] else Phi[next_state[h - 1]] @ end)
        v = first
        for t in range(h):
            g = weighted_sum(reward[t:h], after[t:h], gamma, lam)
            v = v + alpha * (g - Phi[state[t]] @ v) * Phi[state[t]]
        end = v
    return end


@pytest.mark.parametrize("Phi", FEATURES)
@pytest.mark.parametrize("lam", [0.0, 0.5, 0.9, 1.0])
def test_true_online_td_is_the_online_lambda_return_algorithm(Phi, lam):
    """Forward view = backward view, to 1e-12 of the size of w, after every episode, ended or stopped; the other traces are not."""
    experience, alpha, gamma = walk(6, seed=1, max_episode_steps=12), 0.3, 0.95
    w, want = np.linspace(-0.5, 0.5, Phi.shape[1]), []
    got = td_lambda(w.copy(), rows(Phi), experience, DUTCH, lam, alpha, gamma)
    others = [td_lambda(w.copy(), rows(Phi), experience, trace, lam, alpha, gamma) for trace in (ACCUMULATING, REPLACING)]
    for episode in cut(experience):
        w = online_lambda_return(w, Phi, episode, alpha, gamma, lam)
        want.append(w)
    assert experience.truncated.any() and experience.terminated.any()
    np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-12)
    if lam > 0:
        assert all(np.abs(other - want).max() > 1e-3 for other in others)


# ---- traces begin anew


@pytest.mark.parametrize("trace", TRACES.values())
@pytest.mark.parametrize("steps", [None, 6])
def test_no_trace_lives_on_into_the_next_episode(trace, steps):
    """Episodes learned one at a time, each by a call of its own, give the same bits."""
    experience, w = walk(9, seed=2, max_episode_steps=steps), np.zeros(11)
    together = td_lambda(w.copy(), rows(np.eye(11)), experience, trace, 0.9, 0.2, 0.95)
    ends, first = np.flatnonzero(experience.terminated | experience.truncated) + 1, 0
    for k, end in enumerate(ends):
        one = ep.Experience(*(column[first:end] for column in experience))
        np.testing.assert_array_equal(td_lambda(w, rows(np.eye(11)), one, trace, 0.9, 0.2, 0.95)[0], together[k])
        first = end


@pytest.mark.parametrize("trace", TRACES.values())
def test_an_episode_that_the_clock_stops_is_not_over(trace):
    """A world that pays 1 a step for ever: v = 1 / (1 − γ), wherever the clock stops."""
    N = 3000
    experience = ep.Experience(np.zeros(N, int), np.ones(N), np.zeros(N, int), np.zeros(N, bool), np.arange(N) % 7 == 6)
    w = np.zeros(1)
    td_lambda(w, rows(np.ones((1, 1))), experience, trace, 0.8, 0.1, 0.9)
    assert w[0] == pytest.approx(10, abs=1e-6)
    w[:] = 0
    lambda_return(w, rows(np.ones((1, 1))), experience, 0.8, 0.1, 0.9)
    assert w[0] == pytest.approx(10, abs=1e-6)


# ---- Sarsa(λ)


@pytest.mark.parametrize("name", ["accumulating", "replacing", "true_online"])
def test_sarsa_lambda_is_the_algorithm_of_the_book(name):
    """One weight vector over all (s, a), as the boxes of sections 12.7 write it; features of several active numbers, one shared."""
    rng = np.random.default_rng(0)
    next_state, probability = rng.integers(6, size=(6, 3, 2)), np.full((6, 3, 2), 0.5)
    start = np.full(6, 1 / 5) * (np.arange(6) < 5)
    env = TabularEnvironment(next_state, probability, rng.standard_normal((6, 3, 2)), np.arange(6) == 5, start, 9)
    Phi, alpha, gamma, epsilon, lam = np.hstack([np.eye(6), np.ones((6, 1))]), 0.1, 0.9, 0.2, 0.8
    settings = dict(method=name, lam=lam, alpha=alpha, gamma=gamma, epsilon=epsilon)
    learned = sarsa.learn(env, Phi, 12, **settings, rng=np.random.default_rng(1))
    rng = np.random.default_rng(1)
    w, seed = np.zeros(21), int(rng.integers(2**31))
    x = lambda s, a: np.outer(np.eye(3)[a], Phi[s]).ravel()  # noqa: E731
    q = lambda s: np.array([w @ x(s, a) for a in range(3)])  # noqa: E731
    for episode in range(12):
        s, _ = env.reset(seed=seed if episode == 0 else None)
        a, z, q_old, done = lc.epsilon_greedy(q(s), epsilon, rng), np.zeros(21), 0.0, False
        while not done:
            s2, r, terminated, truncated, _ = env.step(a)
            a2 = lc.epsilon_greedy(q(s2), epsilon, rng)
            now, here, there = x(s, a), w @ x(s, a), 0.0 if terminated else w @ x(s2, a2)
            delta = r + gamma * there - here
            if name == "true_online":
                z = gamma * lam * z + (1 - alpha * gamma * lam * (z @ now)) * now
                w = w + alpha * (delta + here - q_old) * z - alpha * (here - q_old) * now
            else:
                z = gamma * lam * z
                z = z + now if name == "accumulating" else np.where(now != 0, now, z)
                w = w + alpha * delta * z
            s, a, q_old, done = s2, a2, there, terminated or truncated
    np.testing.assert_allclose(learned.W.ravel(), w, rtol=1e-10, atol=1e-12)


def test_a_step_moves_all_actions_but_corrects_only_the_one_taken():
    """W (A, F) by hand: z remembers action 0; action 1 is taken now."""
    W, z = np.zeros((2, 2)), np.array([[1.0, 0.0], [0.0, 0.5]])
    W[1, 1] = 3.0
    trace_step(DUTCH, W, z, 1, np.array([1]), np.ones(1), 7.0, 3.0, 1.0, 0.5, 0.1)
    zz = 0.25 + (1 - 0.1 * 0.25)
    np.testing.assert_allclose(z, [[0.5, 0], [0, zz]], rtol=1e-15)
    np.testing.assert_allclose(W, [[0.1 * 6 * 0.5, 0], [0, 3 + 0.1 * 6 * zz - 0.1 * 2]], rtol=1e-15)


# ---- what is refused


def test_bad_input_is_refused():
    table, experience = rows(np.eye(11)), walk(1)
    for lam in (-0.1, 1.1, np.nan):
        with pytest.raises(ValueError, match="lam must lie between 0 and 1"):
            td_lambda(np.zeros(11), table, experience, ACCUMULATING, lam, 0.1, 0.9)
        with pytest.raises(ValueError, match="lam must lie between 0 and 1"):
            lambda_return(np.zeros(11), table, experience, lam, 0.1, 0.9)
    for trace in (0, 4, 1.5):
        with pytest.raises(ValueError, match="trace must be one of"):
            td_lambda(np.zeros(11), table, experience, trace, 0.5, 0.1, 0.9)
    with pytest.raises(ValueError, match="w has fewer weights"):
        td_lambda(np.zeros(10), table, experience, ACCUMULATING, 0.5, 0.1, 0.9)
    with pytest.raises(FloatingPointError, match="the weights diverge"), np.errstate(all="ignore"):
        td_lambda(np.zeros(11), table, walk(5000), ACCUMULATING, 1.0, 3.0, 1.0)


# ---- what is learned


WALK = {  # λ: (α, RMS) of the off-line λ-return, TD(λ), true online TD(λ)
    0.0: ((0.8, 0.3664), (0.8, 0.3454), (0.8, 0.3454)),
    0.4: ((0.75, 0.2917), (0.7, 0.2732), (0.75, 0.2734)),
    0.8: ((0.4, 0.2635), (0.3, 0.2628), (0.4, 0.2550)),
    0.9: ((0.25, 0.2848), (0.2, 0.2904), (0.25, 0.2770)),
}


@pytest.mark.proof
@pytest.mark.parametrize("lam", WALK)
def test_walk_of_19_states(lam):
    """Figures 12.3, 12.6 and 12.8 of Sutton & Barto: RMS error, mean over the states and the first 10 episodes; 400 runs
    beside 1,000 or more of another program, whose largest standard error, 0.0017, is taken for all."""
    v, env, table, got = np.arange(1, 20) / 10 - 1, RandomWalk(19, 1), rows(np.eye(21)), [[], [], []]
    (a, _), (b, _), (c, _) = WALK[lam]
    for seed in range(400):
        experience = ep.play_fast(env, np.ones((21, 1)), 10, np.random.default_rng(seed))
        histories = (lambda_return(np.zeros(21), table, experience, lam, a, 1.0),
                     td_lambda(np.zeros(21), table, experience, ACCUMULATING, lam, b, 1.0),
                     td_lambda(np.zeros(21), table, experience, DUTCH, lam, c, 1.0))  # fmt: skip
        for runs, history in zip(got, histories):
            runs.append(np.sqrt(np.mean((history[:, 1:20] - v) ** 2, axis=1)).mean())
    for runs, (_, fact) in zip(got, WALK[lam]):
        assert near(np.array(runs), fact, 0.0017)
        assert np.std(runs) / 20 < 0.004


@pytest.mark.proof
@pytest.mark.parametrize("method, lam, share, fact, error", [
    ("replacing", 0.0, 1.5, 229.7, 1.4), ("replacing", 0.68, 1.5, 204.3, 1.4), ("replacing", 0.84, 1.3, 194.1, 1.4),
    ("replacing", 0.92, 1.3, 181.5, 1.4), ("replacing", 0.96, 1.1, 176.8, 2.0), ("replacing", 0.99, 0.9, 202.0, 2.0),
    ("true_online", 0.84, 0.9, 181.4, 1.9), ("true_online", 0.92, 0.7, 176.5, 1.9), ("true_online", 0.96, 0.5, 189.0, 1.9),
])  # fmt: skip
def test_sarsa_lambda_on_mountain_car(method, lam, share, fact, error):
    """Steps of an episode over the first 50; 60 runs beside 60 of another program. Where that gave no standard error, the
    one of its neighbour is taken. The step sizes were chosen on the seeds 10,000 to 10,059."""
    settings = {"method": method, "lam": lam, "alpha": share / TILES.tilings, "epsilon": 0.0}
    lengths = np.array([sarsa.learn_fast(MountainCar(20_000), TILES, 50, **settings, rng=np.random.default_rng(seed)).lengths
                        for seed in range(60)])  # fmt: skip
    assert near(lengths.mean(axis=1), fact, error)
