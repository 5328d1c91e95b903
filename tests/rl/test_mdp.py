"""Values of policies: the printed figures of Zhao's chapters 2, 3, 5 and 8 and of Sutton & Barto, closed form against iteration."""

import json
from pathlib import Path

import numpy as np
import pytest

from rl import mdp as m
from rl.dynamic_programming import value_iteration
from rl.envs import GridWorld, RandomWalk
from rl.mdp import MDP, action_values, deterministic_policy, soften, state_values, uniform_policy

TABLES = json.loads((Path(__file__).parent / "grid_tables.json").read_text(encoding="utf-8"))
UP, RIGHT, DOWN, LEFT, STAY = range(5)
SMALL = GridWorld(".#\n.G").mdp()  # the 2 x 2 world: s2 forbidden, s4 the target


def assert_printed(values, text):
    """The book prints one digit, so a value may differ by half a unit of it."""
    expected = np.array([row.split() for row in text.split("/")], float).ravel()
    np.testing.assert_allclose(np.ravel(values), expected, rtol=0, atol=0.05 + 1e-9)


def assert_table(values, name):
    np.testing.assert_allclose(values, np.ravel(TABLES[name]), rtol=0, atol=1e-8)


def random_mdp(rng, S=8, A=3, terminal=0):
    P, R = rng.dirichlet(np.full(S, 0.3), (S, A)), rng.standard_normal((S, A))
    P[:terminal], R[:terminal] = np.eye(S)[:terminal, None], 0
    return MDP(P, R)


def sutton_barto_grid():
    """Example 3.5: A (0, 1) -> A' (4, 1) for 10, B (0, 3) -> B' (2, 3) for 5, off the grid -1; up, right, down, left."""
    P, R = np.zeros((25, 4, 25)), np.zeros((25, 4))
    for s, a in np.ndindex(25, 4):
        y, x = s // 5 + (-1, 0, 1, 0)[a], s % 5 + (0, 1, 0, -1)[a]
        inside = y in range(5) and x in range(5)
        to, R[s, a] = {1: (21, 10), 3: (13, 5)}.get(s, (5 * y + x, 0) if inside else (s, -1))
        P[s, a, to] = 1
    return MDP(P, R)


# ---- small worlds, by hand


def test_figure_2_4():
    policy = deterministic_policy([DOWN, DOWN, RIGHT, STAY], 5)
    np.testing.assert_allclose(state_values(SMALL, policy, 0.9), [9, 10, 10, 10], atol=1e-12)


def test_figure_2_5():
    policy = deterministic_policy([DOWN, DOWN, RIGHT, STAY], 5)
    policy[0] = [0, 0.5, 0.5, 0, 0]
    np.testing.assert_allclose(state_values(SMALL, policy, 0.9), [8.5, 10, 10, 10], atol=1e-12)


def test_figure_3_2():
    policy = deterministic_policy([RIGHT, DOWN, RIGHT, STAY], 5)
    v = state_values(SMALL, policy, 0.9)
    np.testing.assert_allclose(v, [8, 10, 10, 10], atol=1e-12)
    np.testing.assert_allclose(action_values(SMALL, v, 0.9)[0], [6.2, 8, 9, 6.2, 7.2], atol=1e-12)


def test_figure_3_5_a_detour_costs_without_any_penalty():
    free = GridWorld("..\n.G").mdp()
    straight, detour = ([DOWN, a, RIGHT, STAY] for a in (DOWN, LEFT))
    np.testing.assert_allclose(state_values(free, deterministic_policy(straight, 5), 0.9), [9, 10, 10, 10], atol=1e-12)
    np.testing.assert_allclose(state_values(free, deterministic_policy(detour, 5), 0.9), [9, 8.1, 10, 10], atol=1e-12)


