r"""Dynamic programming: the best policy, when P and R are known. Three ways to solve one equation.

The Bellman optimality equation (Zhao, chapter 3) says that the best value of a state is that of its best action:

    v(s) = max_a q(s, a),    q(s, a) = E[r|s, a] + γ Σ_s' p(s'|s, a) v(s')

For γ < 1 its right side is a contraction: it brings any two value functions closer, by the factor γ at least. So it has
one solution v*, and repeating it finds it. (For γ = 1 a terminal state must be in reach.)

    value iteration        one sweep of the equation, again and again
    policy iteration       the value of the present policy exactly, then the best action in each state
    truncated              the value of the present policy by a few sweeps only: 1 is the first, infinitely many the second
"""

from typing import NamedTuple

import numpy as np

from .mdp import action_values, check_gamma, deterministic_policy, first_values, settled, state_values, under

TIE = 1e-10  # action values that differ by less, as a part of the largest value, are the same: rounding parts them


class Solution(NamedTuple):
    """What all three return. `values` are those of the policy, in closed form: history[-1] comes close to them."""

    values: np.ndarray  # (S,) state values of `policy`
    policy: np.ndarray  # (S, A), deterministic: of several best actions one (`optimal_actions` lists all)
    sweeps: int  # over all states; in policy iteration, improvements
    history: np.ndarray  # (sweeps + 1, S) the values after each sweep, the start included


def bellman_optimality(mdp, values, gamma):
    r"""The right side of the equation: v (S,) -> max_a q(s, a), (S,)."""
    return action_values(mdp, values, gamma).max(axis=1)


def optimal_actions(mdp, values, gamma, tie=TIE):
    """Which actions are the best in each state, given the values that follow, as booleans (S, A): *all* that tie.

    From v* these are all optimal actions. tie: how large a difference, as a part of the largest best value, counts as none.
    """
    q = action_values(mdp, values, gamma)
    best = q.max(axis=1, keepdims=True)  # (S, 1)
    return q >= best - tie * np.abs(best).max()


def first_actions(mdp, allowed, gamma):
    """One of the allowed actions (S, A) for each state, (S,): the first.

    Without discount, the first that may bring the end closer: "wait here for nothing" then ties with "go on to the
    reward", and who always waits gets nothing. The search goes back from the terminal states, one step in each round.
    """
    actions = allowed.argmax(axis=1)
    if gamma == 1:
        ends, new = np.zeros_like(mdp.terminal), mdp.terminal  # (S,)
        while new.any():
            ends = ends | new
            leads = allowed & (mdp.P @ ends > 0)  # (S, A)
            new = leads.any(axis=1) & ~ends
            actions[new] = leads[new].argmax(axis=1)
    return actions


def greedy_policy(mdp, values, gamma):
    """The policy (S, A) that takes the best action; of several the first (if γ = 1, one that leads to the end)."""
    return deterministic_policy(first_actions(mdp, optimal_actions(mdp, values, gamma), gamma), mdp.n_actions)


def value_iteration(mdp, gamma, tolerance=1e-10, start=None):
    r"""v_{k+1} = max_a q_k: until no value changes by more than `tolerance` (Zhao, algorithm 4.1). A Solution.

    The last sweep's error is then at most γ / (1 − γ) · tolerance. start: v_0 (S,), zeros if not given. ValueError if γ is not in
    [0, 1], or is 1 and some state can never end, or if the values do not settle.
    """
    gamma = check_gamma(gamma, mdp, (mdp.P > 0).any(axis=1))
    history = [first_values(mdp, start)]
    while not settled(history, tolerance, gamma):
        history.append(bellman_optimality(mdp, history[-1], gamma))
    policy = greedy_policy(mdp, history[-1], gamma)
    return Solution(state_values(mdp, policy, gamma), policy, len(history) - 1, np.array(history))


def policy_iteration(mdp, gamma, start=None):
    r"""π_{k+1}(s) = argmax_a q_{π_k}(s, a), until no action can be bettered (Zhao, algorithm 4.2). A Solution.

    start: π_0 (S, A); if not given, the first action everywhere (if γ = 1, one that leads to the end). What ties with
    the best is kept: else two equally good policies could take turns for ever. No policy comes twice, as each is better
    than the one before.
    """
    gamma = check_gamma(gamma, mdp, (mdp.P > 0).any(axis=1))
    policy = deterministic_policy(first_actions(mdp, np.ones(mdp.R.shape, bool), gamma), mdp.n_actions) if start is None else start
    history, stable = [], False
    while not stable:
        history.append(state_values(mdp, policy, gamma))
        best = optimal_actions(mdp, history[-1], gamma)  # (S, A)
        keep = (policy * best).sum(axis=1) > 1 - 1e-6  # (S,) all that it does is among the best
        policy = np.where(keep[:, None], policy, deterministic_policy(best.argmax(axis=1), mdp.n_actions))
        stable = keep.all()
    policy = greedy_policy(mdp, history[-1], gamma)
    return Solution(state_values(mdp, policy, gamma), policy, len(history) - 1, np.array(history))


def truncated_policy_iteration(mdp, gamma, evaluation_sweeps, tolerance=1e-10):
    r"""Greedy policy, then `evaluation_sweeps` times v ← r_π + γ P_π v, and again (Zhao, algorithm 4.3). A Solution.

    From v_0 = 0. It stops when no value changes by more than `tolerance` in the first sweep under a new greedy policy,
    which is a sweep of value iteration. Errors as in value_iteration.
    """
    if evaluation_sweeps < 1:
        raise ValueError(f"evaluation_sweeps must be at least 1, not {evaluation_sweeps}")
    gamma = check_gamma(gamma, mdp, (mdp.P > 0).any(axis=1))
    history, done = [first_values(mdp)], False
    while not done:
        P_pi, r_pi = under(mdp, greedy_policy(mdp, history[-1], gamma))
        history.append(r_pi + gamma * P_pi @ history[-1])
        done = settled(history, tolerance, gamma, most=max(100_000, 100 * evaluation_sweeps))
        for _ in range(0 if done else evaluation_sweeps - 1):
            history.append(r_pi + gamma * P_pi @ history[-1])
    policy = greedy_policy(mdp, history[-1], gamma)
    return Solution(state_values(mdp, policy, gamma), policy, len(history) - 1, np.array(history))
