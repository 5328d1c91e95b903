"""One update whose methods differ in one function, by two drivers; from records of others; the published numbers."""

import numpy as np
import pytest

from rl import linear_control, linear_value, monte_carlo, off_policy
from rl import temporal_difference as td
from rl.dynamic_programming import value_iteration
from rl.envs import GridWorld, MountainCar, RandomWalk, TabularEnvironment
from rl.envs.cliff_walking import CliffWalking
from rl.envs.environment import Environment
from rl.envs.maximization_bias import MaximizationBias
from rl.envs.windy_grid import WindyGrid
from rl.episodes import Experience, play_fast
from rl.features import rows
from rl.mdp import action_values, deterministic_policy, soften, state_values, uniform_policy
from rl.spaces import Discrete

PATH = """
S....
.##..
..#..
.#G#.
.#..."""
METHODS = sorted(td.METHODS)
UNIFORM = np.full((25, 5), 0.2)


def path_task(**keywords):
    """Zhao's task "find the way": a step costs 1, a boundary or a forbidden cell 10, and the target ends the episode."""
    costs = dict(reward_boundary=-10, reward_forbidden=-10, reward_step=-1, reward_target=0, target_terminal=True)
    return GridWorld(PATH, **costs | keywords)


def gusty(offered=None):
    """A small world in which chance decides; states offer one to three actions."""
    rng = np.random.default_rng(0)
    env = TabularEnvironment(
        rng.integers(6, size=(6, 3, 2)), np.full((6, 3, 2), 0.5), rng.standard_normal((6, 3, 2)), np.arange(6) == 5,
        np.full(6, 1 / 5) * (np.arange(6) < 5), 40,
    )  # fmt: skip
    if offered is not None:
        env.offered = np.array(offered)
    return env


def seeds(n):
    """Generators 0 ... n − 1."""
    return map(np.random.default_rng, range(n))


# ---- the update, by hand


@pytest.mark.parametrize("terminated", [False, True])
@pytest.mark.parametrize("method, follows", [
    ("sarsa", 4.0), ("expected_sarsa", 0.7 * 7 + 0.3 * (7 + 4 + 1) / 3), ("q_learning", 7.0),
])  # fmt: skip
def test_update_by_hand(method, follows, terminated):
    Q, offered = np.array([[[1.0, 2.0, 3.0], [7.0, 4.0, 1.0]]]), np.array([3, 3])
    rng = np.random.default_rng(0)
    td.update(td.METHODS[method], Q, 0, 1, 5.0, 1, 1, terminated, 0.1, 0.5, 0.3, offered, rng)
    target = 5 + (0 if terminated else 0.5 * follows)
    np.testing.assert_allclose(Q, [[[1, 2 + 0.1 * (target - 2), 3], [7, 4, 1]]], rtol=1e-15)
    assert rng.bit_generator.state == np.random.default_rng(0).bit_generator.state  # no coin is tossed


def test_double_q_learning_takes_the_action_from_one_table_and_its_value_from_the_other():
    seen = []
    for rng in seeds(20):
        Q = np.array([[[1.0, 2.0], [7.0, 4.0]], [[10.0, 20.0], [30.0, 50.0]]])
        td.update(td.DOUBLE_Q_LEARNING, Q, 0, 1, 5.0, 1, 0, False, 0.5, 0.5, 0.3, np.array([2, 2]), rng)
        if Q[0, 0, 1] != 2:  # the first table moves: its best is action 0, worth 30 to the second
            np.testing.assert_array_equal(Q, [[[1, 0.5 * (2 + 5 + 0.5 * 30)], [7, 4]], [[10, 20], [30, 50]]])
        else:  # the second: its best is action 1, worth 4 to the first
            np.testing.assert_array_equal(Q, [[[1, 2], [7, 4]], [[10, 0.5 * (20 + 5 + 0.5 * 4)], [30, 50]]])
        seen.append(Q[0, 0, 1] != 2)
    assert 4 < sum(seen) < 16