def test_the_3_by_3_world_of_chapter_5():
    mdp = GridWorld("...\n..#\n#.G").mdp()
    v = state_values(mdp, deterministic_policy([UP, DOWN, RIGHT, RIGHT, DOWN, DOWN, RIGHT, RIGHT, STAY], 5), 0.9)
    np.testing.assert_allclose(v, [-10, 8.1, -10, 8.1, 9, 10, 9, 10, 10], atol=1e-12)
    np.testing.assert_allclose(action_values(mdp, v, 0.9)[0], [-10, 7.29, 7.29, -10, -9], atol=1e-12)


def test_figure_8_5_the_stationary_distribution_of_an_epsilon_greedy_policy():
    policy = soften(deterministic_policy([DOWN, DOWN, RIGHT, STAY], 5), 0.5)
    P, _ = m.under(SMALL, policy)
    np.testing.assert_allclose(P.T, [[0.3, 0.1, 0.1, 0], [0.1, 0.3, 0, 0.1], [0.6, 0, 0.3, 0.1], [0, 0.6, 0.6, 0.8]], atol=1e-12)
    np.testing.assert_allclose(np.sort(np.linalg.eigvals(P.T).real), [-0.0449, 0.3, 0.4449, 1], atol=5e-5)
    d = m.stationary_distribution(SMALL, policy)
    np.testing.assert_allclose(d, [0.0345, 0.1084, 0.1330, 0.7241], atol=5e-5)
    np.testing.assert_allclose(d @ P, d, atol=1e-14)


# ---- the 5 x 5 grid


def test_figure_2_7_always_right():
    v = state_values(GridWorld().mdp(), deterministic_policy([RIGHT] * 25, 5), 0.9)
    assert_table(v, "2.7b")
    assert_printed(
        v,
        "-6.6 -7.3 -8.1 -9 -10 / -8.5 -8.3 -8.1 -9 -10 / -7.5 -8.3 -8.1 -9 -10 / -7.5 -7.2 -9.1 -9 -10 / -7.6 -7.3 -8.1 -9 -10",
    )


def test_figure_8_6_uniformly_at_random():
    mdp = GridWorld().mdp()
    v = state_values(mdp, uniform_policy(mdp), 0.9)
    assert_table(v, "8.6")
    assert_printed(
        v,
        "-3.8 -3.8 -3.6 -3.1 -3.2 / -3.8 -3.8 -3.8 -3.1 -2.9 / -3.6 -3.9 -3.4 -3.2 -2.9 / -3.9 -3.6 -3.4 -2.9 -3.2 / "
        "-4.5 -4.2 -3.4 -3.4 -3.5",
    )
    np.testing.assert_allclose(v[:5], [-3.846349, -3.813770, -3.644241, -3.120936, -3.235013], atol=5e-7)
    assert abs(v.mean() + 3.52) < 1e-12
    d = m.stationary_distribution(mdp, uniform_policy(mdp))
    np.testing.assert_allclose(d, 1 / 25, atol=1e-12)
    _, r = m.under(mdp, uniform_policy(mdp))
    assert abs(d @ r + 0.352) < 1e-12 and abs(d @ r - (1 - 0.9) * d @ v) < 1e-12  # lemma 9.1


@pytest.mark.parametrize(
    "epsilon, total, corner, target, below",
    [(0.1, 38.724799, 0.4, 3.3, 2.592011), (0.2, -61.515250, -2.2, -2.8, -3.248457), (0.5, -287.647122, -8.0, -17.0, -16.699540)],
)
def test_figure_5_6_the_optimum_made_epsilon_greedy(epsilon, total, corner, target, below):
    """Only with a bounce in (5, 2) that costs -11, which the book does not say."""
    mdp = GridWorld(reward_forbidden=-10, bounce_in_forbidden="additive").mdp()
    policy = soften(value_iteration(mdp, 0.9).policy, epsilon)
    v = state_values(mdp, policy, 0.9)
    assert_printed(v[[0, 17, 21]], f"{corner} {target} {below:.1f}")
    np.testing.assert_allclose([v.sum(), v[21]], [total, below], atol=5e-7)
    if epsilon != 0.2:
        assert_table(v, f"5.6 epsilon .{round(10 * epsilon)}")
    plain = state_values(GridWorld(reward_forbidden=-10).mdp(), policy, 0.9)
    assert plain[21] - v[21] > 0.2


