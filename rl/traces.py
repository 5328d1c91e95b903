r"""Eligibility traces: all n at once, without waiting.

A mean of n-step targets is a target, too. The λ-return takes them all, each further one with λ times the weight:

    G_t^λ = (1 − λ) Σ_{n≥1} λⁿ⁻¹ G_{t:t+n}                                        (Sutton & Barto, equation 12.2)
          = r_{t+1} + γ ((1 − λ) v̂(s_{t+1}) + λ G_{t+1}^λ)

so λ = 0 is TD's target and λ = 1 the return. That looks *forward*: to update s_t one must know all that comes. Turn it
round. Let each error δ, when it occurs, be handed *back* to all states before it, as far as they are still eligible:

    δ = r + γ v̂(s') − v̂(s)
    z ← γλ z, then mark φ(s) in z          the trace (F,): which features were seen, and how long ago; 0 in a new episode
    w ← w + α δ z                                                                  (equations 12.5 to 12.7)

Three ways to mark, which differ only where a feature is seen again while its trace has not died out:

    accumulating   z ← z + φ                      seen twice, counts twice: with large α the steps overshoot
    replacing      zᵢ ← φᵢ where φᵢ ≠ 0           seen again, begins again: for features that are 0 or 1
    dutch          z ← z + (1 − α zᵀφ) φ          between both, by just the right amount:   (equation 12.11; z has decayed)

    z of a state that is seen at the times 0, 1 and 3, with γλ = 0.8 and, for dutch, α = 0.5:

    time           0      1      2      3      4
    accumulating   1      1.8    1.44   2.152  1.722
    replacing      1      1      0.8    1      0.8
    dutch          1      1.4    1.12   1.448  1.158

"The right amount": the online λ-return algorithm does, after each step, all updates of the episode again, from its first
state on, with the λ-returns that can be known by now. That is the method one would want, and it costs O(T²). With the
dutch trace, and a correction for v̂(s) having changed since it was the target of the step before,

    w ← w + α (δ + v̂(s) − v_old) z − α (v̂(s) − v_old) φ(s),   v_old ← v̂(s')       true online TD(λ), section 12.5

the same weights, to the last digit, come out in O(F) a step. With the other two traces they nearly do, for small α.

The common mistakes: decay by λ alone, or γ alone; a trace that lives on into the next episode. A truncated step is no
exception here: it bootstraps, as every step does; then the trace ends, as the next row is another episode.

Source: Sutton & Barto, chapter 12. Sarsa(λ), the same with W (A, F) and z (A, F), learns by `sarsa.learn`.
"""

import numpy as np

from minigrad.kernels import jit

from .episodes import ends_of
from .linear_value import step_towards, value

ACCUMULATING, REPLACING, DUTCH = 1, 2, 3
TRACES = {"accumulating": ACCUMULATING, "replacing": REPLACING, "dutch": DUTCH}


def mark(trace, z, active, phi, alpha):
    r"""Mark the active features in z (F,), which has decayed before, in one of the three ways."""
    share = 1.0 - alpha * value(z, active, phi) if trace == DUTCH else 1.0
    for i in range(active.size):
        if trace != REPLACING:
            z[active[i]] += share * phi[i]
        elif phi[i] != 0:  # `rows` fills up with features of value 0: they were not seen
            z[active[i]] = phi[i]


mark = jit(mark, flags=())


def trace_step(trace, W, z, a, active, phi, target, v, v_old, decay, alpha):
    r"""One step: the trace z (A, F) decays by `decay` = γλ and is marked, then W (A, F) moves along it.

    target: r + γ v̂(s'); v: v̂(s) as W has it; v_old: what it was when the step before had it in its target.
    Values of states are the case A = 1, a = 0. FloatingPointError once the target has run away to inf or NaN.
    """
    delta, change = target - v, v - v_old if trace == DUTCH else 0.0
    if not np.isfinite(delta + change):
        raise FloatingPointError("delta is inf or NaN: the weights diverge. Take a smaller alpha (divided by phi . phi, say)")
    for row in z:
        for i in range(row.size):
            row[i] *= decay
    mark(trace, z[a], active, phi, alpha)
    step = alpha * (delta + change)
    for w, row in zip(W, z):
        for i in range(row.size):
            w[i] += step * row[i]
    for i in range(active.size):
        W[a, active[i]] -= alpha * change * phi[i]  # 0 but for the dutch trace