def test_expected_sarsa_is_the_mean_over_the_policy_and_lies_between_q_learning_and_the_plain_mean():
    rng = np.random.default_rng(0)
    for epsilon in (0.0, 0.3, 1.0):
        q = rng.standard_normal(5)
        policy = soften(np.eye(5)[[q.argmax()]], epsilon)[0]
        assert td.follow(td.EXPECTED_SARSA, q, q, 0, epsilon) == pytest.approx(policy @ q, rel=1e-14)
    assert td.follow(td.EXPECTED_SARSA, q, q, 0, 0.0) == q.max() == td.follow(td.Q_LEARNING, q, q, 0, 0.3)


def test_only_what_a_state_offers_counts():
    Q, offered, rng = np.array([[[0.0, 0.0, 0.0], [1.0, 2.0, 9.0]]]), np.array([3, 2]), np.random.default_rng(0)
    for method, follows in ((td.Q_LEARNING, 2.0), (td.EXPECTED_SARSA, 0.5 * 2 + 0.5 * 1.5)):
        Q[0, 0, 0] = 0
        td.update(method, Q, 0, 0, 0.0, 1, 0, False, 1.0, 1.0, 0.5, offered, rng)
        assert Q[0, 0, 0] == follows
    assert {int(td.choose(Q, 1, 1.0, offered, rng)) for _ in range(50)} == {0, 1} and td.choose(Q, 1, 0.0, offered, rng) == 1


def test_the_greedy_action_keeps_the_share_that_exploring_gives_it():
    rng, n, epsilon = np.random.default_rng(1), 20_000, 0.4
    for Q in (np.array([[[0.0, 3.0, 1.0, 1.0]]]), np.array([[[0.0, 3.0, 1.0, 1.0]], [[1.0, 1.0, 2.0, 1.0]]])):  # sums 1, 4, 3, 2
        share = np.bincount([td.choose(Q, 0, epsilon, np.array([4]), rng) for _ in range(n)], minlength=4) / n
        np.testing.assert_allclose(
            share, [epsilon / 4, 1 - epsilon + epsilon / 4, epsilon / 4, epsilon / 4], atol=4 * np.sqrt(0.25 / n)
        )


# ---- two drivers


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("env", [
    path_task(max_episode_steps=60), gusty(), gusty([1, 2, 3, 2, 3, 1]), CliffWalking(50), MaximizationBias(4),
    WindyGrid(random_wind=True, max_episode_steps=40),
])  # fmt: skip
def test_both_drivers_give_the_same_bits(env, method):
    settings = {"method": method, "alpha": 0.3, "gamma": 0.95, "epsilon": 0.2}
    slow = td.learn(env, 6, **settings, rng=np.random.default_rng(5))
    fast = td.learn_fast(env, 6, **settings, rng=np.random.default_rng(5))
    for a, b in zip(slow, fast):
        np.testing.assert_array_equal(a, b)
    assert (slow.Q != 0).any() and (slow.q == slow.Q.mean(axis=0)).all()
    other = td.learn_fast(env, 6, **settings, rng=np.random.default_rng(6))
    assert (other.Q != fast.Q).any()
    if hasattr(env, "offered"):
        assert (fast.Q[:, np.arange(env.action_space.n) >= env.offered[:, None]] == 0).all()


def test_a_table_is_linear_control_with_one_feature_a_state_bit_for_bit():
    """Sarsa. (Q-learning here chooses a' after the update, there before it.)"""
    for env in (path_task(max_episode_steps=40), gusty()):
        S, settings = env.observation_space.n, dict(method="sarsa", alpha=0.1, gamma=0.9, epsilon=0.2)
        table = td.learn_fast(env, 20, **settings, rng=np.random.default_rng(0))
        linear = linear_control.learn_fast(env, np.eye(S), 20, **settings, rng=np.random.default_rng(0))
        np.testing.assert_array_equal(table.q, linear.W.T)
        np.testing.assert_array_equal(table.lengths, linear.lengths)


