"""The Bellman optimality equation and three ways to solve it: the printed figures of Zhao's chapters 3, 4 and 5 and of Sutton & Barto."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from rl.dynamic_programming import (
    bellman_optimality,
    greedy_policy,
    optimal_actions,
    policy_iteration,
    truncated_policy_iteration,
    value_iteration,
)
from rl.envs import GridWorld
from rl.mdp import (
    MDP,
    action_values,
    deterministic_policy,
    soften,
    soften_mdp,
    state_values,
    state_values_by_iteration,
    stationary_distribution,
)

TABLES = json.loads((Path(__file__).parent / "grid_tables.json").read_text(encoding="utf-8"))
UP, RIGHT, DOWN, LEFT, STAY = range(5)
A, B = GridWorld(), GridWorld(reward_forbidden=-10)  # the two sets of rewards of the book
WAYS = {
    "value iteration": value_iteration,
    "policy iteration": lambda mdp, gamma: policy_iteration(mdp, gamma),
    "truncated, j = 1": lambda mdp, gamma: truncated_policy_iteration(mdp, gamma, 1),
    "truncated, j = 7": lambda mdp, gamma: truncated_policy_iteration(mdp, gamma, 7),
}
all_ways = pytest.mark.parametrize("solve", WAYS.values(), ids=WAYS)


def assert_printed(values, text):
    """The book prints one digit, so a value may differ by half a unit of it."""
    expected = np.array([row.split() for row in text.split("/")], float).ravel()
    np.testing.assert_allclose(np.ravel(values), expected, rtol=0, atol=0.05 + 1e-9)


def random_mdp(rng, S=8, A=3, terminal=0):
    P, R = rng.dirichlet(np.full(S, 0.3), (S, A)), rng.standard_normal((S, A))
    P[:terminal], R[:terminal] = np.eye(S)[:terminal, None], 0
    return MDP(P, R)


def path(env, policy, s, most=60):
    """The states from s on, under a deterministic policy, up to the target."""
    states = [s]
    while env.cells.ravel()[states[-1]] != "G" and len(states) < most:
        states.append(int(env.tables.next_state[states[-1], policy[states[-1]].argmax(), 0]))
    return states


# ---- small worlds, by hand


@all_ways
def test_figure_3_2_improved(solve):
    mdp = GridWorld(".#\n.G").mdp()
    best = solve(mdp, 0.9)
    np.testing.assert_allclose(best.values, [9, 10, 10, 10], atol=1e-12)
    np.testing.assert_allclose(action_values(mdp, best.values, 0.9)[0], [7.1, 8, 9, 7.1, 8.1], atol=1e-12)


@all_ways
def test_figure_3_5_the_best_way_has_no_detour(solve):
    np.testing.assert_allclose(solve(GridWorld("..\n.G").mdp(), 0.9).values, [9, 10, 10, 10], atol=1e-12)


def test_tables_4_1_to_4_3_value_iteration_by_hand():
    gamma, mdp = 0.9, GridWorld(".#\n.G").mdp()
    history = value_iteration(mdp, gamma).history
    assert history[0].tolist() == [0, 0, 0, 0] and history[1].tolist() == [0, 1, 1, 1]
    np.testing.assert_allclose(history[2], [gamma, 1 + gamma, 1 + gamma, 1 + gamma], atol=1e-15)
    first = optimal_actions(mdp, history[0], gamma)
    assert np.flatnonzero(first[0]).tolist() == [DOWN, STAY]  # the tie of table 4.1
    second = greedy_policy(mdp, history[1], gamma)
    np.testing.assert_array_equal(second, value_iteration(mdp, gamma).policy)
    np.testing.assert_allclose(state_values(mdp, second, gamma), [9, 10, 10, 10], atol=1e-12)


def test_tables_4_4_and_4_5_policy_iteration_by_hand():
    """Two states, the right one is the target; actions left, stay, right."""
    mdp = GridWorld(".G", ("left", "stay", "right")).mdp()
    left = deterministic_policy([0, 0], 3)
    v = state_values(mdp, left, 0.9)
    np.testing.assert_allclose(v, [-10, -9], atol=1e-12)
    np.testing.assert_allclose(action_values(mdp, v, 0.9), [[-10, -9, -7.1], [-9, -7.1, -9.1]], atol=1e-12)
    history = state_values_by_iteration(mdp, left, 0.9)
    np.testing.assert_allclose(history[1:4], [[-1, 0], [-1.9, -0.9], [-2.71, -1.71]], atol=1e-12)
    best = policy_iteration(mdp, 0.9, start=left)
    assert best.sweeps == 1 and best.policy.argmax(axis=1).tolist() == [2, 1]
    np.testing.assert_allclose(best.values, [10, 10], atol=1e-12)


@all_ways
def test_the_3_by_3_world_of_chapter_5(solve):
    mdp = GridWorld("...\n..#\n#.G").mdp()
    np.testing.assert_allclose(solve(mdp, 0.9).values, [7.29, 8.1, 8, 8.1, 9, 10, 9, 10, 10], atol=1e-12)


# ---- the 5 x 5 grid


@all_ways
def test_figure_3_4a(solve):
    v = solve(A.mdp(), 0.9).values
    np.testing.assert_allclose(v, np.ravel(TABLES["3.4a"]), rtol=0, atol=1e-8)
    assert_printed(
        v, "5.8 5.6 6.2 6.5 5.8 / 6.5 7.2 8 7.2 6.5 / 7.2 8 10 8 7.2 / 8 10 10 10 8 / 7.2 9 10 9 8.1"
    )  # fmt: skip
    np.testing.assert_allclose(v[:5], [5.832, 5.58, 6.2, 6.48, 5.832], atol=1e-12)
    assert round(v.mean(), 4) == 7.7994


@all_ways
def test_figure_3_4d(solve):
    """It is also figure 2.7a, 4.4h, 5.4h and 5.6a."""
    v = solve(B.mdp(), 0.9).values
    np.testing.assert_allclose(v, np.ravel(TABLES["3.4d"]), rtol=0, atol=1e-8)
    assert_printed(
        v, "3.5 3.9 4.3 4.8 5.3 / 3.1 3.5 4.8 5.3 5.9 / 2.8 2.5 10 5.9 6.6 / 2.5 10 10 10 7.3 / 2.3 9 10 9 8.1"
    )  # fmt: skip
    assert abs(v[0] - 10 * 0.9**10) < 1e-12


@all_ways
def test_figure_3_4b_a_short_sighted_agent_takes_no_risk(solve):
    """gamma = .5: the cost of a forbidden cell comes before the reward behind it, so the ways of -10 are the best at -1, too."""
    best, harsh = solve(A.mdp(), 0.5), solve(B.mdp(), 0.9)
    states = path(A, best.policy, 0)
    assert len(states) == 12 and not any(A.cells.ravel()[s] == "#" for s in states)
    assert abs(best.values[0] - 0.5**10 / (1 - 0.5)) < 1e-12 and abs(best.values[17] - 2) < 1e-12
    np.testing.assert_array_equal(optimal_actions(A.mdp(), best.values, 0.5), optimal_actions(B.mdp(), harsh.values, 0.9))
    assert len(path(A, solve(A.mdp(), 0.9).policy, 0)) == 6  # at .9 it goes straight through


@all_ways
def test_figure_3_4c_without_any_foresight_only_the_next_reward_counts(solve):
    best = solve(A.mdp(), 0)
    np.testing.assert_array_equal(best.values, A.mdp().R.max(axis=1))
    assert np.flatnonzero(best.values).tolist() == [12, 16, 17, 18, 22]  # the target and its neighbours
    assert len(path(A, best.policy, 0)) == 60  # never arrives


@pytest.mark.parametrize("env, pairs", [(A, 31), (B, 27)])
def test_all_optimal_actions(env, pairs):
    mdp = env.mdp()
    best = optimal_actions(mdp, policy_iteration(mdp, 0.9).values, 0.9)
    assert best.sum() == pairs and best.any(axis=1).all()


def test_ties_survive_rounding():
    """Values that differ in their last bits only must not part two equally good ways."""
    mdp, rng = A.mdp(), np.random.default_rng(0)
    v = policy_iteration(mdp, 0.9).values + 1e-13 * rng.standard_normal(25)
    assert optimal_actions(mdp, v, 0.9).sum() == 31 > optimal_actions(mdp, v, 0.9, tie=0).sum()
    assert optimal_actions(mdp, v, 0.9, tie=10).all()


def test_any_choice_among_ties_has_the_same_values():
    mdp, rng = A.mdp(), np.random.default_rng(0)
    v = policy_iteration(mdp, 0.9).values
    best = optimal_actions(mdp, v, 0.9)
    for _ in range(5):
        mixed = best * rng.random(best.shape)
        np.testing.assert_allclose(state_values(mdp, mixed / mixed.sum(axis=1, keepdims=True), 0.9), v, atol=1e-12)
    assert best[0].tolist() == [False, False, True, False, False] and best[4].tolist() == [False, False, True, True, False]


@pytest.mark.parametrize("length", [1, 2, 3, 4, 14, 15, 100])
def test_figure_5_4_an_episode_of_length_n_sees_as_far_as_n_sweeps(length):
    history = value_iteration(B.mdp(), 0.9).history
    np.testing.assert_allclose(history[length], np.ravel(TABLES[f"5.4 length {length}"]), rtol=0, atol=1e-8)


def test_figure_5_4_printed():
    history = value_iteration(B.mdp(), 0.9).history
    lengths = [1, 2, 3, 4, 14, 15, 30, 100]
    assert_printed(history[lengths, 20], "0 0 0 0 0.0 .2 1.9 2.3")  # (5, 1): 15 steps from the first reward
    assert_printed(history[lengths, 17], "1 1.9 2.7 3.4 7.7 7.9 9.6 10")
    assert_printed(history[30, :5], "3.1 3.5 3.9 4.4 4.9")
    assert history[14, 20] == 0 and abs(history[15, 20] - 0.9**14) < 1e-12
    np.testing.assert_allclose(history[100], policy_iteration(B.mdp(), 0.9).values, atol=5e-4)


def test_figure_5_7_the_best_epsilon_greedy_policy_flees_from_the_target():
    mdp = GridWorld(reward_forbidden=-10, bounce_in_forbidden="additive").mdp()
    optimum = policy_iteration(mdp, 0.9)
    optimal = optimal_actions(mdp, optimum.values, 0.9)
    for epsilon in (0.1, 0.2, 0.5):
        noisy = soften_mdp(mdp, epsilon)
        best = policy_iteration(noisy, 0.9)
        consistent = state_values(mdp, soften(optimum.policy, epsilon), 0.9)
        np.testing.assert_allclose(state_values(mdp, soften(best.policy, epsilon), 0.9), best.values, atol=1e-12)
        assert (best.values >= consistent - 1e-12).all()
        still_optimal = (best.policy * optimal).sum(axis=1) == 1
        assert still_optimal.all() == (epsilon == 0.1)
        share = stationary_distribution(mdp, soften(best.policy, epsilon))[17]
        assert (share > 0.85) if epsilon == 0.1 else (share < 0.01)
    assert optimum.policy[17].argmax() == STAY
    assert not optimal_actions(noisy, best.values, 0.9)[17, STAY]  # at .5: not even a tie


@pytest.mark.parametrize("env, gamma, sweeps", [(A, 0.9, 133), (B, 0.9, 133), (A, 0.5, 21)])
def test_how_many_sweeps_value_iteration_needs(env, gamma, sweeps):
    assert value_iteration(env.mdp(), gamma, tolerance=1e-6).sweeps == sweeps


# ---- Sutton & Barto


@all_ways
def test_figure_3_5_of_sutton_and_barto(solve):
    P, R = np.zeros((25, 4, 25)), np.zeros((25, 4))
    for s, a in np.ndindex(25, 4):
        y, x = s // 5 + (-1, 0, 1, 0)[a], s % 5 + (0, 1, 0, -1)[a]
        inside = y in range(5) and x in range(5)
        to, R[s, a] = {1: (21, 10), 3: (13, 5)}.get(s, (5 * y + x, 0) if inside else (s, -1))
        P[s, a, to] = 1
    v = solve(MDP(P, R), 0.9).values
    assert_printed(
        v,
        "22.0 24.4 22.0 19.4 17.5 / 19.8 22.0 19.8 17.8 16.0 / 17.8 19.8 17.8 16.0 14.4 / 16.0 17.8 16.0 14.4 13.0 / "
        "14.4 16.0 14.4 13.0 11.7",
    )
    assert round(v[1], 7) == 24.4194281


@all_ways
def test_a_shortest_way_out_without_discount(solve):
    """Figure 4.1's world: minus the number of steps to the nearer corner."""
    env = GridWorld("G...\n....\n....\n...G", ("up", "right", "down", "left"), -1, -1, -1, -1, target_terminal=True)
    y, x = np.divmod(np.arange(16), 4)
    np.testing.assert_allclose(solve(env.mdp(), 1).values, -np.minimum(y + x, 6 - y - x), atol=1e-12)