# ---- Sutton & Barto


def test_figure_3_2_of_sutton_and_barto():
    mdp = sutton_barto_grid()
    assert_printed(
        state_values(mdp, uniform_policy(mdp), 0.9),
        "3.3 8.8 4.4 5.3 1.5 / 1.5 3.0 2.3 1.9 .5 / .1 .7 .7 .4 -.4 / -1.0 -.4 -.4 -.6 -1.2 / -1.9 -1.3 -1.2 -1.4 -2.0",
    )


def test_figure_4_1_of_sutton_and_barto_without_discount():
    env = GridWorld("G...\n....\n....\n...G", ("up", "right", "down", "left"), -1, -1, -1, -1, target_terminal=True)
    expected = [0, -14, -20, -22, -14, -18, -20, -20, -20, -20, -18, -14, -22, -20, -14, 0]
    mdp = env.mdp()
    np.testing.assert_allclose(state_values(mdp, uniform_policy(mdp), 1), expected, atol=1e-12)


def test_the_1000_state_walk():
    mdp = RandomWalk().mdp()
    v = state_values(mdp, uniform_policy(mdp), 1)
    np.testing.assert_allclose(v[[1, 250, 500]], [-0.9220, -0.4727, -0.0009], atol=5e-5)
    assert v[0] == v[1001] == 0
    np.testing.assert_allclose(v[1:-1], -v[-2:0:-1], atol=1e-12)  # the world is the same from the other side
    steps = MDP(mdp.P, np.where(mdp.terminal, 0.0, 1.0)[:, None])  # a reward of 1 a step: the value is the mean length
    assert abs(state_values(steps, uniform_policy(mdp), 1)[500] - 83.152) < 5e-4


def test_the_19_state_walk_is_a_straight_line():
    mdp = RandomWalk(19, 1).mdp()
    np.testing.assert_allclose(state_values(mdp, uniform_policy(mdp), 1)[1:-1], np.arange(-9, 10) / 10, atol=1e-12)


# ---- closed form and iteration


