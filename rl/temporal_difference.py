r"""Temporal differences: learn a guess from the next guess, step by step, before any episode has ended. Values in tables.

All methods make one and the same move, a little way to a target, and differ in the target only:

    v(s) ← v(s) + α (target − v(s))         q(s, a) ← q(s, a) + α (target − q(s, a))

    method               target                                  it solves, on average
    TD(0)                r + γ v(s')                             v(s) = E[r + γ v(s')], Bellman's equation of the policy
    Sarsa                r + γ q(s', a')                         q(s, a) = E[r + γ q(s', a')], the same for actions
    expected Sarsa       r + γ Σ_a π(a|s') q(s', a)              the same, without the noise of a'
    Q-learning           r + γ max_a q(s', a)                    q(s, a) = E[r + γ max_a q(s', a)], of the *best* policy
    double Q-learning    r + γ q₂(s', argmax_a q₁(s', a))        the same; moves q₁. Every other time, by a coin, 1 ↔ 2
    n-step Sarsa         r + γ r' + … + γⁿ q(sₙ, aₙ)             Sarsa's; n_step.py
    Monte Carlo          r + γ r' + γ² r'' + …                   q(s, a) = E[g | s, a], its definition; monte_carlo.py

    s, a, r, s', a'      the quintuple that gave Sarsa its name; after the end of the world every target is r alone
    π                    the policy that is judged: ε-greedy in q, so Σ_a π q = (1 − ε) max q + ε mean q

On-policy: what is judged is what is done. Sarsa learns what its own ways are worth, missteps included. Off-policy: whose a'
comes next is not in Q-learning's target, so whoever acts, and why, does not matter: off_policy.py.

max_a q is too high on average where q is noisy, since the largest of several noisy numbers is one that was lucky. Double
Q-learning lets one table say which action is best, and the other, whose luck was another, what it is worth.

One update, `update`, and two drivers, which run it on the same random numbers and so give the same bits:

    learn        any environment with Gymnasium's contract whose states and actions are numbers, step by step in Python
    learn_fast   a TabularEnvironment, all episodes in one compiled loop

    T            number of tables: 2 with double Q-learning, else 1;   Q (T, S, A) all of them, q (S, A) their mean
    offered      (S,) how many actions each state has, the first ones: nearly always all A (not in maximization_bias.py)

Source: Zhao, chapter 7 and its table 7.2; Sutton & Barto, chapter 6.
"""

from typing import NamedTuple

import numpy as np

from minigrad.kernels import jit

from .envs.tabular import draw
from .episodes import check_from_0, check_record, check_state, limit_of, new_world, pick, sum_up, world_seed
from .linear_control import epsilon_greedy
from .mdp import check_count, check_gamma, check_share

SARSA, EXPECTED_SARSA, Q_LEARNING, DOUBLE_Q_LEARNING = 0, 1, 2, 3
METHODS = {"sarsa": SARSA, "expected_sarsa": EXPECTED_SARSA, "q_learning": Q_LEARNING, "double_q_learning": DOUBLE_Q_LEARNING}


class Learned(NamedTuple):
    """What a driver returns."""

    Q: np.ndarray  # (T, S, A) the tables, to go on from
    lengths: np.ndarray  # (episodes,) steps
    returns: np.ndarray  # (episodes,) sum of rewards, without discount

    @property
    def q(self):
        """The action values (S, A): the mean of the tables."""
        return self.Q.mean(axis=0)


# ======================================================================== One step


def largest(q):
    """max_a q(a). (q.max() asks of each number whether it is NaN, which costs a quarter of the whole step.)"""
    top = q[0]
    for a in range(1, q.size):
        top = max(top, q[a])
    return top


largest = jit(largest, flags=(), inline="always")


def follow(method, q, q2, a2, epsilon):
    r"""What is expected to follow from s' on: all in which the methods differ.

    q: (A,) values of the actions in s', from the table that is moved; q2: (A,) from the other one; a2: a', what is done next.
    """
    if method == SARSA:
        return q[a2]
    if method == EXPECTED_SARSA:
        return (1 - epsilon) * largest(q) + epsilon * q.mean()  # of several best ones any: their values are the same
    if method == Q_LEARNING:
        return largest(q)
    return q2[q.argmax()]