trace_step = jit(trace_step, flags=())


def td_lambda(w, rows, experience, trace, lam, alpha, gamma):
    r"""TD(λ) with one of the TRACES; with DUTCH it is true online TD(λ). Changes w; returns w after each episode, (E, F).

    λ = 0 is `td`, whichever the trace. ValueError for a λ outside [0, 1], an unknown trace, and what does not fit together.
    """
    state, reward, next_state, terminated, _ = experience
    ends, first = ends_of(experience, rows, w, gamma, alpha), 0
    if not (0 <= lam <= 1 and trace in (ACCUMULATING, REPLACING, DUTCH)):
        raise ValueError("lam must lie between 0 and 1, and trace must be one of traces.TRACES, a number")
    history, W = np.empty((ends.size, w.size)), w.reshape((1, w.size))  # a view of w
    for k, last in enumerate(ends):
        z, v_old = np.zeros((1, w.size)), 0.0
        for t in range(first, last + 1):
            s, s2 = state[t], next_state[t]
            v, v2 = value(w, rows.active[s], rows.values[s]), 0.0
            if not terminated[t]:
                v2 = value(w, rows.active[s2], rows.values[s2])
            trace_step(trace, W, z, 0, rows.active[s], rows.values[s], reward[t] + gamma * v2, v, v_old, gamma * lam, alpha)
            v_old = v2  # before w moved: it moves v2, too
        first = last + 1
        for i in range(w.size):  # not history[k] = w, which takes numba two seconds to compile
            history[k, i] = w[i]
    return history


td_lambda = jit(td_lambda, flags=())


def lambda_return(w, rows, experience, lam, alpha, gamma):
    r"""The forward view, off-line: at the end of an episode all its G_t^λ, with w as it was during the episode; then
    `step_towards` each, in the order of t. Changes w; returns w after each episode, (E, F).    (Equation 12.4)

    λ = 1 is Monte Carlo. λ = 0 is not quite `td`, whose targets have in them what the episode has taught so far.
    """
    state, reward, next_state, terminated, _ = experience
    ends, first = ends_of(experience, rows, w, gamma, alpha), 0
    if not 0 <= lam <= 1:
        raise ValueError("lam must lie between 0 and 1")
    history, target = np.empty((ends.size, w.size)), np.empty(state.size)
    for k, last in enumerate(ends):
        g = 0.0
        for t in range(last, first - 1, -1):
            s2, v2 = next_state[t], 0.0
            if not terminated[t]:
                v2 = value(w, rows.active[s2], rows.values[s2])
            g = reward[t] + gamma * (v2 if t == last else (1 - lam) * v2 + lam * g)
            target[t] = g
        for t in range(first, last + 1):
            step_towards(w, rows.active[state[t]], rows.values[state[t]], target[t], alpha)
        first = last + 1
        for i in range(w.size):
            history[k, i] = w[i]
    return history


lambda_return = jit(lambda_return, flags=())


def sarsa_lambda(trace, W, z, old, now, phi, a, r, after, phi2, a2, terminated, lam, alpha, gamma):
    r"""Sarsa(λ), one step from (s, a) with reward r to (s', a'): δ = r + γ q̂(s', a') − q̂(s, a).    (Sections 12.7 and 12.8)

    z (A, F) and old (1,), the q̂(s, a) in the target of the step before, must be 0 when an episode begins.
    """
    q2 = 0.0 if terminated else value(W[a2], after, phi2)
    trace_step(trace, W, z, a, now, phi, r + gamma * q2, value(W[a], now, phi), old[0], gamma * lam, alpha)
    old[0] = q2


sarsa_lambda = jit(sarsa_lambda, flags=())
