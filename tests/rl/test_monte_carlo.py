"""Monte Carlo: Zhao's chapter 5, figure by figure; returns by their definition; bias and variance where theory knows them."""

import json
import time
from pathlib import Path

import numpy as np
import pytest

from rl import monte_carlo as mc
from rl.dynamic_programming import policy_iteration, value_iteration
from rl.envs import CartPole, GridWorld, TabularEnvironment
from rl.mdp import action_values, deterministic_policy, soften, soften_mdp, state_values, uniform_policy

TABLES = json.loads((Path(__file__).parent / "grid_tables.json").read_text(encoding="utf-8"))
UP, RIGHT, DOWN, LEFT, STAY = range(5)
VISITS = list(mc.VISITS)
GAMMA = 0.9


def mild(steps):
    """The book's grid, all penalties -1: the rewards A of figure 5.5."""
    return GridWorld(max_episode_steps=steps)


def harsh(steps):
    """A forbidden cell pays -10, and as in figures 5.6 and 5.7 a bounce within it costs both: the rewards B."""
    return GridWorld(reward_forbidden=-10, bounce_in_forbidden="additive", max_episode_steps=steps)


def loop(p, steps=2000):
    """One state that pays 1 and stays with probability p, else ends for nothing: v = p / (1 - p) without discount."""
    return TabularEnvironment([[[0, 1]], [[1, 1]]], [[[p, 1 - p]], [[1, 0]]], [[[1, 0]], [[0, 0]]], [False, True], [1, 0], steps)


def infinite_variance(steps=500):
    """Sutton & Barto's example 5.5. Left: back with probability .9, else the end and 1; right: the end and nothing."""
    chance, ends = [[0.9, 0.1], [1, 0]], [[1, 0], [1, 0]]
    return TabularEnvironment(
        [[[0, 1], [1, 1]], [[1, 1], [1, 1]]], [chance, ends], [[[0, 1], [0, 0]], [[0, 0], [0, 0]]], [False, True], [1, 0], steps
    )


class Hidden:
    """An environment without its tables: as any other, it can only be played."""

    def __init__(self, env):
        self.env, self.observation_space, self.action_space = env, env.observation_space, env.action_space
        self.reset, self.step = env.reset, env.step


def by_definition(states, actions, rewards, gamma, ratio, visit, shape):
    """{pair: [(return, product of the ratios after it), ...]} of the visits that count, oldest last."""
    found, T = {}, len(rewards)
    for t in range(T)[::-1]:
        pair = states[t], actions[t]
        if visit == "initial" and t > 0 or visit == "first" and pair in list(zip(states[:t], actions[:t])):
            continue
        g = sum(gamma ** (k - t) * rewards[k] for k in range(t, T))
        found.setdefault(pair, []).append((g, np.prod([ratio[states[k], actions[k]] for k in range(t + 1, T)])))
    return found


def learned_from(states, actions, rewards, visit, *, weighted=False, alpha=0.0, gamma=GAMMA, ratio=None, shape=(3, 2)):
    """q and count after one episode, from nothing."""
    q, count, ratio = np.zeros(shape), np.zeros(shape), np.ones(shape) if ratio is None else ratio
    episode = mc.Episode(np.array(states), np.array(actions), np.array(rewards, float))
    mc.learn(mc.VISITS[visit], weighted, alpha, episode, len(rewards), gamma, ratio, q, count)
    return q, count


# ---- one episode, by hand and by definition


def test_one_episode_by_hand():
    """(0, 1) r 1, (2, 0) r 2, (0, 1) r 4: returns 3, 4, 4 with gamma = .5."""
    for visit, q01, n01, q20 in (("initial", 3, 1, 0), ("first", 3, 1, 4), ("every", 3.5, 2, 4)):
        q, count = learned_from([0, 2, 0], [1, 0, 1], [1, 2, 4], visit, gamma=0.5)
        assert q[0, 1] == q01 and count[0, 1] == n01 and q[2, 0] == q20 and count.sum() == n01 + (q20 > 0)