follow = jit(follow, flags=(), inline="always")


def update(method, Q, s, a, r, s2, a2, terminated, alpha, gamma, epsilon, offered, rng):
    """Learn from (s, a, r, s', a'): q(s, a) ← q(s, a) + α (target − q(s, a)).    (Zhao, section 7.5)"""
    i = int(rng.random() * len(Q)) if len(Q) > 1 else 0  # which table moves
    q, q2 = Q[i, s2, : offered[s2]], Q[len(Q) - 1 - i, s2, : offered[s2]]  # (A,), (A,), or what is offered
    target = r if terminated else r + gamma * follow(method, q, q2, a2, epsilon)
    Q[i, s, a] += alpha * (target - Q[i, s, a])


update = jit(update, flags=(), inline="always")


def choose(Q, s, epsilon, offered, rng):
    """An ε-greedy action in s; with two tables, greedy in their sum."""
    if len(Q) == 1:
        return epsilon_greedy(Q[0, s, : offered[s]], epsilon, rng)
    return epsilon_greedy(Q[0, s, : offered[s]] + Q[1, s, : offered[s]], epsilon, rng)


choose = jit(choose, flags=(), inline="always")


def update_and_choose(method, Q, s, a, r, s2, terminated, alpha, gamma, epsilon, offered, rng):
    """Learn from a step, and choose what to do next: a'. Sarsa must choose first, as its target holds a'. The others choose
    with what they have just learned, as in Sutton & Barto: cliff walking's first 100 episodes then cost 1 to 2 less."""
    if method == SARSA:
        a2 = choose(Q, s2, epsilon, offered, rng)
        update(method, Q, s, a, r, s2, a2, terminated, alpha, gamma, epsilon, offered, rng)
        return a2
    update(method, Q, s, a, r, s2, 0, terminated, alpha, gamma, epsilon, offered, rng)
    return choose(Q, s2, epsilon, offered, rng)


update_and_choose = jit(update_and_choose, flags=(), inline="always")

# ======================================================================== Two drivers


def learn(env, episodes, *, method="sarsa", alpha, gamma=1.0, epsilon=0.1, rng, Q=None):
    """Learn by playing so many episodes: Learned(Q, lengths, returns).

    env:  observations and actions are numbers, 0 ... n − 1. If it has an `offered`, not every state offers every action.
    Q:    (T, S, A) to go on from, changed in place; zeros if not given
    ValueError for an unknown method, for α, γ or ε outside [0, 1], for spaces without numbers, or if Q does not fit.
    """
    method, Q, offered = prepare(env, method, Q, alpha, gamma, epsilon)
    lengths, returns = np.zeros(check_count(episodes, "episodes", 1), np.int64), np.zeros(int(episodes))
    for episode in range(len(lengths)):
        s, _ = env.reset(seed=world_seed(rng) if episode == 0 else None)
        a, running = choose(Q, check_state(s, len(offered)), epsilon, offered, rng), True
        while running:
            s2, r, terminated, truncated, _ = env.step(int(a))
            s2 = check_state(s2, len(offered))
            a = update_and_choose(method, Q, s, a, r, s2, terminated, alpha, gamma, epsilon, offered, rng)
            s = s2
            lengths[episode], returns[episode] = lengths[episode] + 1, returns[episode] + r
            running = not (terminated or truncated)
    return Learned(Q, lengths, returns)


def learn_tables(method, Q, tables, start, limit, lengths, returns, alpha, gamma, epsilon, offered, world, rng):
    """The compiled loop; start (S,): cumulative."""
    for episode in range(lengths.size):
        s = pick(start, world)
        a, running = choose(Q, s, epsilon, offered, rng), True
        while running:
            s2, r = draw(tables, s, a, world)
            terminated = tables.terminal[s2]
            a = update_and_choose(method, Q, s, a, r, s2, terminated, alpha, gamma, epsilon, offered, rng)
            s = s2
            lengths[episode] += 1
            returns[episode] += r
            running = not terminated and lengths[episode] != limit


