r"""Off-policy: learn what the best ways are worth from a record of somebody else's, who may have had quite other plans.

    Q-learning       target = r + γ max_a q(s', a)             no a' in it, so a row (s, a, r, s') is true whoever acted
    expected Sarsa   target = r + γ Σ_a π(a|s') q(s', a)       π need not be the policy that acted
    Sarsa            target = r + γ q(s', a')                  a' must be π's own: a record of others holds none

What one cannot do is to learn of what was never tried: the behaviour b must have b(a|s) > 0 for all that matters, and often
enough. (Zhao's figures 7.4 and 7.5: a uniform b leads to q*, one that mostly goes right to next to nothing.)

    record_fast        play a behaviour in a TabularEnvironment: Transitions
    learn_off_policy   learn from them, by the update of temporal_difference.py

One record serves every method and every start; its rows may come in any order, and more than once: DQN's replay buffer.

Source: Zhao, section 7.4; Sutton & Barto, sections 6.5 to 6.7.
"""

from typing import NamedTuple

import numpy as np

from minigrad.kernels import jit

from .envs.tabular import draw
from .episodes import check_record, check_tables, new_world, pick, policy_sums, sum_up
from .mdp import check_count
from .temporal_difference import prepare, update

NOBODYS = 0  # in the place of a', which no method here asks for


class Transitions(NamedTuple):
    """N steps with their actions. Which episode a row belongs to is no matter here: each stands for itself."""

    state: np.ndarray  # (N,) s
    action: np.ndarray  # (N,) a
    reward: np.ndarray  # (N,) r
    next_state: np.ndarray  # (N,) s'
    terminated: np.ndarray  # (N,) the world ended with this step


def record_tables(tables, start, behaviour, limit, record, world, rng):
    """Fill the record: a compiled loop. start (S,), behaviour (S, A): cumulative."""
    elapsed, s = 0, 0
    for t in range(record.state.size):
        if elapsed == 0:
            s = pick(start, world)
        a = pick(behaviour[s], rng)
        s2, r = draw(tables, s, a, world)
        record.state[t], record.action[t], record.reward[t], record.next_state[t] = s, a, r, s2
        record.terminated[t] = tables.terminal[s2]
        s, elapsed = s2, 0 if tables.terminal[s2] or elapsed + 1 == limit else elapsed + 1


record_tables = jit(record_tables, flags=())


def record_fast(env, behaviour, steps, rng):
    """So many steps of a policy (S, A) in a TabularEnvironment, which begins again whenever it ends: Transitions."""
    check_tables(env, "record_fast", "play step by step, and make Transitions of what was seen")
    steps, sums = check_count(steps, "steps", 1), policy_sums(env, behaviour, "record_fast")
    record = Transitions(*(np.empty(steps, dtype) for dtype in (np.int64, np.int64, np.float64, np.int64, np.bool_)))
    record_tables(env.tables, sum_up(env.start), sums, env.max_episode_steps or 0, record, new_world(rng), rng)
    return record


def learn_record(method, Q, record, alpha, gamma, epsilon, offered, rng):
    """The compiled loop over a record."""
    for t in range(record.state.size):
        s, a, r, s2 = record.state[t], record.action[t], record.reward[t], record.next_state[t]
        update(method, Q, s, a, r, s2, NOBODYS, record.terminated[t], alpha, gamma, epsilon, offered, rng)


learn_record = jit(learn_record, flags=())


def learn_off_policy(env, record, *, method="q_learning", alpha, gamma=1.0, epsilon=0.0, every, rng=None, Q=None):
    """Learn from Transitions, whoever acted in them: q (K, S, A) after each `every` of their steps.   (Zhao, algorithm 7.3)

    epsilon: of the policy that expected Sarsa judges; rng: for the coin of double Q-learning (not given: seed 0)
    ValueError as for `learn`, for a record that is not of this world, and for Sarsa.
    """
    if method == "sarsa":
        raise ValueError("learn_off_policy: Sarsa's a' is its own, and a record of others has none: use expected_sarsa")
    kind, Q, offered = prepare(env, method, Q, alpha, gamma, epsilon)
    check_record("learn_off_policy", record, *Q.shape[1:])
    every, history, rng = check_count(every, "every", 1), [], rng or np.random.default_rng(0)
    for first in range(0, len(record.reward), every):
        part = Transitions(*(column[first : first + every] for column in record))
        learn_record(kind, Q, part, float(alpha), float(gamma), float(epsilon), offered, rng)
        history.append(Q.mean(axis=0))
    return np.array(history)
