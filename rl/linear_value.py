r"""The value of a policy as a linear function of features, v̂(s) = φ(s)ᵀ w: learned from episodes, and in closed form.

Every method makes one and the same move, `step_towards`: w ← w + α (target − φᵀw) φ. Only the target differs:

    gradient Monte Carlo    g                        the return that followed: right on average, noisy, known at the end
    semi-gradient TD        r + γ φ(s')ᵀ w           the next value as w has it now: quieter, biased, known at once
    Sarsa, Q-learning       r + γ q̂(s', a'), r + γ max_a q̂(s', a)            in linear_control.py

"Semi", since TD's target holds w too, and its derivative is left out. So TD descends no error at all. On average it moves
w by α (b − A w), with

    A = Φᵀ D (I − γ P_π) Φ,   b = Φᵀ D r_π,   D = diag(d)

and comes to rest at w* = A⁻¹ b, if it does: A need not be symmetric, and where an eigenvalue has a negative real part, w
runs away (`baird_star`). It cannot where d is the policy's own distribution of states; it can where d is another's.

    Φ (S, F)   the features of each state, one row a state; rows of terminal states count as zero, as their value is 0
    d (S,)     how often each state is seen and updated; not given: the policy's stationary distribution
    J_E, J_BE, J_PBE of Zhao's chapter 8 are VE, BE, PBE here; w of this file is his w; his φ, A, b, D are ours, too

Source: Zhao, section 8.2; Sutton & Barto, chapters 9 and 11.
"""

from typing import NamedTuple

import numpy as np

from minigrad.kernels import jit

from . import mdp as mdps
from .episodes import ends_of


def value(w, active, phi):
    r"""φᵀw over the active features."""
    v = 0.0
    for i in range(active.size):
        v += phi[i] * w[active[i]]
    return v


value = jit(value, flags=(), inline="always")  # no fast-math in this file: every caller gets the same bits


def step_towards(w, active, phi, target, alpha):
    r"""w ← w + α (target − φᵀw) φ, over the active features. FloatingPointError once w has run away to inf or NaN."""
    error = target - value(w, active, phi)
    if not np.isfinite(error):
        raise FloatingPointError("target - v is inf or NaN: the weights diverge. Take a smaller alpha (divided by phi . phi, say)")
    for i in range(active.size):
        w[active[i]] += alpha * error * phi[i]


step_towards = jit(step_towards, flags=(), inline="always")


def gradient_monte_carlo(w, rows, experience, alpha, gamma):
    r"""target = g, counted back from the end of each episode: g ← r + γ g. Changes w; returns w after each episode, (E, F).

    A truncated episode has no end to count from. There g begins with v̂(s'), the best guess of what would have followed.
    """
    state, reward, next_state, terminated, _ = experience
    ends, first = ends_of(experience, rows, w, gamma, alpha), 0
    history = np.empty((ends.size, w.size))
    for k, last in enumerate(ends):
        s = next_state[last]
        g = 0.0 if terminated[last] else value(w, rows.active[s], rows.values[s])
        for t in range(last, first - 1, -1):
            g = reward[t] + gamma * g
            step_towards(w, rows.active[state[t]], rows.values[state[t]], g, alpha)
        first = last + 1
        for i in range(w.size):  # not history[k] = w, which takes numba two seconds to compile
            history[k, i] = w[i]
    return history


gradient_monte_carlo = jit(gradient_monte_carlo, flags=())


def td(w, rows, experience, alpha, gamma):
    r"""target = r + γ v̂(s'): semi-gradient TD(0), Zhao's "TD-Linear". Changes w; returns w after each episode, (E, F).

    After a terminated step nothing follows, v(s') = 0. After a truncated one something would have: v̂(s') counts.
    """
    state, reward, next_state, terminated, _ = experience
    ends, first = ends_of(experience, rows, w, gamma, alpha), 0
    history = np.empty((ends.size, w.size))
    for k, last in enumerate(ends):
        for t in range(first, last + 1):
            s, s2, target = state[t], next_state[t], reward[t]
            if not terminated[t]:
                target += gamma * value(w, rows.active[s2], rows.values[s2])
            step_towards(w, rows.active[s], rows.values[s], target, alpha)
        first = last + 1
        for i in range(w.size):  # not history[k] = w, which takes numba two seconds to compile
            history[k, i] = w[i]
    return history


