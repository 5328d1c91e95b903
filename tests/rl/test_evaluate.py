"""Statistics of returns: the interquartile mean, its interval, and what `evaluate` runs and leaves alone."""

import numpy as np
import pytest

from rl.ddpg import DDPG
from rl.envs import LQR, Environment, Pendulum, RandomWalk
from rl.evaluate import bootstrap_interval, evaluate, interquartile_mean
from rl.spaces import Box

# ---- the interquartile mean


@pytest.mark.parametrize(
    "scores, mean",
    [
        ([7], 7),
        ([1, 3], 2),
        ([0, 1, 5], (0.25 * 0 + 1 * 1 + 0.25 * 5) / 1.5),  # three quarters of the outer two are cut off
        ([1, 2, 3, 4], 2.5),
        ([-1e9, 2, 3, 1e9], 2.5),  # outliers do not count at all
        ([0, 1, 2, 3, 100], (0.75 * 1 + 2 + 0.75 * 3) / 2.5),
        ([0, 1, 2, 3, 10, 100], (0.5 * 1 + 2 + 3 + 0.5 * 10) / 3),
        ([0, 1, 2, 3, 4, 10, 100], (0.25 * 1 + 2 + 3 + 4 + 0.25 * 10) / 3.5),
        ([1, 2, 3, 4, 5, 6, 7, 100], 4.5),
        (np.arange(10) ** 2, (0.5 * 4 + 9 + 16 + 25 + 36 + 0.5 * 49) / 5),
    ],
)
def test_interquartile_mean_by_hand(scores, mean):
    for order in (scores, list(scores)[::-1], np.random.default_rng(0).permutation(scores)):
        assert interquartile_mean(order) == pytest.approx(mean, rel=1e-12)


@pytest.mark.parametrize("n", range(1, 30))
def test_interquartile_mean_by_its_definition(n):
    """Four copies of each number: then a quarter is a whole number of them, and is just cut off on either side."""
    scores = np.random.default_rng(n).standard_normal(n)
    copies = np.sort(np.repeat(scores, 4))
    assert interquartile_mean(scores) == pytest.approx(copies[n : 3 * n].mean(), rel=1e-12)


def test_interquartile_mean_moves_and_scales_with_the_scores():
    scores = np.random.default_rng(0).exponential(size=11)
    assert interquartile_mean(3 - 2 * scores) == pytest.approx(3 - 2 * interquartile_mean(scores), rel=1e-12)


def test_interquartile_mean_of_a_table_is_that_of_all_its_numbers():
    table = np.random.default_rng(0).standard_normal((3, 7))
    assert interquartile_mean(table) == interquartile_mean(table.ravel())


@pytest.mark.parametrize("scores", [[], [1, 2, 3, np.nan], [1, 2, 3, -np.inf]])
def test_scores_that_are_none(scores):
    with pytest.raises(ValueError, match="interquartile_mean: scores must be one finite number or more, not"):
        interquartile_mean(scores)
    with pytest.raises(ValueError, match="bootstrap_interval: needs finite scores"):
        bootstrap_interval(scores, np.random.default_rng(0))


# ---- the bootstrap interval


@pytest.mark.parametrize("n, claimed", [(3, 0.75), (10, 0.94)])
def test_how_often_the_interval_holds_the_truth(n, claimed):
    """As the docstring says; of a normal distribution, whose interquartile mean is 0."""
    rng, held, repetitions = np.random.default_rng(0), 0, 150
    for _ in range(repetitions):
        low, high = bootstrap_interval(rng.standard_normal(n), rng, draws=200)
        held += low <= 0 <= high
    assert abs(held / repetitions - claimed) <= 3 * np.sqrt(claimed * (1 - claimed) / repetitions)


def test_the_interval_of_the_mean_is_as_wide_as_theory_says():
    """Of many scores, 2 * 1.96 standard errors."""
    scores = np.random.default_rng(0).standard_normal(400)
    low, high = bootstrap_interval(scores, np.random.default_rng(1), statistic=np.mean, draws=4000)
    assert (low + high) / 2 == pytest.approx(scores.mean(), abs=0.01)
    assert high - low == pytest.approx(2 * 1.96 * scores.std() / 20, rel=0.06)  # of a quantile of 4,000 draws: 3 * 2 %


def test_a_lower_level_is_a_narrower_interval_within():
    scores = np.random.default_rng(0).standard_normal(10)
    wide, narrow = (bootstrap_interval(scores, np.random.default_rng(1), level=level) for level in (0.95, 0.5))
    assert wide[0] < narrow[0] < interquartile_mean(scores) < narrow[1] < wide[1]