def test_sarsa_chooses_before_the_update_and_the_others_after_it():
    """One step from s back to s with α = 1 and a reward of −9: what was best before is not afterwards."""
    for method, chosen in (("sarsa", 0), ("expected_sarsa", 1), ("q_learning", 1)):
        Q, rng = np.array([[[1.0, 0.0]]]), np.random.default_rng(0)
        assert td.update_and_choose(td.METHODS[method], Q, 0, 0, -9.0, 0, False, 1.0, 1.0, 0.0, np.array([2]), rng) == chosen
        assert Q[0, 0, 0] == -8


def test_learning_can_go_on_from_given_tables():
    env, settings = CliffWalking(100), {"method": "double_q_learning", "alpha": 0.5}
    first = td.learn_fast(env, 3, **settings, rng=np.random.default_rng(0))
    other = first.Q.copy()
    second = td.learn_fast(env, 3, **settings, rng=np.random.default_rng(1), Q=first.Q)
    assert second.Q is first.Q and (other != first.Q).any()
    np.testing.assert_array_equal(td.learn(env, 3, **settings, rng=np.random.default_rng(1), Q=other).Q, second.Q)


def test_a_gymnasium_environment_can_be_learned():
    theirs = pytest.importorskip("gymnasium").make("CliffWalking-v1", max_episode_steps=200)
    settings = {"method": "sarsa", "alpha": 0.5}
    a, b = (td.learn(env, 8, **settings, rng=np.random.default_rng(0)) for env in (theirs, CliffWalking(200)))
    for x, y in zip(a, b):
        np.testing.assert_array_equal(x, y)


# ---- from a record of others


def test_a_record_is_what_the_policy_did():
    env, rng = gusty(), np.random.default_rng(0)
    policy = np.random.default_rng(1).dirichlet(np.ones(3), 6)
    steps = off_policy.record_fast(env, policy, 20_000, rng)
    ends = steps.terminated
    np.testing.assert_array_equal(ends, steps.next_state == 5)
    goes_on = steps.next_state[:-1] == steps.state[1:]
    assert goes_on[~ends[:-1]].mean() > 0.9  # but for where the clock stopped, after 40 steps
    for s in range(5):
        here = steps.state == s
        share = np.bincount(steps.action[here], minlength=3) / here.sum()
        np.testing.assert_allclose(share, policy[s], atol=4 * np.sqrt(0.25 / here.sum()))
    outcomes = lambda s, a: zip(env.tables.next_state[s, a], env.tables.reward[s, a])  # noqa: E731
    possible = {(s, a, s2, r) for s in range(5) for a in range(3) for s2, r in outcomes(s, a)}
    assert set(zip(*(column.tolist() for column in (steps.state, steps.action, steps.next_state, steps.reward)))) <= possible


def test_one_long_episode_begins_once_and_an_episode_with_a_clock_begins_again():
    right = deterministic_policy(np.full(25, 1), 5)
    endless = off_policy.record_fast(GridWorld(), right, 50, np.random.default_rng(0))
    assert (endless.state[1:] == endless.next_state[:-1]).all() and (endless.state[5:] % 5 == 4).all()
    for n in (3, 50):
        clocked = off_policy.record_fast(
            GridWorld("S...\n...G", max_episode_steps=n), np.eye(5)[[1] * 8], 50, np.random.default_rng(0)
        )
        assert (clocked.state[::n] == 0).all() and not clocked.terminated.any()