td = jit(td, flags=())


def least_squares(Phi, v, d):
    r"""The best that these features can do: w = argmin Σ d (v − φᵀw)² = (Φᵀ D Φ)⁻¹ Φᵀ D v; of several such w the shortest.

    (Zhao's section 8.2 prints Φ v in the place of Φᵀ v.)
    """
    root = np.sqrt(d)
    return np.linalg.lstsq(root[:, None] * Phi, root * v, rcond=None)[0]


def on_policy_distribution(mdp, policy, start):
    r"""d (S,) of a task with an end, begun again from start (S,) each time: η = start + P_πᵀ η, d = η / Σ η, 0 at the ends.

    η(s) counts the visits to s in an episode, on average. (Sutton & Barto, equations 9.2 and 9.3)
    """
    P, going, visits = mdps.under(mdp, mdps.check_policy(mdp, policy))[0], ~mdp.terminal, np.zeros(mdp.n_states)
    mdps.check_gamma(1, mdp, P > 0)  # ValueError if an episode need not end
    visits[going] = np.linalg.solve(np.eye(going.sum()) - P[np.ix_(going, going)].T, np.asarray(start)[going])
    return visits / visits.sum()


def parts(mdp, policy, gamma, Phi, d=None):
    r"""What expected updates are made of: Φ, M = (I − γ P_π) Φ, r_π, d. ValueError for shapes that do not fit."""
    if np.ndim(Phi) != 2 or len(Phi) != mdp.n_states:
        raise ValueError(f"Phi must have shape (S, F) with S = {mdp.n_states}, a row for each state, not {np.shape(Phi)}")
    if d is None and mdp.terminal.any():
        raise ValueError("d: where episodes end, the stationary distribution is all in the end: give d=on_policy_distribution(...)")
    P, r = mdps.under(mdp, mdps.check_policy(mdp, policy))
    Phi = np.where(mdp.terminal[:, None], 0.0, Phi)
    d = mdps.stationary_distribution(mdp, policy) if d is None else np.asarray(d)
    if d.shape != (mdp.n_states,) or not (d >= 0).all() or not np.isfinite(Phi).all():
        raise ValueError(f"d must be (S,) = ({mdp.n_states},) shares >= 0, and Phi finite numbers; d has shape {d.shape}")
    return Phi, Phi - mdps.check_gamma(gamma, mdp, P > 0) * P @ Phi, r, d  # (S, F), (S, F), (S,), (S,)


def td_system(mdp, policy, gamma, Phi, d=None):
    r"""A = Φᵀ D M (F, F) and b = Φᵀ D r_π (F,): a step of TD moves w by α (b − A w) on average."""
    Phi, M, r, d = parts(mdp, policy, gamma, Phi, d)
    return Phi.T * d @ M, Phi.T * d @ r  # (F, F), (F,)


def td_fixed_point(mdp, policy, gamma, Phi, d=None):
    r"""w* = A⁻¹ b (F,), where TD rests. PBE is 0 there; VE is not the least, but √VE ≤ 1/(1 − γ) · the least √VE, if d is the
    policy's own. Of several (where features depend on each other) the shortest, in units of each feature's size; ValueError
    if there is none.
    """
    A, b = td_system(mdp, policy, gamma, Phi, d)
    size = np.linalg.norm(Phi, axis=0) + (np.asarray(Phi) == 0).all(axis=0)  # (F,) in units of its size, each counts alike
    A_unit = np.where(np.abs(A) > 1e-15 * size * size[:, None], A / size / size[:, None], 0)  # (F, F), without mere rounding
    w = np.linalg.lstsq(A_unit, b / size, rcond=None)[0] / size
    if not np.allclose(A @ w / size, b / size):
        raise ValueError("td_fixed_point: no w solves A w = b: TD has nowhere to rest with these features")
    return w


def residual_system(mdp, policy, gamma, Phi, d=None):
    r"""A and b as td_system, for the *whole* gradient of BE: E[φ − γφ'] in the place of φ, A = Mᵀ D M and b = Mᵀ D r_π.

    This A has no negative eigenvalue, so a small α never diverges. But w rests elsewhere, at the minimum of BE.
    """
    _, M, r, d = parts(mdp, policy, gamma, Phi, d)
    return M.T * d @ M, M.T * d @ r  # (F, F), (F,)


