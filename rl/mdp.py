r"""Markov decision processes as two arrays, and the value of a policy. Notation of this file and of all of rl/ after it:

    S, A            number of states and actions; states are 0 ... S−1
    s, a, r, s', a' state, action, reward, next state, next action
    P (S, A, S)     P[s, a, s'] = p(s' | s, a)
    R (S, A)        R[s, a] = E[r | s, a], the expected reward
    π (S, A)        a policy: π[s, a] = π(a | s), each row sums to 1
    γ, `gamma`      discount, 0 ≤ γ ≤ 1; the return is g = r₁ + γ r₂ + γ² r₃ + …
    v (S,), q (S, A) state values v(s) = E[g | s] and action values q(s, a) = E[g | s, a]
    d (S,)          stationary distribution of a policy: dᵀ P_π = dᵀ
    v*, q*          those of the best policy
    α, ε            step size; probability of exploring
    Q (T, S, A)     in temporal_difference.py: T tables of action values, q (S, A) their mean
    φ(s) (F,)       features of a state; Φ (S, F) of all; w (F,), W (A, F) weights; v̂, q̂ what they say of v and q
    A, b, D         in linear_value.py: a matrix, a vector, diag(d); a step of TD moves w by α (b − A w) on average
    μ(s), Q(s, a)   in ddpg.py: actor and critic, with weights θ; τ: how fast their copies μ', Q', θ' follow
    λ, z, n         share of the past in a trace; the trace; steps of a return (n_step.py, traces.py)
    r(θ), A_t, V    in ppo.py: a ratio of probabilities (r_t is a reward), the advantage, the critic
    ρ(s), X, Ψ      in policy_gradient.py: discounted visits, features x(s, a) of actions (S, A, K), what the score is weighted by
    N, E, K, B      steps of a record, episodes, outcomes or active features, transitions of a batch
    n, m            how many numbers an observation has, and an action

    here            Zhao's book     Sutton & Barto
    s from 0        s₁, s₂, … (from 1)
    d               d_π             μ
    P_π, r_π        the same        P, none
    φ               φ               x
    μ, the actor    μ               none: its μ is our d
    θ (networks)    θ, w            θ, w

A *terminal* state is one where every action stays put, for no reward: its value is 0. With it an episode that ends
and a process that goes on for ever are the same thing, and one equation serves both.

Source: Zhao, Mathematical Foundations of Reinforcement Learning, chapters 1 and 2.
"""

from numbers import Real

import numpy as np


class MDP:
    """A finite Markov decision process from plain arrays P (S, A, S) and R (S, A).

    ValueError if the shapes do not fit, a number is NaN or infinite, or a row of P is no distribution.
    """

    def __init__(self, P, R):
        self.P, self.R = np.array(P, np.float64), np.array(R, np.float64)
        if self.P.ndim != 3 or self.P.shape[0] != self.P.shape[2] or not self.P.size:
            raise ValueError(f"MDP: P must have shape (S, A, S), not {self.P.shape}")
        if self.R.shape != self.P.shape[:2]:
            raise ValueError(f"MDP: R must have shape (S, A) = {self.P.shape[:2]}, not {self.R.shape}")
        self.n_states, self.n_actions = self.R.shape
        if not np.isfinite(self.R).all():
            s, a = np.argwhere(~np.isfinite(self.R))[0]
            raise ValueError(f"MDP: R[{s}, {a}] is {self.R[s, a]}: every reward must be a finite number")
        check_distributions(self.P, "MDP: P")
        stays = (self.P[range(self.n_states), :, range(self.n_states)] > 1 - 1e-8) & (self.R == 0)  # (S, A)
        self.terminal = stays.all(axis=1)  # (S,)

    def __str__(self):
        lines = [f"MDP of {self.n_states} states, {self.n_actions} actions; terminal: {np.flatnonzero(self.terminal).tolist()}"]
        for s, a in np.ndindex(self.R.shape):
            to = ", ".join(f"s'={n} p={self.P[s, a, n]:.3g}" for n in np.flatnonzero(self.P[s, a]))
            lines.append(f"s={s} a={a}  r={self.R[s, a]:<6.4g} {to}")
        return "\n".join(lines)