learn_tables = jit(learn_tables, flags=())


def learn_fast(env, episodes, *, method="sarsa", alpha, gamma=1.0, epsilon=0.1, rng, Q=None):
    """The same as `learn` in a TabularEnvironment, bit for bit, in one compiled loop."""
    if not hasattr(env, "tables"):
        raise TypeError(f"learn_fast: {type(env).__name__} has no tables for a compiled loop: use learn")
    method, Q, offered = prepare(env, method, Q, alpha, gamma, epsilon)
    lengths, returns = np.zeros(check_count(episodes, "episodes", 1), np.int64), np.zeros(int(episodes))
    numbers = float(alpha), float(gamma), float(epsilon)
    learn_tables(method, Q, env.tables, sum_up(env.start), limit_of(env), lengths, returns, *numbers, offered, new_world(rng), rng)
    return Learned(Q, lengths, returns)


# ======================================================================== Prediction


def td(v, experience, alpha, gamma=1.0):
    r"""TD(0), the value of the policy that acted, from a record of `episodes.play_fast`. Changes v (S,); returns v after
    each episode, (E, S). ValueError if α or γ lies outside [0, 1], or v does not fit.

    v(s) ← v(s) + α (r + γ v(s') − v(s))    (Zhao, equation 7.1)
    """
    check_share(alpha, "alpha"), check_gamma(gamma)
    if v.dtype != np.float64 or v.ndim != 1:
        raise ValueError(f"td: v must be float64 (S,), not {v.dtype} of shape {v.shape}")
    check_record("td", experience, len(v))
    history, first = [], 0
    for end in np.flatnonzero(experience.terminated | experience.truncated) + 1:
        td_steps(v, type(experience)(*(column[first:end] for column in experience)), float(alpha), float(gamma))
        history.append(v.copy())
        first = end
    return np.array(history)


def td_steps(v, experience, alpha, gamma):
    """The compiled loop. After a terminated step nothing follows; after a truncated one something would have."""
    for t in range(experience.state.size):
        s, s2, target = experience.state[t], experience.next_state[t], experience.reward[t]
        if not experience.terminated[t]:
            target += gamma * v[s2]
        v[s] += alpha * (target - v[s])


td_steps = jit(td_steps, flags=())

# ======================================================================== What is checked


def prepare(env, method, Q, alpha, gamma, epsilon):
    """The number of the method, its tables, and how many actions each state offers (S,). ValueError for bad input:
    compiled code looks things up without asking whether they exist."""
    name, shape = type(env).__name__, [getattr(space, "n", 0) for space in (env.observation_space, env.action_space)]
    check_share(alpha, "alpha"), check_share(epsilon, "epsilon"), check_gamma(gamma)
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, not {method!r}")
    if not all(shape):
        raise ValueError(f"{name}: a table needs states and actions that are numbers (Discrete): use linear_control.py")
    check_from_0(env, name)
    shape = (2 if method == "double_q_learning" else 1, *map(int, shape))
    Q = np.zeros(shape) if Q is None else Q
    if getattr(Q, "dtype", None) != np.float64 or Q.shape != shape or not np.isfinite(Q).all():
        kind = getattr(Q, "dtype", type(Q).__name__)
        raise ValueError(f"Q must be finite numbers, float64 (T, S, A) = {shape}, not {kind} of shape {np.shape(Q)}")
    offered = np.asarray(getattr(env, "offered", np.full(shape[1], shape[2])))  # (S,)
    if offered.shape != shape[1:2] or not ((1 <= offered) & (offered <= shape[2])).all():
        raise ValueError(f"{name}: offered must be (S,) = ({shape[1]},) numbers of 1 ... {shape[2]} actions, not {offered}")
    return METHODS[method], Q, offered