@pytest.mark.parametrize("method", ["q_learning", "expected_sarsa"])
def test_learning_from_a_record_against_plain_numpy(method):
    env, epsilon = gusty([3, 2, 3, 2, 3, 1]), 0.3
    record = off_policy.record_fast(env, np.full((6, 3), 1 / 3), 60, np.random.default_rng(0))
    q, want = np.full((6, 3), 0.5), []
    for t, (s, a, r, s2, end) in enumerate(zip(*record)):
        row = q[s2, : env.offered[s2]]
        follows = row.max() if method == "q_learning" else (1 - epsilon) * row.max() + epsilon * row.mean()
        q[s, a] += 0.2 * (r + 0.9 * (not end) * follows - q[s, a])
        if t % 25 == 24 or t == 59:
            want.append(q.copy())
    got = off_policy.learn_off_policy(
        env, record, method=method, alpha=0.2, gamma=0.9, epsilon=epsilon, every=25, Q=np.full((1, 6, 3), 0.5)
    )
    np.testing.assert_allclose(got, want, rtol=1e-13)


def test_what_was_recorded_on_policy_teaches_the_same():
    """Q-learning along its own way, and from a record of that way: the same table, as its target knows no a'."""
    env, steps = path_task(max_episode_steps=30), []
    step = env.step
    env.step = lambda a: (steps.append((env.state, a, *step(a))), steps[-1][2:])[1]
    online = td.learn(env, 10, method="q_learning", alpha=0.3, gamma=0.9, rng=np.random.default_rng(0))
    s, a, s2, r, end = (np.array([step[i] for step in steps]) for i in (0, 1, 2, 3, 4))
    offline = off_policy.learn_off_policy(env, off_policy.Transitions(s, a, r, s2, end), alpha=0.3, gamma=0.9, every=len(r))
    np.testing.assert_array_equal(offline[-1], online.q)


def test_double_q_learning_from_a_record_finds_the_best_values():
    env = path_task()
    record = off_policy.record_fast(env, UNIFORM, 30_000, np.random.default_rng(0))
    for method, error in (("q_learning", 0.01), ("double_q_learning", 0.2)):
        q = off_policy.learn_off_policy(
            env, record, method=method, alpha=0.5, gamma=0.9, every=30_000, rng=np.random.default_rng(1)
        )[-1]
        assert abs(q.max(axis=1) - value_iteration(env.mdp(), 0.9).values).max() < error


# ---- TD(0)


def test_td_by_hand_at_both_kinds_of_end():
    for terminated, last in ((False, 3 + 0.5 * 6), (True, 3.0)):
        v = np.array([2.0, 4.0, 6.0])
        flags = np.array([False, terminated]), np.array([False, not terminated])
        steps = Experience(np.array([0, 1]), np.array([1.0, 3.0]), np.array([1, 2]), *flags)
        history = td.td(v, steps, 0.5, 0.5)
        np.testing.assert_array_equal(history, [[2 + 0.5 * (1 + 0.5 * 4 - 2), 4 + 0.5 * (last - 4), 6]])
        np.testing.assert_array_equal(v, history[-1])


def test_td_is_linear_td_with_one_feature_a_state_bit_for_bit():
    env = RandomWalk(9, 2, 12)
    record, v, w = play_fast(env, np.ones((11, 1)), 30, np.random.default_rng(0)), np.zeros(11), np.zeros(11)
    np.testing.assert_array_equal(td.td(v, record, 0.1, 0.9), linear_value.td(w, rows(np.eye(11)), record, 0.1, 0.9))
    assert (v != 0).any()


@pytest.mark.proof
def test_each_method_solves_its_bellman_equation():
    """ε = 1: the uniform policy, whatever is learned. So Sarsa and expected Sarsa find its q, and Q-learning q*."""
    env = gusty()
    mdp = env.mdp()
    own = action_values(mdp, state_values(mdp, uniform_policy(mdp), 0.5), 0.5)
    best = action_values(mdp, value_iteration(mdp, 0.5).values, 0.5)
    for method, want in (("sarsa", own), ("expected_sarsa", own), ("q_learning", best), ("double_q_learning", best)):
        Q = None
        for alpha, rng in zip((0.1, 0.01, 0.002), seeds(3)):
            Q = td.learn_fast(env, 60_000, method=method, alpha=alpha, gamma=0.5, epsilon=1.0, rng=rng, Q=Q).Q
        np.testing.assert_allclose(Q.mean(axis=0), want, atol=0.1)
    assert abs(own - best).max() > 0.3