@pytest.mark.parametrize("visit", VISITS)
@pytest.mark.parametrize("seed", range(4))
def test_returns_and_ratios_are_those_of_the_definition(visit, seed):
    rng = np.random.default_rng(seed)
    states, actions, rewards = rng.integers(3, size=12), rng.integers(2, size=12), rng.standard_normal(12)
    ratio = rng.uniform(0, 2, (3, 2)) * (rng.random((3, 2)) < 0.8)
    for used, weighted in ((np.ones((3, 2)), False), (np.ones((3, 2)), True), (ratio, False), (ratio, True)):
        q, count = learned_from(states, actions, rewards, visit, weighted=weighted, ratio=used)
        found = by_definition(states, actions, rewards, GAMMA, used, visit, (3, 2))
        want, n = np.zeros((3, 2)), np.zeros((3, 2))
        for pair, returns in found.items():
            g, rho = np.transpose(returns)
            n[pair] = rho.sum() if weighted else len(g)
            want[pair] = rho @ g / n[pair] if n[pair] > 0 else 0
        np.testing.assert_allclose(q, want, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(count, n, rtol=1e-12)


def test_a_least_step_size_forgets():
    """Returns of one pair, from the last to the first: 4, 6, 7, each with step max(1/n, .5)."""
    q, count = learned_from([1, 1, 1], [0, 0, 0], [4, 4, 4], "every", gamma=0.5, alpha=0.5)
    assert count[1, 0] == 3 and q[1, 0] == 4 * 0.25 + 6 * 0.25 + 7 * 0.5


def test_the_epsilon_split():
    """The best action has 1 - eps + eps / A, of several the first; without a return nothing changes."""
    q, count = np.array([[1.0, 3, 3, 0], [0, 0, 0, 0], [-2, -1, -3, -1]]), np.array([[1.0, 1, 1, 1], [0, 0, 0, 0], [0, 1, 0, 0]])
    policy = np.full((3, 4), 0.25)
    sums = policy.cumsum(axis=1)
    mc.improve(q, count, 0.2, policy, sums)
    np.testing.assert_allclose(policy, [[0.05, 0.85, 0.05, 0.05], [0.25] * 4, [0.05, 0.85, 0.05, 0.05]], rtol=1e-15)
    np.testing.assert_allclose(sums, policy.cumsum(axis=1), rtol=1e-15)
    assert (sums[:, -1] == 1).all()


# ---- MC Basic


def test_the_3_by_3_world_by_hand():
    """Zhao, section 5.2.2: one iteration finds the best action of s1, the next the rest."""
    env = GridWorld("...\n..#\n#.G", max_episode_steps=400)
    first = deterministic_policy([UP, DOWN, RIGHT, RIGHT, DOWN, DOWN, RIGHT, RIGHT, STAY], 5)
    one = mc.mc_basic(env, GAMMA, iterations=1, policy=first, rng=np.random.default_rng(0))
    np.testing.assert_allclose(one.q[0], [-10, 7.29, 7.29, -10, -9], atol=1e-12)
    np.testing.assert_allclose((first * one.q).sum(axis=1), [-10, 8.1, -10, 8.1, 9, 10, 9, 10, 10], atol=1e-12)
    assert one.policy[0].argmax() == RIGHT and (one.count == 1).all()
    best = mc.mc_basic(env, GAMMA, policy=first, rng=np.random.default_rng(0))
    np.testing.assert_allclose(best.values, [7.29, 8.1, 8, 8.1, 9, 10, 9, 10, 10], atol=1e-12)


@pytest.mark.parametrize("length", [1, 2, 3, 4, 14, 15, 30, 100])
def test_figure_5_4_episodes_of_n_steps_see_n_steps_far(length):
    env = GridWorld(reward_forbidden=-10, max_episode_steps=length)
    v = mc.mc_basic(env, GAMMA, rng=np.random.default_rng(0)).values
    np.testing.assert_allclose(v, value_iteration(env.mdp(), GAMMA).history[length], rtol=0, atol=1e-12)
    if f"5.4 length {length}" in TABLES:
        np.testing.assert_allclose(v, np.ravel(TABLES[f"5.4 length {length}"]), rtol=0, atol=1e-8)
    printed = {1: (0, 1), 2: (0, 1.9), 3: (0, 2.7), 4: (0, 3.4), 14: (0, 7.7), 15: (0.2, 7.9), 30: (1.9, 9.6), 100: (2.3, 10)}
    np.testing.assert_allclose(v[[20, 17]], printed[length], rtol=0, atol=0.05 + 1e-9)
    if length == 30:
        np.testing.assert_allclose(v[:5], [3.1, 3.5, 3.9, 4.4, 4.9], rtol=0, atol=0.05 + 1e-9)


def test_chance_needs_more_than_one_episode_of_a_pair():
    """A reward that is +1 or -1: the mean of n has the variance 1 / n."""
    env = TabularEnvironment([[[1, 1]], [[1, 1]]], [[[0.5, 0.5]], [[1, 0]]], [[[1, -1]], [[0, 0]]], [False, True], [1, 0], 5)
    for n in (1, 25):
        q = [mc.mc_basic(env, 1, iterations=1, episodes=n, rng=np.random.default_rng(i)).q[0, 0] for i in range(400)]
        assert abs(np.mean(q)) < 4 / np.sqrt(400 * n) and abs(n * np.var(q) - 1) < 0.3
    learned = mc.mc_basic(env, 1, iterations=3, episodes=7, rng=np.random.default_rng(0))
    assert learned.count.tolist() == [[7], [0]] and learned.q[1, 0] == 0  # the end has no value and needs none


# ---- exploring starts


@pytest.mark.parametrize("visit, episodes", [("initial", 1500), ("first", 500), ("every", 500)])
def test_exploring_starts_finds_an_optimal_policy(visit, episodes):
    env = GridWorld("...\n..#\n#.G", max_episode_steps=60)
    best = policy_iteration(env.mdp(), GAMMA).values
    for seed in range(2):
        learned = mc.mc_exploring_starts(env, GAMMA, episodes, visit=visit, alpha=0.5, rng=np.random.default_rng(seed))
        np.testing.assert_allclose(state_values(env.mdp(), learned.policy, GAMMA), best, atol=1e-10)


@pytest.mark.proof
@pytest.mark.parametrize("visit, episodes", [("initial", 30_000), ("first", 10_000), ("every", 10_000)])
def test_exploring_starts_in_the_book_s_grid(visit, episodes):
    """Rewards B, episodes of 100 steps, the last ten returns or so: ten of ten seeds. With plain means some seeds still
    believe what the first policies made of a pair. And whoever counts more than initial visits needs the long episodes."""
    best = policy_iteration(harsh(1).mdp(), GAMMA).values
    gaps = {}
    for name, steps, alpha in (("good", 100, 0.1), ("never forgets", 100, 0.0), ("short", 30, 0.1)):
        env = harsh(steps)
        runs = [
            mc.mc_exploring_starts(env, GAMMA, episodes, visit=visit, alpha=alpha, rng=np.random.default_rng(i)) for i in range(10)
        ]
        gaps[name] = np.array([(best - state_values(env.mdp(), run.policy, GAMMA)).max() for run in runs])
    assert gaps["good"].max() < 1e-9
    assert (gaps["never forgets"] > 1e-9).any() and (gaps["short"] > 1e-9).any() == (visit != "initial")


def test_all_pairs_begin_alike_and_no_terminal_state_does():
    """chi-square of the first pairs of 12,000 episodes of one step."""
    env = GridWorld("..\n.G", target_terminal=True, max_episode_steps=1)
    count = mc.mc_exploring_starts(env, GAMMA, 12_000, visit="initial", rng=np.random.default_rng(0)).count
    assert (count[3] == 0).all() and count.sum() == 12_000
    assert ((count[:3] - 800) ** 2 / 800).sum() < 14 + 4 * np.sqrt(28)


# ---- epsilon-greedy


@pytest.mark.proof
def test_figure_5_5_one_episode_of_a_million_steps_an_iteration():
    """Rewards A, eps = .5, from the uniform policy. Exact policy iteration is .169 from the best eps-greedy policy after two
    iterations, in one state, and there after three; measured values do the same but for near-ties in a few cells."""
    env = mild(10**6)
    mdp = env.mdp()
    best = policy_iteration(soften_mdp(mdp, 0.5), GAMMA).values
    exact, gaps = uniform_policy(mdp), []
    for _ in range(3):
        q = action_values(mdp, state_values(mdp, exact, GAMMA), GAMMA)
        exact = soften(deterministic_policy(q.argmax(axis=1), 5), 0.5)
        gaps.append(best - state_values(mdp, exact, GAMMA))
    assert gaps[1].max() == pytest.approx(0.169, abs=1e-3) and gaps[2].max() < 1e-9
    for seed in range(10):
        rng, learned, measured = np.random.default_rng(seed), None, []
        for _ in range(2):
            if learned:
                learned = learned._replace(count=0 * learned.count)
            learned = mc.mc_epsilon_greedy(env, GAMMA, 1, epsilon=0.5, before=learned, rng=rng)
            measured.append(best - state_values(mdp, learned.policy, GAMMA))
        assert measured[0].mean() == pytest.approx(gaps[0].mean(), abs=0.25) and measured[1].mean() < gaps[1].mean() + 0.02


@pytest.mark.proof
@pytest.mark.parametrize("epsilon", [0.1, 0.5])
def test_figure_5_6_measured(epsilon):
    """The optimum made eps-greedy, rewards B: four episodes of 250,000 steps, each cell within four standard errors."""
    env = harsh(250_000)
    policy = soften(policy_iteration(env.mdp(), GAMMA).policy, epsilon)
    want = np.ravel(TABLES[f"5.6 epsilon {str(epsilon)[1:]}"])
    v = np.array([mc.mc_prediction(env, policy, GAMMA, 1, rng=np.random.default_rng(seed)).values for seed in range(12)])
    np.testing.assert_allclose(state_values(env.mdp(), policy, GAMMA), want, atol=1e-8)
    error = v.std(axis=0, ddof=1) / np.sqrt(len(v))
    assert (np.abs(v.mean(axis=0) - want) < 4 * error + 1e-3).all() and error[17] < 0.05


@pytest.mark.proof
@pytest.mark.parametrize("epsilon, most", [(0.2, 0.15), (0.5, 0.02)])
def test_figure_5_7_the_best_epsilon_greedy_policy_from_episodes(epsilon, most):
    """Rewards B: 100,000 episodes of 100 steps an iteration. It flees the target; the optimum with noise is far worse."""
    env = harsh(100)
    mdp = env.mdp()
    best = policy_iteration(soften_mdp(mdp, epsilon), GAMMA)
    noisy = state_values(mdp, soften(policy_iteration(mdp, GAMMA).policy, epsilon), GAMMA)
    policy, rng = uniform_policy(mdp), np.random.default_rng(0)
    for _ in range(3):
        q = mc.mc_prediction(env, policy, GAMMA, 100_000, rng=rng).q
        policy = soften(deterministic_policy(q.argmax(axis=1), 5), epsilon)
    gap = (best.values - state_values(mdp, policy, GAMMA)).mean()
    assert gap < most < (best.values - noisy).mean() / 5
    if epsilon == 0.5:
        assert policy[17].argmax() != STAY


@pytest.mark.proof
def test_figure_5_8_how_often_a_million_steps_visit_each_pair():
    env = mild(10**6)
    uniform = mc.mc_prediction(env, uniform_policy(env.mdp()), GAMMA, 1, rng=np.random.default_rng(0)).count
    assert uniform.sum() == 10**6 and 7500 < uniform.min() and uniform.max() < 8500
    greedy = policy_iteration(env.mdp(), GAMMA).policy
    count = mc.mc_prediction(env, soften(greedy, 0.5), GAMMA, 1, rng=np.random.default_rng(0)).count
    assert count.max() > 250_000 and 10 <= count.min() < 100 and (count < 1000).sum() > 30


@pytest.mark.proof
def test_to_explore_less_and_less_old_returns_must_be_forgotten():
    """Rewards A, 20,000 episodes of 50 steps, eps from 1 to 0. Plain means still tell of random policies in the end."""
    env = mild(50)
    mdp, epsilon = env.mdp(), np.linspace(1, 0, 20_000)
    best = policy_iteration(mdp, GAMMA).values.mean()
    gaps = {}
    for alpha in (0.0, 0.01):
        runs = [
            mc.mc_epsilon_greedy(env, GAMMA, 20_000, epsilon=epsilon, alpha=alpha, rng=np.random.default_rng(i)) for i in range(8)
        ]
        gaps[alpha] = np.array([best - state_values(mdp, run.policy, GAMMA).mean() for run in runs])
    assert gaps[0.0].min() > 2 and gaps[0.01].max() < 0.4


# ---- prediction: bias and variance


@pytest.mark.parametrize("n, runs", [(1, 800), pytest.param(2, 3000, marks=pytest.mark.proof), (20, 800)])
def test_first_visits_are_unbiased_and_every_visit_is_not(n, runs):
    """One state that loops (Singh & Sutton 1996): first visit, mean v and variance p / (1 - p)^2 / n; every visit, mean
    v n / (n + 1). With one episode the second has a quarter of the first's variance, with twenty it has more."""
    p, v = 0.8, 4.0
    estimates = {}
    for visit in ("first", "every"):
        env, rng = loop(p), np.random.default_rng(n)
        env_runs = [mc.mc_prediction(env, np.ones((2, 1)), 1.0, n, visit=visit, rng=rng).q[0, 0] for _ in range(runs)]
        estimates[visit] = np.array(env_runs)
    first, every = estimates["first"], estimates["every"]
    assert abs(first.mean() - v) < 3.5 * first.std() / np.sqrt(runs)
    assert abs(every.mean() - v * n / (n + 1)) < 3.5 * every.std() / np.sqrt(runs)
    assert first.var() == pytest.approx(p / (1 - p) ** 2 / n, rel=0.35)
    assert ((every - v) ** 2).mean() < ((first - v) ** 2).mean() if n <= 2 else every.var() > 0.8 * first.var()


@pytest.mark.parametrize("visit", VISITS)
def test_all_visits_agree_with_the_closed_form(visit):
    env = GridWorld("...\n..#\n#.G", target_terminal=True, max_episode_steps=150)
    policy = soften(policy_iteration(env.mdp(), GAMMA).policy, 0.5)
    want = action_values(env.mdp(), state_values(env.mdp(), policy, GAMMA), GAMMA)[:8]
    episodes = 2000 if visit == "initial" else 500
    runs = [mc.mc_prediction(env, policy, GAMMA, episodes, visit=visit, rng=np.random.default_rng(seed)) for seed in range(12)]
    assert np.min([run.count[:8] for run in runs]) > 3 and all((run.count[8] == 0).all() for run in runs)
    q = np.array([run.q[:8] for run in runs])
    z = (q.mean(axis=0) - want) / np.maximum(q.std(axis=0, ddof=1) / np.sqrt(12), 1e-9)  # a step to the end is certain
    assert np.abs(z).max() < 6 and np.mean(z**2) < 2  # t with 11 degrees of freedom: 1.2 on average


# ---- importance sampling


def test_example_5_5_weighted_is_exact_from_the_first_episode_that_counts():
    env, target, behaviour = infinite_variance(), np.eye(2)[[0, 0]], np.full((2, 2), 0.5)
    late = 0
    for seed in range(10):
        rng, learned, values = np.random.default_rng(seed), None, []
        for _ in range(100):
            learned = mc.importance_sampling(env, target, behaviour, 1.0, 1, visit="first", before=learned, rng=rng)
            values.append((learned.count[0, 0], learned.q[0, 0]))
        weights, q = np.transpose(values)
        assert (q[weights > 0] == 1).all() and (q[weights == 0] == 0).all() and weights[-1] > 0
        late += weights[0] == 0
    assert late > 3  # one of 5.5 episodes counts


def test_example_5_5_the_variance_of_the_ordinary_estimate_grows_with_the_clock():
    """E[(rho g)^2] of an episode that begins with left: sum of .1 (.9 / 2)^k 4^k over k < steps, 1.8^k in the end."""
    target, behaviour = np.eye(2)[[0, 0]], np.full((2, 2), 0.5)
    for steps in (1, 4):
        env, rng = infinite_variance(steps), np.random.default_rng(steps)
        x = [mc.importance_sampling(env, target, behaviour, 1.0, 1, weighted=False, visit="initial", rng=rng) for _ in range(1000)]
        x = np.array([run.q[0, 0] for run in x if run.count[0, 0]])
        mean, square = 1 - 0.9**steps, sum(0.1 * 1.8**k for k in range(steps))
        assert abs(x.mean() - mean) < 4 * np.sqrt((square - mean**2) / x.size) and (x**2).mean() == pytest.approx(square, rel=0.35)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("visit", ["first", "every"])
def test_another_policys_episodes_give_this_policys_values(visit, weighted):
    """A small grid with an end; behaviour eps = .6, target eps = .2."""
    env = GridWorld("..\n.G", reward_step=-1, target_terminal=True, max_episode_steps=60)
    mdp = env.mdp()
    optimum = policy_iteration(mdp, GAMMA).policy
    target, behaviour = soften(optimum, 0.2), soften(optimum, 0.6)
    want = action_values(mdp, state_values(mdp, target, GAMMA), GAMMA)[:3]
    keywords = {"weighted": weighted, "visit": visit}
    q = np.array(
        [mc.importance_sampling(env, target, behaviour, GAMMA, 400, **keywords, rng=np.random.default_rng(i)).q for i in range(20)]
    )
    error = q[:, :3].std(axis=0, ddof=1) / np.sqrt(20)
    assert (np.abs(q[:, :3].mean(axis=0) - want) < 4.5 * error + 0.01).all() and error.max() < 0.3
    on = mc.mc_prediction(env, behaviour, GAMMA, 2000, rng=np.random.default_rng(0)).q[:3]
    assert np.abs(on - want).max() > 0.4  # without the ratios these are another policy's values


def test_without_a_difference_all_three_are_plain_means():
    env = GridWorld("..\n.G", target_terminal=True, max_episode_steps=30)
    policy = uniform_policy(env.mdp())
    plain = mc.mc_prediction(env, policy, GAMMA, 50, rng=np.random.default_rng(0))
    for weighted in (False, True):
        other = mc.importance_sampling(env, policy, policy, GAMMA, 50, weighted=weighted, rng=np.random.default_rng(0))
        np.testing.assert_allclose(other.q, plain.q, rtol=1e-12)
        np.testing.assert_array_equal(other.count, plain.count)


# ---- drivers


@pytest.mark.parametrize("visit", VISITS)
@pytest.mark.parametrize("env", [GridWorld(target_terminal=True, max_episode_steps=40), infinite_variance(), loop(0.5)])
def test_both_drivers_give_the_same_bits(env, visit):
    S, A = env.observation_space.n, env.action_space.n
    uniform, target = np.full((S, A), 1 / A), np.eye(A)[np.zeros(S, int)]
    calls = (
        lambda env, rng: mc.mc_epsilon_greedy(env, GAMMA, 30, epsilon=np.linspace(1, 0, 30), alpha=0.1, visit=visit, rng=rng),
        lambda env, rng: mc.mc_prediction(env, uniform, GAMMA, 30, visit=visit, rng=rng),
        lambda env, rng: mc.importance_sampling(env, target, uniform, GAMMA, 30, visit=visit, rng=rng),
    )
    for call in calls:
        fast, slow, again, other = (call(e, np.random.default_rng(i)) for e, i in ((env, 3), (Hidden(env), 3), (env, 3), (env, 4)))
        for x, y, z in zip(fast, slow, again):
            np.testing.assert_array_equal(x, y)
            np.testing.assert_array_equal(x, z)
        assert fast.count.sum() > 0 and (A == 1 or any((x != y).any() for x, y in zip(fast, other)))


def test_a_call_goes_on_from_the_one_before_and_changes_nothing_given():
    env = mild(20)
    first = mc.mc_epsilon_greedy(env, GAMMA, 10, epsilon=0.3, rng=np.random.default_rng(0))
    kept = [x.copy() for x in first]
    second = mc.mc_epsilon_greedy(env, GAMMA, 10, epsilon=0.3, before=first, rng=np.random.default_rng(1))
    for x, y in zip(first, kept):
        np.testing.assert_array_equal(x, y)
    assert second.count.sum() == 400 and (second.count >= first.count).all()
    policy = uniform_policy(env.mdp())
    a = mc.mc_prediction(env, policy, GAMMA, 7, rng=np.random.default_rng(0))
    b = mc.mc_prediction(env, policy, GAMMA, 7, rng=np.random.default_rng(1))
    both = mc.mc_prediction(env, policy, GAMMA, 7, before=a, rng=np.random.default_rng(1))
    np.testing.assert_allclose(both.q * both.count, a.q * a.count + b.q * b.count, atol=1e-9)


def test_a_real_gymnasium_environment():
    """FrozenLake: its own tables, solved exactly, against episodes of its step()."""
    env = pytest.importorskip("gymnasium").make("FrozenLake-v1", max_episode_steps=1000).unwrapped
    v, uniform = np.zeros(16), np.full((16, 4), 0.25)
    for _ in range(2000):
        v = np.array(
            [sum(0.25 * p * (r + GAMMA * v[n] * (not d)) for a in range(4) for p, n, r, d in env.P[s][a]) for s in range(16)]
        )
    estimates = [mc.mc_prediction(env, uniform, GAMMA, 300, rng=np.random.default_rng(seed)).values[0] for seed in range(8)]
    assert abs(np.mean(estimates) - v[0]) < 4 * np.std(estimates, ddof=1) / np.sqrt(8) and v[0] > 0.004


@pytest.mark.proof
def test_a_million_steps_of_play_and_learning_are_fast():
    """The issue asks for .05 s of processor time; about .02 s is measured. Twice the issue's figure is a broken loop."""
    if mc.run.__class__.__name__ == "function":
        pytest.skip("numba's compiler is switched off")
    env, seconds = mild(10**6), []
    for seed in range(5):
        rng, start = np.random.default_rng(seed), time.process_time()
        mc.mc_epsilon_greedy(env, GAMMA, 1, epsilon=0.5, rng=rng)
        seconds.append(time.process_time() - start)
    assert np.median(seconds[1:]) < 0.1


# ---- what is refused


def test_bad_input_is_refused_by_name():
    env, rng = mild(5), np.random.default_rng(0)
    uniform = uniform_policy(env.mdp())
    left = deterministic_policy([LEFT] * 25, 5)
    for call, message in (
        (lambda: mc.mc_basic(GridWorld(), 0.9, rng=rng), "waits for the end of an episode: give max_episode_steps"),
        (lambda: mc.mc_epsilon_greedy(GridWorld(), 0.9, 1, epsilon=0.1, rng=rng), "give max_episode_steps"),
        (lambda: mc.mc_basic(env, 1.1, rng=rng), "gamma must lie between 0 and 1, not 1.1"),
        (lambda: mc.mc_basic(env, 0.9, episodes=0, rng=rng), "episodes must be an integer of at least 1, not 0"),
        (lambda: mc.mc_basic(env, 0.9, iterations=0, rng=rng), "iterations must be an integer of at least 1, not 0"),
        (lambda: mc.mc_exploring_starts(env, 0.9, 1, visit="last", rng=rng), "visit must be one of initial, first, every, not 'last'"),
        (lambda: mc.mc_exploring_starts(env, 0.9, 1, alpha=2, rng=rng), "alpha must lie between 0 and 1, not 2"),
        (lambda: mc.mc_exploring_starts(env, 0.9, 1.5, rng=rng), "episodes must be an integer of at least 1, not 1.5"),
        (lambda: mc.mc_epsilon_greedy(env, 0.9, 2, epsilon=[0.1, 0.2, 0.3], rng=rng), "one for each of 2 episodes, not 3 of them"),
        (lambda: mc.mc_epsilon_greedy(env, 0.9, 2, epsilon=[0.1, 1.2], rng=rng), "epsilon must lie between 0 and 1, not 1.2"),
        (lambda: mc.mc_epsilon_greedy(env, 0.9, 2, epsilon=0.1, alpha=-1, rng=rng), "alpha must lie between 0 and 1, not -1"),
        (lambda: mc.mc_prediction(env, uniform[:, :4], 0.9, 1, rng=rng), r"policy must have shape \(S, A\) = \(25, 5\), not \(25, 4\)"),
        (lambda: mc.importance_sampling(env, uniform, left, 0.9, 1, rng=rng), "in state 0 target may take action 0, and behaviour never does"),
        (lambda: mc.importance_sampling(env, uniform + 1, left, 0.9, 1, rng=rng), r"importance_sampling: target: policy\[0\] sums to 6"),
        (lambda: mc.importance_sampling(env, left, uniform[:9], 0.9, 1, rng=rng), r"behaviour: policy must have shape \(S, A\)"),
        (lambda: mc.mc_prediction(env, uniform, 0.9, 1, before=mc.Learned(uniform[:3], uniform, uniform), rng=rng), "`before` must hold finite q and counts"),
        (lambda: mc.mc_prediction(env, uniform, 0.9, 1, before=mc.Learned(uniform, -uniform, uniform), rng=rng), "counts of at least 0"),
        (lambda: mc.mc_prediction(env, uniform, 0.9, 1, before=mc.Learned(np.nan * uniform, uniform, uniform), rng=rng), "finite q"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=message):
            call()
    with pytest.raises(TypeError, match="CartPole has no numbered states and actions"):
        mc.mc_epsilon_greedy(CartPole(), 0.9, 1, epsilon=0.1, rng=rng)
    untold = Untold(env)
    for method in (lambda: mc.mc_basic(untold, 0.9, rng=rng), lambda: mc.mc_exploring_starts(untold, 0.9, 1, rng=rng)):
        with pytest.raises(TypeError, match="Untold has no tables: no episode of it can begin with a given pair: use mc_epsilon_greedy"):
            method()


class Untold:
    """A world that hides its tables."""

    def __init__(self, env):
        self.observation_space, self.action_space, self.max_episode_steps = env.observation_space, env.action_space, 5