def check_distributions(p, name, tolerance=1e-6):
    """ValueError that names the first row, along the last axis, that is not a probability distribution. The sum may miss 1
    by the tolerance: numbers that were float32 once are welcome."""
    total = p.sum(axis=-1)
    wrong = ~(np.abs(total - 1) <= tolerance) | ~(p >= 0).all(axis=-1)
    if wrong.any():
        index = tuple(int(i) for i in np.argwhere(wrong)[0])
        row, where = p[index], f"[{', '.join(map(str, index))}]" if index else ""
        problem = f"sums to {total[index]:.10g}, not to 1" if (row >= 0).all() else f"holds {row[~(row >= 0)][0]:.6g}"
        raise ValueError(f"{name}{where} {problem}: each row must be a probability distribution")


def check_policy(mdp, policy):
    """The policy as float64 (S, A); ValueError if it has another shape or a row is no distribution."""
    policy = np.asarray(policy, np.float64)
    if policy.shape != mdp.R.shape:
        raise ValueError(f"policy must have shape (S, A) = {mdp.R.shape}, not {policy.shape}")
    check_distributions(policy, "policy")
    return policy


def check_values(mdp, values):
    """The values as float64 (S,); ValueError if they have another shape, such as that of a grid, or are not finite."""
    values = np.asarray(values, np.float64)
    if values.shape != (mdp.n_states,):
        raise ValueError(f"values must have shape (S,) = ({mdp.n_states},), not {values.shape}")
    if not np.isfinite(values).all():
        s = np.argmin(np.isfinite(values))
        raise ValueError(f"values[{s}] is {values[s]}: every value must be a finite number")
    return values


def check_count(n, name, least):
    """n as an int; ValueError unless it is an integer of at least `least`."""
    if not isinstance(n, Real) or n != n // 1 or n < least:
        raise ValueError(f"{name} must be an integer of at least {least}, not {n!r}")
    return int(n)


def check_share(x, name):
    """x as a float; ValueError unless 0 ≤ x ≤ 1."""
    if not isinstance(x, Real) or not 0 <= x <= 1:
        raise ValueError(f"{name} must lie between 0 and 1, not {x!r}")
    return float(x)


def check_step(alpha):
    """α as a float; ValueError if it is negative or not finite. (Above 1 it may make sense, where features are small.)"""
    if not 0 <= alpha < np.inf:
        raise ValueError(f"alpha must be a finite number of at least 0, not {alpha!r}")
    return float(alpha)


def check_gamma(gamma, mdp=None, moves=None):
    """The discount as a float; ValueError unless 0 ≤ γ ≤ 1, and, where γ = 1, unless the process can end from anywhere.

    moves: (S, S) booleans, which state can follow which. Without discount, a sum of rewards that never ends has no
    value; a terminal state must be within reach of every state.
    """
    if check_share(gamma, "gamma") == 1 and mdp is not None:
        ends = mdp.terminal
        while (more := ends | (moves & ends).any(axis=1)).sum() > ends.sum():  # one step further back in each round
            ends = more
        if not ends.all():
            raise ValueError(f"gamma = 1, but from state {np.argmin(ends)} no terminal state is ever reached, so the sum of "
                             "rewards has no limit: use gamma < 1, make a state terminal, or choose a policy that ends")  # fmt: skip
    return float(gamma)


def under(mdp, policy):
    r"""The Markov chain that a policy makes of the process: P_π (S, S) and r_π (S,).

    P_π(s, s') = Σ_a π(a|s) p(s'|s, a),   r_π(s) = Σ_a π(a|s) E[r|s, a]     (Zhao, equations 2.8 to 2.10)
    """
    return np.einsum("sa,san->sn", policy, mdp.P), (policy * mdp.R).sum(axis=1)  # (S, S), (S,)


def state_values(mdp, policy, gamma):
    r"""v (S,) in closed form: v = r_π + γ P_π v, so v = (I − γ P_π)⁻¹ r_π.    (Zhao, section 2.7)

    ValueError if the policy is no policy, γ lies outside [0, 1], or γ = 1 and the policy need not end.
    """
    policy = check_policy(mdp, policy)
    P_pi, r_pi = under(mdp, policy)
    gamma = check_gamma(gamma, mdp, P_pi > 0)
    going = ~mdp.terminal  # the value of a terminal state is 0; without it the system can be solved for γ = 1, too
    v = np.zeros(mdp.n_states)
    v[going] = np.linalg.solve(np.eye(going.sum()) - gamma * P_pi[np.ix_(going, going)], r_pi[going])
    return v