def test_whole_seeds_are_drawn():
    """Of scores (seeds, starts), rows: the starts of one seed stay together."""
    scores = np.arange(4)[:, None] * 100 + np.zeros(50)  # within a seed all alike
    low, high = bootstrap_interval(scores, np.random.default_rng(0), statistic=np.mean)
    assert high - low > 150  # 4 scores, not 200: those would give 31


def test_each_draw_has_as_many_seeds_as_there_are():
    sizes = []
    bootstrap_interval(np.arange(7), np.random.default_rng(0), statistic=lambda s: sizes.append(len(s)) or s.mean())
    assert sizes == [7] * 2000


def test_same_generator_same_interval_and_equal_scores_a_point():
    scores = np.random.default_rng(0).standard_normal(10)
    assert len({bootstrap_interval(scores, np.random.default_rng(5)) for _ in range(2)}) == 1
    assert bootstrap_interval([2.5] * 5, np.random.default_rng(0)) == (2.5, 2.5)


@pytest.mark.parametrize("level", [0, 1, 95, np.nan])
def test_a_level_that_is_no_share(level):
    with pytest.raises(ValueError, match=f"0 < level < 1, not .* and {level}"):
        bootstrap_interval([1.0, 2.0], np.random.default_rng(0), level=level)


# ---- evaluate


class Still:
    """An agent that does nothing; it notes what it sees."""

    def __init__(self, action):
        self.action, self.seen = action, []

    def act(self, observation):
        self.seen.append(observation)
        return self.action


class Seeded(Environment):
    """The first observation is the first random number; rewards 1, 2, 4; it ends by either flag."""

    def __init__(self, ends=None, limit=None):
        super().__init__(Box(-np.inf, np.inf, (1,), np.float64), Box(-1, 1, (1,)), limit)
        self.ends, self.seeds = ends, []

    def reset(self, *, seed=None, options=None):
        self.seeds.append(seed)
        return super().reset(seed=seed, options=options)

    def begin(self, options):
        self.state = self.rng.random(1)
        return self.state

    def move(self, action):
        return self.state, 2.0**self.elapsed, self.elapsed + 1 == self.ends


@pytest.mark.parametrize("how", [{"ends": 3}, {"limit": 3}, {"ends": 3, "limit": 3}])
def test_the_return_is_the_plain_sum_until_either_flag(how):
    np.testing.assert_array_equal(evaluate(Still(np.zeros(1)), Seeded(**how), 4, seed=0), [7, 7, 7, 7])


def test_episode_i_starts_from_seed_plus_i():
    env, agent = Seeded(limit=1), Still(np.zeros(1))
    evaluate(agent, env, 4, seed=10)
    assert env.seeds == [10, 11, 12, 13]
    assert [float(s[0]) for s in agent.seen] == [np.random.default_rng(seed).random() for seed in (10, 11, 12, 13)]


def test_a_start_gives_the_same_return_whatever_came_before():  # T37
    agent, env = Still(np.zeros(1)), Pendulum()
    together = evaluate(agent, env, 4, seed=5)
    apart = [evaluate(agent, env, 1, seed=seed)[0] for seed in (8, 5, 7, 6)]
    np.testing.assert_array_equal(together, np.array(apart)[[1, 3, 2, 0]])
    assert together.dtype == np.float64 and together.shape == (4,) and len(set(together)) == 4


def test_a_seed_may_be_a_numpy_integer():
    env = Seeded(limit=1)
    evaluate(Still(np.zeros(1)), env, 2, seed=np.int64(3))
    assert [type(s) for s in env.seeds] == [int, int]


def test_actions_may_be_discrete():
    returns = evaluate(Still(0), RandomWalk(5, 1), 40, seed=0)
    assert set(returns) == {-1.0, 1.0}


def test_evaluation_leaves_agent_and_training_alone():  # T32, T36: bitwise, in the middle of an episode
    def agent():
        return DDPG(LQR(noise=0.1), 3, hidden=(8,), batch_size=8, start_steps=10)

    one, two = agent().learn(47), agent().learn(47)
    before = one.state_dict()
    evaluate(one, LQR(noise=0.1), 3, seed=0)
    np.testing.assert_equal(one.state_dict(), before)
    np.testing.assert_equal(one.learn(33).state_dict(), two.learn(33).state_dict())


def test_the_training_environment_is_refused():
    agent = DDPG(LQR(), 0, hidden=(8,))
    with pytest.raises(ValueError, match="evaluate: env is the one that the agent is trained in.*make a second"):
        evaluate(agent, agent.env, 1, seed=0)


@pytest.mark.parametrize("episodes", [0, -1])
def test_no_episode(episodes):
    with pytest.raises(ValueError, match=f"evaluate: episodes must be at least 1, not {episodes}"):
        evaluate(Still(0), RandomWalk(5, 1), episodes, seed=0)