@pytest.mark.parametrize("gamma", [0, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("terminal", [0, 2, 8])
def test_closed_form_equals_iteration(gamma, terminal):
    rng = np.random.default_rng(terminal)
    mdp = random_mdp(rng, terminal=terminal)
    policy = rng.dirichlet(np.ones(3), 8)
    v, history = state_values(mdp, policy, gamma), m.state_values_by_iteration(mdp, policy, gamma)
    np.testing.assert_allclose(history[-1], v, rtol=0, atol=1e-10)
    P, r = m.under(mdp, policy)
    np.testing.assert_allclose(v, r + gamma * P @ v, atol=1e-12)
    assert (v[:terminal] == 0).all() and mdp.terminal.sum() == terminal


def test_closed_form_equals_iteration_without_discount():
    rng = np.random.default_rng(0)
    mdp = random_mdp(rng, terminal=1)
    policy = rng.dirichlet(np.ones(3), 8)
    np.testing.assert_allclose(m.state_values_by_iteration(mdp, policy, 1)[-1], state_values(mdp, policy, 1), atol=1e-10)


def test_iteration_forgets_its_start_and_shrinks_the_error_by_gamma():
    rng = np.random.default_rng(1)
    mdp = random_mdp(rng, terminal=1)
    policy = uniform_policy(mdp)
    v = state_values(mdp, policy, 0.8)
    history = m.state_values_by_iteration(mdp, policy, 0.8, start=np.full(8, 100.0))
    assert history[0, 0] == 0 and (history[0, 1:] == 100).all()  # a terminal state is worth 0, whatever the start says
    errors = np.abs(history - v).max(axis=1)
    assert (errors[1:] <= 0.8 * errors[:-1] + 1e-12).all() and errors[-1] < 1e-10


def test_large_rewards_settle_too():
    rng = np.random.default_rng(2)
    mdp = random_mdp(rng)
    mdp = MDP(mdp.P, 1e9 * mdp.R)
    v = state_values(mdp, uniform_policy(mdp), 0.9)
    np.testing.assert_allclose(
        m.state_values_by_iteration(mdp, uniform_policy(mdp), 0.9)[-1], v, rtol=0, atol=1e-11 * np.abs(v).max()
    )


def test_values_equal_the_mean_of_sampled_returns():
    """The definition itself: 1,000 episodes of a walk, gamma = .95."""
    env = RandomWalk(9, 1)
    mdp = env.mdp()
    v = state_values(mdp, uniform_policy(mdp), 0.95)
    returns = []
    env.reset(seed=0)
    for _ in range(1000):
        env.reset(options={"state": 7})
        g, discount, terminated = 0.0, 1.0, False
        while not terminated:
            _, reward, terminated, _, _ = env.step(0)
            g, discount = g + discount * reward, discount * 0.95
        returns.append(g)
    assert abs(np.mean(returns) - v[7]) < 3 * np.std(returns) / np.sqrt(len(returns))


def test_affine_rewards_move_values_affinely():
    """r -> a r + b gives v -> a v + b / (1 - gamma): here for a policy; for the optimum in test_dynamic_programming."""
    rng = np.random.default_rng(3)
    mdp, policy = random_mdp(rng), rng.dirichlet(np.ones(3), 8)
    v = state_values(MDP(mdp.P, 3 * mdp.R - 2), policy, 0.9)
    np.testing.assert_allclose(v, 3 * state_values(mdp, policy, 0.9) - 2 / (1 - 0.9), atol=1e-11)


def test_values_are_the_policys_mean_of_action_values():
    rng = np.random.default_rng(4)
    mdp, policy = random_mdp(rng), rng.dirichlet(np.ones(3), 8)
    v = state_values(mdp, policy, 0.9)
    np.testing.assert_allclose((policy * action_values(mdp, v, 0.9)).sum(axis=1), v, atol=1e-12)
    assert action_values(mdp, list(v), 0.9).shape == (8, 3)


# ---- policies


def test_a_state_is_terminal_also_where_its_probabilities_sum_to_1_only_nearly():
    """Two hundred outcomes of probability 1 / 200 that all stay: their sum is 1 but for rounding."""
    stay = sum([1 / 200] * 200)
    assert stay != 1
    mdp = MDP([[[0.5, 0.5]], [[0, stay]]], [[1.0], [0.0]])
    assert mdp.terminal.tolist() == [False, True]
    np.testing.assert_allclose(state_values(mdp, uniform_policy(mdp), 1), [2, 0])


def test_policies():
    mdp = GridWorld().mdp()
    assert (uniform_policy(mdp) == 0.2).all()
    greedy = deterministic_policy([2, 0], 4)
    assert greedy.tolist() == [[0, 0, 1, 0], [1, 0, 0, 0]]
    soft = soften(greedy, 0.4)
    np.testing.assert_allclose(soft, [[0.1, 0.1, 0.7, 0.1], [0.7, 0.1, 0.1, 0.1]])  # 1 - eps + eps / |A| and eps / |A|
    np.testing.assert_allclose(soften(greedy.tolist(), 1), 0.25)
    np.testing.assert_array_equal(soften(greedy, 0), greedy)


def test_a_process_with_noise_is_the_process_of_a_policy_with_noise():
    rng = np.random.default_rng(5)
    mdp, policy = random_mdp(rng, terminal=1), rng.dirichlet(np.ones(3), 8)
    v = state_values(m.soften_mdp(mdp, 0.3), policy, 0.9)
    np.testing.assert_allclose(v, state_values(mdp, soften(policy, 0.3), 0.9), atol=1e-12)


def test_probabilities_of_a_float32_network_are_welcome():
    mdp = GridWorld().mdp()
    logits = np.random.default_rng(0).standard_normal((25, 5)).astype(np.float32)
    policy = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert policy.dtype == np.float32
    np.testing.assert_allclose(state_values(mdp, policy, 0.9), state_values(mdp, policy.astype(float), 0.9))


def test_stationary_distribution_counts_a_long_walk():
    env = GridWorld(".#\n.G")
    policy = soften(deterministic_policy([DOWN, DOWN, RIGHT, STAY], 5), 0.5)
    d, rng, counts = m.stationary_distribution(SMALL, policy), np.random.default_rng(0), np.zeros(4)
    s, _ = env.reset(seed=0)
    cumulative = policy.cumsum(axis=1)
    for _ in range(20_000):
        s, *_ = env.step(int(np.searchsorted(cumulative[s], rng.random(), side="right")))
        counts[s] += 1
    np.testing.assert_allclose(counts / 20_000, d, atol=0.015)


def test_states_that_are_left_for_good_have_no_share():
    d = m.stationary_distribution(SMALL, deterministic_policy([DOWN, DOWN, RIGHT, STAY], 5))
    np.testing.assert_allclose(d, [0, 0, 0, 1], atol=1e-12)


# ---- printing, and what is refused


def test_a_process_prints_itself():
    lines = str(GridWorld("SG", ("right", "stay"), target_terminal=True).mdp()).splitlines()
    assert lines[0] == "MDP of 2 states, 2 actions; terminal: [1]"
    assert lines[1:3] == ["s=0 a=0  r=1      s'=1 p=1", "s=0 a=1  r=0      s'=0 p=1"] and len(lines) == 5


def test_a_process_owns_its_arrays():
    P, R = np.ones((1, 1, 1)), np.ones((1, 1))
    mdp = MDP(P, R)
    R[0, 0] = 7
    assert mdp.R[0, 0] == 1


GOOD = {"P": np.full((2, 3, 2), 0.5), "R": np.zeros((2, 3))}


@pytest.mark.parametrize(
    "change, message",
    [
        ({"P": np.full((2, 3, 2), 0.4)}, r"P\[0, 0\] sums to 0.8, not to 1: each row must be a probability distribution"),
        ({"P": np.array([[[0.5, 0.5]] * 3, [[0.5, 0.5], [1.2, -0.2], [0.5, 0.5]]])}, r"P\[1, 1\] holds -0.2"),
        ({"P": np.full((2, 3, 2), np.nan)}, r"P\[0, 0\] holds nan"),
        ({"P": np.full((2, 3, 2), np.inf)}, r"P\[0, 0\] sums to inf"),
        ({"P": np.ones((2, 3))}, r"P must have shape \(S, A, S\), not \(2, 3\)"),
        ({"P": np.ones((2, 3, 3))}, r"P must have shape \(S, A, S\), not \(2, 3, 3\)"),
        ({"P": np.ones((0, 3, 0))}, r"P must have shape \(S, A, S\), not \(0, 3, 0\)"),
        ({"R": np.zeros((2, 3, 2))}, r"R must have shape \(S, A\) = \(2, 3\), not \(2, 3, 2\)"),
        ({"R": np.array([[0, 0, 0], [0, np.nan, 0]])}, r"R\[1, 1\] is nan: every reward must be a finite number"),
        ({"R": np.full((2, 3), -np.inf)}, r"R\[0, 0\] is -inf"),
    ],
)
def test_a_process_that_is_none(change, message):
    MDP(**GOOD)
    with pytest.raises(ValueError, match=f"MDP: {message}"):
        MDP(**GOOD | change)


U = np.full((4, 5), 0.2)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: state_values(SMALL, U[:3], 0.9), r"policy must have shape \(S, A\) = \(4, 5\), not \(3, 5\)"),
        (lambda: state_values(SMALL, [UP] * 4, 0.9), r"policy must have shape \(S, A\) = \(4, 5\), not \(4,\)"),
        (lambda: state_values(SMALL, 2 * U, 0.9), r"policy\[0\] sums to 2, not to 1"),
        (lambda: state_values(SMALL, np.where(np.eye(4, 5) > 0, np.nan, U), 0.9), r"policy\[0\] holds nan"),
        (lambda: state_values(SMALL, U, 1.1), "gamma must lie between 0 and 1, not 1.1"),
        (lambda: state_values(SMALL, U, -0.1), "gamma must lie between 0 and 1, not -0.1"),
        (lambda: state_values(SMALL, U, np.nan), "gamma must lie between 0 and 1, not nan"),
        (lambda: state_values(SMALL, U, 1), "gamma = 1, but from state 0 no terminal state is ever reached"),
        (lambda: m.state_values_by_iteration(SMALL, U, 1), "gamma = 1, but from state 0 no terminal state"),
        (lambda: m.state_values_by_iteration(SMALL, U, 0.9, tolerance=-1), "tolerance must be at least 0, not -1"),
        (lambda: m.state_values_by_iteration(SMALL, U, 0.9, tolerance=np.nan), "tolerance must be at least 0, not nan"),
        (lambda: m.state_values_by_iteration(SMALL, U, 0.9, start=0.0), r"values must have shape \(S,\) = \(4,\), not \(\)"),
        (lambda: action_values(SMALL, np.zeros((2, 2)), 0.9), r"values must have shape \(S,\) = \(4,\), not \(2, 2\)"),
        (lambda: action_values(SMALL, np.zeros((4, 1)), 0.9), r"values must have shape \(S,\) = \(4,\), not \(4, 1\)"),
        (lambda: action_values(SMALL, [0, 0, np.nan, 0], 0.9), r"values\[2\] is nan"),
        (lambda: action_values(SMALL, np.zeros(4), 2), "gamma must lie between 0 and 1, not 2"),
        (lambda: deterministic_policy([0, 5], 5), r"actions must be one integer of 0 \.\.\. 4 for each state"),
        (lambda: deterministic_policy([0, -1], 5), "actions must be one integer"),
        (lambda: deterministic_policy([0.0, 1.0], 5), "actions must be one integer"),
        (lambda: soften(U, 1.5), "epsilon must lie between 0 and 1, not 1.5"),
        (lambda: m.soften_mdp(SMALL, -0.1), "epsilon must lie between 0 and 1, not -0.1"),
        (lambda: m.stationary_distribution(SMALL, deterministic_policy([STAY] * 4, 5)), "there are several"),
    ],
)
def test_what_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_without_discount_only_a_policy_that_ends_has_a_value():
    mdp = GridWorld("SG", target_terminal=True).mdp()
    assert state_values(mdp, deterministic_policy([RIGHT, STAY], 5), 1)[0] == 1
    with pytest.raises(
        ValueError, match="gamma = 1, but from state 0 no terminal .* use gamma < 1, make a state terminal, or choose"
    ):
        state_values(mdp, deterministic_policy([STAY, STAY], 5), 1)


def test_sweeps_that_do_not_settle():
    history = [np.arange(3.0) + k for k in range(11)]
    assert not m.settled(history[:1], 0.1, 1) and not m.settled(history[:10], 0.1, 1, most=10)
    assert m.settled(history, 1, 1, most=10)
    with pytest.raises(
        ValueError, match="with gamma = 1, values still change by 1 after 10 sweeps: a cycle of states may pay for ever"
    ):
        m.settled(history, 0.1, 1, most=10)
    with pytest.raises(ValueError, match="with gamma = 0.99, values still change by 1 after 10 sweeps: solve exactly"):
        m.settled(history, 0.1, 0.99, most=10)


@pytest.mark.proof
def test_a_discount_too_close_to_1_for_sweeps():
    with pytest.raises(ValueError, match="with gamma = 0.999999, values still change by .* after 100,000 sweeps: solve exactly"):
        m.state_values_by_iteration(SMALL, U, 0.999999)