def state_values_by_iteration(mdp, policy, gamma, tolerance=1e-12, start=None):
    r"""The same by sweeps v_{k+1} = r_π + γ P_π v_k, from v_0 = `start` (zeros): the history v_0, v_1, …, (K+1, S).

    Each sweep shrinks the error by γ at least. It stops when no value changes by more than `tolerance`.
    (Zhao, section 2.7)
    """
    policy = check_policy(mdp, policy)
    P_pi, r_pi = under(mdp, policy)
    gamma = check_gamma(gamma, mdp, P_pi > 0)
    history = [first_values(mdp, start)]
    while not settled(history, tolerance, gamma):
        history.append(r_pi + gamma * P_pi @ history[-1])
    return np.array(history)


def first_values(mdp, start=None):
    """v_0 (S,) of an iteration: zeros, or `start`; 0 in terminal states, whose value is no matter of opinion."""
    return np.where(mdp.terminal, 0.0, 0.0 if start is None else check_values(mdp, start))


def settled(history, tolerance, gamma, most=100_000):
    """Whether the last sweep changed no value by more than `tolerance`.

    ValueError if the tolerance is no number ≥ 0, or if after `most` sweeps the values still change.
    """
    if not tolerance >= 0:
        raise ValueError(f"tolerance must be at least 0, not {tolerance}")
    if len(history) == 1:
        return False
    change = np.abs(history[-1] - history[-2]).max()
    if len(history) > most and change > tolerance:
        why = "a cycle of states may pay for ever" if gamma == 1 else "solve exactly (state_values, policy_iteration)"
        raise ValueError(f"with gamma = {gamma}, values still change by {change:.3g} after {len(history) - 1:,} sweeps: {why}")
    return bool(change <= tolerance)


def action_values(mdp, values, gamma):
    r"""q(s, a) = E[r|s, a] + γ Σ_s' p(s'|s, a) v(s'): values (S,) -> (S, A).    (Zhao, section 2.8)"""
    return mdp.R + check_gamma(gamma) * mdp.P @ check_values(mdp, values)


def stationary_distribution(mdp, policy):
    r"""d (S,) with dᵀ P_π = dᵀ and Σ d = 1: the share of time that a very long walk spends in each state.

    ValueError if there are several such distributions: then the start decides in which part of the states it ends up.
    """
    P_pi, _ = under(mdp, check_policy(mdp, policy))
    equations = np.vstack([P_pi.T - np.eye(mdp.n_states), np.ones(mdp.n_states)])  # (S + 1, S)
    d, _, rank, _ = np.linalg.lstsq(equations, np.append(np.zeros(mdp.n_states), 1), rcond=None)
    if rank < mdp.n_states:
        raise ValueError("stationary_distribution: there are several: the states fall into parts that this policy never "
                         "leaves, and the first state decides in which it ends up")  # fmt: skip
    return np.maximum(d, 0) / np.maximum(d, 0).sum()


def uniform_policy(mdp):
    """Every action equally likely, (S, A)."""
    return np.full(mdp.R.shape, 1 / mdp.n_actions)


def deterministic_policy(actions, n_actions):
    """The policy (S, A) that takes actions[s] in state s. ValueError if that is not one of 0 ... n_actions − 1."""
    actions = np.asarray(actions)
    if actions.ndim != 1 or actions.dtype.kind not in "iu" or not ((0 <= actions) & (actions < n_actions)).all():
        raise ValueError(f"actions must be one integer of 0 ... {n_actions - 1} for each state, not {actions}")
    return np.eye(n_actions)[actions]


def soften(policy, epsilon):
    r"""The ε-greedy form of a policy: (1 − ε) π(a|s) + ε / |A|.    (Zhao, section 5.4)

    A deterministic policy keeps its action with probability 1 − ε + ε / |A|, not 1 − ε: exploring may pick it, too.
    """
    policy = np.asarray(policy, np.float64)
    return (1 - check_share(epsilon, "epsilon")) * policy + epsilon / policy.shape[1]


def soften_mdp(mdp, epsilon):
    r"""The process as an ε-greedy agent lives it: whatever it picks, with probability ε a random action is taken.

    A policy π here earns just what `soften(π, ε)` earns in the given process, so the *best* ε-greedy policy is an
    ordinary optimum: that of this process. (It is not the ε-greedy form of the optimum: Zhao, figure 5.7.)
    """
    keep = 1 - check_share(epsilon, "epsilon")
    P = keep * mdp.P + epsilon * mdp.P.mean(axis=1, keepdims=True)
    return MDP(P, keep * mdp.R + epsilon * mdp.R.mean(axis=1, keepdims=True))