def expected_updates(A, b, w, alpha, sweeps):
    r"""w ← w + α (b − A w), again and again: w before and after each sweep, (sweeps + 1, F)."""
    history = [np.asarray(w, np.float64)]
    for _ in range(sweeps):
        history.append(history[-1] + alpha * (b - A @ history[-1]))
    return np.array(history)


def tdc(A, b, C, w, alpha, beta, sweeps):
    r"""TD with gradient correction, on average: descends PBE, whatever d is. A, b of td_system, C = Φᵀ D Φ.

    −½ ∇PBE = Aᵀ u with u = C⁻¹ (b − A w). Learn u alongside, by least mean squares, and write Aᵀu = C u − (C − Aᵀ) u:

    w ← w + α (b − A w − (C − Aᵀ) u),   u ← u + β (b − A w − C u)        C − Aᵀ = γ E[φ' φᵀ]: the correction

    Returns w before and after each sweep, (sweeps + 1, F). (Sutton & Barto, section 11.7, where u is called v)
    """
    history, u = [np.asarray(w, np.float64)], np.zeros(len(b))
    for _ in range(sweeps):
        td_step = b - A @ history[-1]
        history.append(history[-1] + alpha * (td_step - (C - A.T) @ u))
        u = u + beta * (td_step - C @ u)
    return np.array(history)


class Errors(NamedTuple):
    """Three mean squares over the states, weighted by d."""

    VE: float  # of v̂ − v: what we want small, and cannot measure without v
    BE: float  # of the Bellman residual r_π + γ P_π v̂ − v̂
    PBE: float  # of the part of the residual that the features can express: 0 at w*


def errors(mdp, policy, gamma, Phi, w, d=None):
    r"""VE, BE and PBE of the weights w."""
    v = mdps.state_values(mdp, policy, gamma)
    Phi, M, r, d = parts(mdp, policy, gamma, Phi, d)
    residual = r - M @ w
    return Errors(*(float(d @ e**2) for e in (Phi @ w - v, residual, Phi @ least_squares(Phi, residual, d))))


def lstd(Phi, experience, gamma, sigma=1e-3):
    r"""Least-squares TD: w = Â⁻¹ b̂ (F,) with Â = σ I + Σ φ (φ − γφ')ᵀ and b̂ = Σ r φ over a record. No step size to choose.

    σ I lets Â be inverted before much has been seen, and pulls w a little towards 0.
    """
    mdps.check_gamma(gamma)
    now, after = Phi[experience.state], Phi[experience.next_state] * ~experience.terminated[:, None]  # (N, F) each
    return np.linalg.solve(sigma * np.eye(Phi.shape[1]) + now.T @ (now - gamma * after), now.T @ experience.reward)


def recursive_lstd(Phi, experience, gamma, sigma=1e-3):
    r"""The same w step by step, in O(F²) each: keep B = Â⁻¹ up to date by the Sherman–Morrison formula, ψ = φ − γφ',

    (Â + φψᵀ)⁻¹ = B − B φ ψᵀ B / (1 + ψᵀ B φ)

    Zhao's page 178 prints "+" for the first "−": B is then no inverse of anything.
    """
    mdps.check_gamma(gamma)
    B, w = np.eye(Phi.shape[1]) / sigma, np.zeros(Phi.shape[1])
    for s, r, s2, terminated, _ in zip(*experience):
        psi = Phi[s] if terminated else Phi[s] - gamma * Phi[s2]
        k = B @ Phi[s] / (1 + psi @ B @ Phi[s])
        w, B = w + k * (r - psi @ w), B - np.outer(k, psi @ B)
    return w


def baird_star():
    r"""Baird's star: an MDP of 7 states and 2 actions, the policy to judge, Φ (7, 8). (Sutton & Barto, figure 11.1)

    Action 0 leads to one of the first six states at random, action 1 to the last; no step pays. The policy always takes
    1, so v = 0, which w = 0 gives exactly. Yet TD that updates all states equally often diverges, for γ = 0.99 and any α.
    """
    P, Phi = np.zeros((7, 2, 7)), 2 * np.eye(7, 8)
    P[:, 0, :6], P[:, 1, 6] = 1 / 6, 1
    Phi[:6, 7], Phi[6, 6:] = 1, (1, 2)
    return mdps.MDP(P, np.zeros((7, 2))), mdps.deterministic_policy(np.ones(7, int), 2), Phi