# ---- what is refused


@pytest.mark.parametrize("keywords, message", [
    ({"method": "td"}, "method must be one of sarsa, expected_sarsa, q_learning, double_q_learning, not 'td'"),
    ({"alpha": 1.5}, "alpha must lie between 0 and 1, not 1.5"),
    ({"gamma": -1}, "gamma must lie between 0 and 1, not -1"),
    ({"epsilon": float("nan")}, "epsilon must lie between 0 and 1, not nan"),
    ({"episodes": 0}, "episodes must be an integer of at least 1, not 0"),
    ({"Q": np.zeros((1, 25, 4))}, r"Q must be finite numbers, float64 \(T, S, A\) = \(1, 25, 5\), not float64 of shape \(1, 25, 4\)"),
    ({"Q": np.zeros((2, 25, 5))}, r"Q must be finite .* not float64 of shape \(2, 25, 5\)"),
    ({"Q": np.zeros((1, 25, 5), int)}, "Q must be finite .* not int64"),
    ({"Q": np.full((1, 25, 5), np.nan)}, "Q must be finite"),
    ({"Q": np.zeros((1, 25, 5)), "method": "double_q_learning"}, r"= \(2, 25, 5\)"),
])  # fmt: skip
@pytest.mark.parametrize("driver", [td.learn, td.learn_fast])
def test_bad_input_is_refused_by_name(driver, keywords, message):
    arguments = {"episodes": 1, "alpha": 0.1, "gamma": 0.9, "rng": np.random.default_rng(0)} | keywords
    with pytest.raises(ValueError, match=message):
        driver(GridWorld(max_episode_steps=5), **arguments)


def test_worlds_that_do_not_fit_are_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="MountainCar: a table needs states and actions that are numbers"):
        td.learn(MountainCar(), 1, alpha=0.1, rng=rng)
    with pytest.raises(TypeError, match="learn_fast: MountainCar has no tables for a compiled loop: use learn"):
        td.learn_fast(MountainCar(), 1, alpha=0.1, rng=rng)
    with pytest.raises(ValueError, match="an episode has no end: give max_episode_steps"):
        td.learn_fast(GridWorld(), 1, alpha=0.1, gamma=0.9, rng=rng)
    for offered in ([1, 2], [0, 1, 1, 1, 1, 1], [4, 1, 1, 1, 1, 1]):
        with pytest.raises(ValueError, match=r"offered must be \(S,\) = \(6,\) numbers of 1 ... 3 actions"):
            td.learn_fast(gusty(offered), 1, alpha=0.1, rng=rng)