# ---- laws


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("gamma", [0.3, 0.9])
def test_the_equation_is_a_contraction(seed, gamma):
    rng = np.random.default_rng(seed)
    mdp, (v, w) = random_mdp(rng), 10 * rng.standard_normal((2, 8))
    before = np.abs(v - w).max()
    assert np.abs(bellman_optimality(mdp, v, gamma) - bellman_optimality(mdp, w, gamma)).max() <= gamma * before + 1e-12
    shifted = bellman_optimality(mdp, v + 1, gamma) - bellman_optimality(mdp, v, gamma)
    np.testing.assert_allclose(shifted, gamma, atol=1e-12)  # and no better factor would do


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("gamma", [0.5, 0.95])
@all_ways
def test_the_solution_solves_the_equation_and_no_policy_is_better(solve, seed, gamma):
    rng = np.random.default_rng(seed)
    mdp = random_mdp(rng, S=4, A=3, terminal=seed % 2)
    best = solve(mdp, gamma)
    np.testing.assert_allclose(bellman_optimality(mdp, best.values, gamma), best.values, rtol=0, atol=1e-10)
    np.testing.assert_allclose(state_values(mdp, best.policy, gamma), best.values, rtol=0, atol=1e-12)
    every = [state_values(mdp, deterministic_policy(a, 3), gamma) for a in itertools.product(range(3), repeat=4)]
    np.testing.assert_allclose(np.max(every, axis=0), best.values, rtol=0, atol=1e-10)  # one policy is the best everywhere
    assert np.allclose(best.history[-1], best.values, rtol=0, atol=3e-9) and len(best.history) == best.sweeps + 1