def test_records_that_do_not_fit_are_refused():
    env, rng = gusty(), np.random.default_rng(0)
    with pytest.raises(TypeError, match="record_fast: MountainCar has no tables: play step by step"):
        off_policy.record_fast(MountainCar(), UNIFORM, 5, rng)
    with pytest.raises(ValueError, match="record_fast: policy must have shape"):
        off_policy.record_fast(env, UNIFORM, 5, rng)
    record = off_policy.record_fast(env, np.full((6, 3), 1 / 3), 5, rng)
    for wrong in (
        record._replace(state=record.state + 6), record._replace(next_state=record.state - 6), record._replace(action=record.action + 3),
        record._replace(action=record.action[:3]), off_policy.Transitions(*(column[:0] for column in record)),
        record._replace(terminated=record.terminated[:1]), record._replace(reward=record.reward * np.nan),
        record._replace(state=record.state * 1.0),
    ):  # fmt: skip
        with pytest.raises(ValueError, match="learn_off_policy: the record does not fit: "):
            off_policy.learn_off_policy(env, wrong, alpha=0.1, gamma=0.9, every=1)
    assert off_policy.learn_off_policy(env, record, alpha=0.1, gamma=0.9, every=2e0).shape == (3, 6, 3)
    with pytest.raises(ValueError, match="Sarsa's a' is its own, and a record of others has none"):
        off_policy.learn_off_policy(env, record, method="sarsa", alpha=0.1, gamma=0.9, every=1)
    with pytest.raises(ValueError, match="every must be an integer of at least 1, not 0"):
        off_policy.learn_off_policy(env, record, alpha=0.1, gamma=0.9, every=0)
    walk = play_fast(RandomWalk(5, 1), np.ones((7, 1)), 3, rng)
    for v, message in (
        (np.zeros(3), "td: the record does not fit"), (np.zeros(7, int), r"v must be float64 \(S,\), not int64"), (np.zeros((1, 7)), "v must be"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=message):
            td.td(v, walk, 0.1, 1.0)


class Beside(Environment):
    """A world whose second state is beside the three that it promises, or whose numbers do not begin at 0."""

    def __init__(self, second=1, start=0):
        super().__init__(Discrete(3, start=start), Discrete(2), 2)
        self.second, self.state = second, 0

    def begin(self, options):
        self.state = 0
        return 0

    def move(self, action):
        self.state = self.second
        return self.state, -1.0, False


@pytest.mark.parametrize("learn", [
    lambda env: td.learn(env, 1, alpha=0.1, rng=np.random.default_rng(0)),
    lambda env: monte_carlo.run_steps((0, False, 0.0, False), np.zeros(1), 0.9, np.ones((3, 2)), np.zeros((3, 2)), np.zeros((3, 2)),
                                      np.full((3, 2), 0.5), np.array([[0.5, 1]] * 3), env, np.random.default_rng(0)),
])  # fmt: skip
def test_a_state_beside_the_table_is_refused(learn):
    learn(Beside())
    for second in (3, -1):
        with pytest.raises(ValueError, match=f"in state {second}: a table of 3 rows has 0 ... 2"):
            learn(Beside(second))


def test_states_must_count_from_0():
    for learn in (
        lambda env, rng: td.learn(env, 1, alpha=0.1, rng=rng), lambda env, rng: monte_carlo.mc_epsilon_greedy(env, 0.9, 1, epsilon=0.1, rng=rng),
    ):  # fmt: skip
        with pytest.raises(ValueError, match="must count from 0"):
            learn(Beside(start=1), np.random.default_rng(0))


# ---- published numbers: Zhao


def rmse(q, best):
    """Of state values max_a q against the best ones, for one or several tables (..., S, A)."""
    return np.sqrt(np.mean((q.max(axis=-1) - best) ** 2, axis=-1))


def test_off_policy_q_learning_starts_where_the_book_does_and_arrives():
    """Zhao's figure 7.4: one episode of 100,000 steps of the uniform policy, α = .1. Three records, three starts of q."""
    env, got = GridWorld(), []
    best = value_iteration(env.mdp(), 0.9).values
    for q0, want in ((0.0, 7.9256), (10.0, 2.6131), (100.0, 92.2114)):
        assert rmse(np.full((25, 5), q0), best) == pytest.approx(want, abs=1e-4)
    for rng in seeds(3):
        record = off_policy.record_fast(env, UNIFORM, 20_000, rng)
        for q0 in (0.0, 10.0, 100.0):
            q = off_policy.learn_off_policy(env, record, alpha=0.1, gamma=0.9, every=20_000, Q=np.full((1, 25, 5), q0))
            got.append(rmse(q[-1], best))
    got = np.reshape(got, (3, 3))  # (seeds, starts)
    assert ((1 < got[:, 0]) & (got[:, 0] < 3)).all() and (got[:, 1] < 1e-3).all() and ((18 < got[:, 2]) & (got[:, 2] < 35)).all()


@pytest.mark.proof
def test_zhaos_figure_7_4():
    """RMSE after 25,000, 50,000 and 100,000 steps, 40 records; beside the range of three seeds of another program: our mean
    and its error must reach into it."""
    env, runs = GridWorld(), {0.0: [], 10.0: [], 100.0: []}
    best = value_iteration(env.mdp(), 0.9).values
    for rng in seeds(40):
        record = off_policy.record_fast(env, UNIFORM, 100_000, rng)
        for q0, errors in runs.items():
            q = off_policy.learn_off_policy(env, record, alpha=0.1, gamma=0.9, every=25_000, Q=np.full((1, 25, 5), q0))  # (K, S, A)
            errors.append(rmse(q, best)[[0, 1, 3]])
    others = {
        0.0: ((1.07, 1.67), (0.10, 0.26), (0.0016, 0.0054)),
        10.0: ((0, 1e-4),) * 3,
        100.0: ((16, 17), (1.6, 2.7), (0.02, 0.06)),
    }
    for q0, errors in runs.items():
        mean, spread = np.mean(errors, axis=0), np.std(errors, axis=0, ddof=1)
        for m, s, (low, high) in zip(mean, spread, others[q0]):
            slack = 3 * s * np.hypot(1 / np.sqrt(3), 1 / np.sqrt(40))
            assert low - slack <= m <= high + slack


@pytest.mark.proof
def test_zhaos_figure_7_5_a_policy_that_explores_little_teaches_little():
    """All-right behaviour, ε = .5 and .1: RMSE after 100,000 steps, beside one run of another program."""
    env = GridWorld()
    best, right = value_iteration(env.mdp(), 0.9).values, deterministic_policy(np.full(25, 1), 5)
    for epsilon, other in ((0.5, 5.59), (0.1, 7.90)):
        records = (off_policy.record_fast(env, soften(right, epsilon), 100_000, rng) for rng in seeds(40))
        got = [rmse(off_policy.learn_off_policy(env, x, alpha=0.1, gamma=0.9, every=100_000)[-1], best) for x in records]
        assert abs(np.mean(got) - other) < 3 * np.std(got, ddof=1) * np.hypot(1, 1 / np.sqrt(40))


def greedy_path(env, q, most=50):
    """States visited from the start by the best actions, at most so many."""
    path = [int(env.start.argmax())]
    while not env.tables.terminal[path[-1]] and len(path) < most:
        path.append(int(env.tables.next_state[path[-1], q[path[-1]].argmax(), 0]))
    return path


@pytest.mark.proof
@pytest.mark.parametrize("method, gamma, of_20", [
    ("q_learning", 0.9, 20), ("q_learning", 1.0, 20), ("sarsa", 0.9, 18), ("sarsa", 1.0, 16),
    ("expected_sarsa", 0.9, 16), ("expected_sarsa", 1.0, 18),
])  # fmt: skip
def test_zhaos_figures_7_2_and_7_3(method, gamma, of_20):
    """Share of 400 seeds with the clean path of 11 steps, of which the last is free; beside 20 seeds of another program."""
    env, clean = path_task(max_episode_steps=10_000), []
    assert value_iteration(env.mdp(), 1.0).values[0] == -10 and value_iteration(env.mdp(), 0.9).values[0] == pytest.approx(
        -6.5132, abs=1e-4
    )
    for rng in seeds(400):
        path = greedy_path(env, td.learn_fast(env, 500, method=method, alpha=0.1, gamma=gamma, rng=rng).q)
        clean.append(len(path) - 1 == 11 and env.tables.terminal[path[-1]])
    share, other = np.mean(clean), of_20 / 20
    pooled = (400 * share + of_20) / 420
    assert abs(share - other) <= 3 * np.sqrt(max(pooled * (1 - pooled), 0.01) * (1 / 400 + 1 / 20))
    assert method != "q_learning" or share == 1


# ---- published numbers: Sutton & Barto


def within(ours, other, error):
    """Whether the mean of our runs and the other's agree: 3 √(SE² + SE²)."""
    return abs(np.mean(ours) - other) <= 3 * np.hypot(np.std(ours, ddof=1) / np.sqrt(len(ours)), error)


@pytest.mark.proof
@pytest.mark.parametrize("method, other, error, steps, share", [
    ("sarsa", -26.99, 0.15, 17, 0.78), ("q_learning", -50.06, 0.16, 13, 1.0), ("expected_sarsa", -20.75, 0.04, 15, 1.0),
])  # fmt: skip
def test_the_cliff(method, other, error, steps, share):
    """Mean return in episodes 401 to 500 (α = .5, ε = .1), and the way that the greedy policy then goes, 1,000 runs."""
    env, late, ways = CliffWalking(100_000), [], []
    for rng in seeds(1000):
        learned = td.learn_fast(env, 500, method=method, alpha=0.5, rng=rng)
        late.append(learned.returns[400:].mean())
        ways.append(len(greedy_path(env, learned.q, 101)) - 1 == steps)
    assert within(late, other, error)
    assert abs(np.mean(ways) - share) <= 3 * np.sqrt(share * (1 - share) * (1 / 1000 + 1 / 2000))


@pytest.mark.proof
@pytest.mark.parametrize("method, alpha, interim, asymptotic", [
    ("sarsa", 1.0, -72, -844), ("q_learning", 1.0, -74.0, -50.6), ("expected_sarsa", 1.0, -43.8, -21.0),
    ("sarsa", 0.1, -140, -23.0), ("q_learning", 0.1, -151, -51.1), ("expected_sarsa", 0.1, -134, -22.2),
])  # fmt: skip
def test_the_cliff_early_and_late(method, alpha, interim, asymptotic):
    """Sutton & Barto's figure 6.3: mean return of the first 100 episodes (300 runs), of 10,000 (10 runs); the other numbers
    come without an error, so they get one like ours, and half a unit of their last digit."""
    env = CliffWalking(1_000_000)
    for runs, episodes, other in ((300, 100, interim), (10, 10_000, asymptotic)):
        mean = [td.learn_fast(env, episodes, method=method, alpha=alpha, rng=rng).returns.mean() for rng in seeds(runs)]
        digit = 0.5 if other == int(other) and abs(other) > 60 else 0.05
        assert within(mean, other, np.std(mean, ddof=1) / np.sqrt(runs) + digit), (np.mean(mean), np.std(mean) / np.sqrt(runs))


@pytest.mark.proof
def test_the_windy_grid():
    """Episodes that Sarsa finishes in 8,000 steps (α = .5, ε = .1), 1,000 runs."""
    env = WindyGrid(max_episode_steps=8000)
    done = [(np.cumsum(td.learn_fast(env, 300, alpha=0.5, rng=rng).lengths) <= 8000).sum() for rng in seeds(1000)]
    assert within(done, 159.9, 0.3)


@pytest.mark.proof
@pytest.mark.parametrize(
    "method, others", [("q_learning", (49.4, 87.3, 46.9, 12.5)), ("double_q_learning", (49.4, 45.4, 9.1, 6.9))]
)
def test_the_maximisation_bias(method, others):
    """How many per cent of 10,000 runs go left in episodes 1, 10, 100 and 300 (α = .1, ε = .1)."""
    env = MaximizationBias()
    lengths = np.array(
        [td.learn_fast(env, 300, method=method, alpha=0.1, rng=rng).lengths[[0, 9, 99, 299]] for rng in seeds(10_000)]
    )
    share, p = 100 * (lengths == 2).mean(axis=0), np.array(others) / 100
    assert (np.abs(share - others) <= 3 * 100 * np.sqrt(2 * p * (1 - p) / 10_000)).all()