@pytest.mark.parametrize("env", [A, B])
@all_ways
def test_an_affine_change_of_rewards_changes_no_decision(solve, env):
    """Theorem 3.6: r -> a r + b gives v* -> a v* + b / (1 - gamma)."""
    mdp, v = env.mdp(), solve(env.mdp(), 0.9).values
    changed = MDP(mdp.P, 2.5 * mdp.R + 7)
    best = solve(changed, 0.9)
    np.testing.assert_allclose(best.values, 2.5 * v + 7 / (1 - 0.9), rtol=0, atol=1e-10)
    np.testing.assert_array_equal(optimal_actions(changed, best.values, 0.9), optimal_actions(mdp, v, 0.9))


def test_policy_iteration_from_always_stay_only_climbs():
    """Figure 4.4. The policies on the way depend on how ties are broken; the first values and the last do not."""
    mdp, stay = B.mdp(), deterministic_policy([STAY] * 25, 5)
    best = policy_iteration(mdp, 0.9, start=stay)
    forbidden = B.cells.ravel() == "#"
    np.testing.assert_allclose(best.history[0], np.where(forbidden, -100, np.where(np.arange(25) == 17, 10, 0)), atol=1e-10)
    assert (np.diff(best.history, axis=0) >= -1e-10).all()
    assert (np.diff(best.history, axis=0).max(axis=1) > 1e-6).all()  # each round betters some state
    np.testing.assert_allclose(best.values, np.ravel(TABLES["3.4d"]), rtol=0, atol=1e-8)
    assert 5 < best.sweeps < 20


def test_policy_iteration_is_never_behind_value_iteration():
    """Zhao, section 4.3: from v_0 = v of the first policy, each round of policy iteration is at least as far."""
    mdp, rng = B.mdp(), np.random.default_rng(0)
    policy = deterministic_policy(rng.integers(5, size=25), 5)
    by_policy = policy_iteration(mdp, 0.9, start=policy).history
    by_value = value_iteration(mdp, 0.9, start=by_policy[0]).history
    assert all((p >= v - 1e-10).all() for p, v in zip(by_policy, by_value))


def test_policy_iteration_keeps_a_policy_that_is_already_optimal():
    mdp = A.mdp()
    best = policy_iteration(mdp, 0.9)
    ties = optimal_actions(mdp, best.values, 0.9)
    again = policy_iteration(mdp, 0.9, start=ties / ties.sum(axis=1, keepdims=True))
    assert again.sweeps == 0
    np.testing.assert_array_equal(again.policy, value_iteration(mdp, 0.9).policy)  # of several best actions the first, in all three


def test_truncated_with_one_sweep_is_value_iteration():
    one, vi = truncated_policy_iteration(B.mdp(), 0.9, 1), value_iteration(B.mdp(), 0.9)
    assert one.sweeps == vi.sweeps
    np.testing.assert_allclose(one.history, vi.history, rtol=0, atol=1e-12)


def test_truncated_with_many_sweeps_is_policy_iteration():
    """After each round of 1,000 sweeps its values are those that policy iteration finds from the same first policy."""
    mdp, j = B.mdp(), 1000
    many = truncated_policy_iteration(mdp, 0.9, j)
    exact = policy_iteration(mdp, 0.9, start=greedy_policy(mdp, np.zeros(25), 0.9))
    np.testing.assert_allclose(many.history[j::j][: len(exact.history)], exact.history[: len(many.history[j::j])], atol=1e-9)


def test_more_sweeps_in_a_round_need_fewer_rounds():
    rounds = [-(-truncated_policy_iteration(B.mdp(), 0.9, j).sweeps // j) for j in (1, 3, 9, 56)]
    assert rounds == sorted(rounds, reverse=True) and len(set(rounds)) == 4


def test_value_iteration_forgets_its_start():
    rng = np.random.default_rng(0)
    mdp = random_mdp(rng, terminal=2)
    far = value_iteration(mdp, 0.9, start=np.full(8, 50.0))
    np.testing.assert_allclose(far.values, value_iteration(mdp, 0.9).values, atol=1e-12)
    assert far.history[0].tolist() == [0, 0] + [50] * 6  # a terminal state is worth 0, whatever the start says
    exact = value_iteration(mdp, 0.9, start=far.values)
    assert exact.sweeps == 1


@pytest.mark.parametrize("scale", [1e-12, 1e-3, 1e9])
def test_ties_are_ties_at_any_scale(scale):
    mdp = A.mdp()
    scaled = MDP(mdp.P, scale * mdp.R)
    best = policy_iteration(scaled, 0.9)
    np.testing.assert_allclose(best.values / scale, np.ravel(TABLES["3.4a"]), rtol=1e-9)
    assert optimal_actions(scaled, best.values, 0.9).sum() == 31


@all_ways
def test_a_forbidden_cell_that_costs_a_fortune(solve):
    """Its price must not make small differences elsewhere look like ties: the way round by the right stays as it is."""
    env = GridWorld(reward_forbidden=-1e12)
    best = solve(env.mdp(), 0.9)
    states = path(env, best.policy, 0)
    assert len(states) == 12 and not any(env.cells.ravel()[s] == "#" for s in states)
    assert abs(best.values[0] - 10 * 0.9**10) < 1e-9


# ---- without discount


@pytest.mark.parametrize("gamma, value", [(1, -10), (0.9, -6.5132)])
@all_ways
def test_the_path_task_of_chapter_7(solve, gamma, value):
    env = GridWorld(reward_boundary=-10, reward_forbidden=-10, reward_step=-1, reward_target=0, target_terminal=True)
    best = solve(env.mdp(), gamma)
    assert round(best.values[0], 4) == value and len(path(env, best.policy, 0)) == 12


@all_ways
def test_waiting_for_nothing_ties_with_going_on_but_never_arrives(solve):
    """gamma = 1, free steps, one reward at the end: v* = 1 everywhere, and the policy must still get there."""
    env = GridWorld(target_terminal=True)
    best = solve(env.mdp(), 1)
    assert best.values[17] == 0
    np.testing.assert_allclose(np.delete(best.values, 17), 1, atol=1e-12)
    assert all(path(env, best.policy, s)[-1] == 17 for s in range(25))
    assert optimal_actions(env.mdp(), best.values, 1)[0].sum() == 3  # right, down, stay


@pytest.mark.parametrize("seed", range(5))
@all_ways
def test_random_worlds_without_discount(solve, seed):
    mdp = random_mdp(np.random.default_rng(seed), terminal=1)
    mdp = MDP(mdp.P, np.where(mdp.terminal[:, None], 0, mdp.R - 5))  # each step costs: it pays to end
    best = solve(mdp, 1)
    np.testing.assert_allclose(bellman_optimality(mdp, best.values, 1), best.values, rtol=0, atol=1e-9)


# ---- what is refused


ENDLESS = A.mdp()


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: value_iteration(ENDLESS, 1.5), "gamma must lie between 0 and 1, not 1.5"),
        (lambda: policy_iteration(ENDLESS, -1), "gamma must lie between 0 and 1, not -1"),
        (lambda: truncated_policy_iteration(ENDLESS, np.nan, 3), "gamma must lie between 0 and 1, not nan"),
        (lambda: value_iteration(ENDLESS, 1), "gamma = 1, but from state 0 no terminal state is ever reached"),
        (lambda: policy_iteration(ENDLESS, 1), "gamma = 1, but from state 0 no terminal state"),
        (lambda: truncated_policy_iteration(ENDLESS, 1, 3), "gamma = 1, but from state 0 no terminal state"),
        (lambda: value_iteration(ENDLESS, 0.9, tolerance=np.nan), "tolerance must be at least 0, not nan"),
        (lambda: truncated_policy_iteration(ENDLESS, 0.9, 3, tolerance=-1), "tolerance must be at least 0, not -1"),
        (lambda: truncated_policy_iteration(ENDLESS, 0.9, 0), "evaluation_sweeps must be at least 1, not 0"),
        (lambda: value_iteration(ENDLESS, 0.9, start=np.zeros((5, 5))), r"values must have shape \(S,\) = \(25,\), not \(5, 5\)"),
        (lambda: value_iteration(ENDLESS, 0.9, start=np.full(25, np.nan)), r"values\[0\] is nan"),
        (lambda: optimal_actions(ENDLESS, np.zeros((25, 1)), 0.9), r"values must have shape \(S,\) = \(25,\), not \(25, 1\)"),
        (lambda: policy_iteration(ENDLESS, 0.9, start=np.zeros((25, 5))), r"policy\[0\] sums to 0, not to 1"),
        (lambda: policy_iteration(ENDLESS, 0.9, start=np.zeros(25)), r"policy must have shape \(S, A\) = \(25, 5\), not \(25,\)"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_what_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.proof
@pytest.mark.parametrize("solve", [value_iteration, lambda mdp, gamma: truncated_policy_iteration(mdp, gamma, 7)])
def test_a_cycle_that_pays_for_ever(solve):
    mdp = GridWorld("..\n.G", target_terminal=True, reward_step=1).mdp()
    with pytest.raises(ValueError, match="gamma = 1.0, values still change by 1 after 100,00.* sweeps: a cycle of states may pay"):
        solve(mdp, 1)
