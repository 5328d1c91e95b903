r"""Sarsa with a memory: n-step Sarsa (n_step.py) and Sarsa(λ) (traces.py), two ways to let one reward teach many steps.

linear_control.py learns from a step and forgets it. The methods here remember the episode: `n_step` its last n steps, the
others a trace of all. What an agent does, draws and returns is as there: ε-greedy, a' is chosen before the update.

    n_step                                   a window of n steps; n = 1 is Sarsa of linear_control.py, bit for bit
    accumulating, replacing, true_online     a trace (A, F) with λ; λ = 0 is Sarsa, too

One update, `update`, and two drivers, which run it on the same random numbers and so give the same bits:

    learn        any environment with Gymnasium's contract, step by step in Python
    learn_fast   a world of dynamics.py under tile coding: all episodes in one compiled loop

Source: Sutton & Barto, sections 7.2, 10.2, 12.7 and 12.8.
"""

from typing import NamedTuple

import numpy as np

from minigrad.kernels import jit

from .envs.dynamics import STATE_SIZE, begin, has_kind, observe, step
from .episodes import limit_of, new_world, world_seed
from .features import TileCoding, active_tiles
from .linear_control import Learned, check_tiles, choose, observer, weights
from .mdp import check_count, check_gamma, check_share, check_step
from .n_step import Window, n_step_sarsa, new_window
from .traces import ACCUMULATING, DUTCH, REPLACING, sarsa_lambda

N_STEP = 0
METHODS = {"n_step": N_STEP, "accumulating": ACCUMULATING, "replacing": REPLACING, "true_online": DUTCH}


class Memory(NamedTuple):
    """What has been seen in this episode. Either the window is used or the trace; the other has a size of 1."""

    window: Window
    z: np.ndarray  # (A, F)
    old: np.ndarray  # (1,) q̂(s, a) in the target of the step before


def new_memory(method, n, W, K):
    """An empty memory, for weights W (A, F) and K active features."""
    return Memory(new_window(n if method == N_STEP else 1, K), np.zeros((1, 1) if method == N_STEP else W.shape), np.zeros(1))


def forget(memory):
    """A new episode begins. (The window needs no clearing: it looks back no further than to step 0.)"""
    memory.z[:] = 0.0
    memory.old[0] = 0.0


forget = jit(forget, flags=())


def update(method, W, memory, t, now, phi, a, r, after, phi2, terminated, truncated, lam, alpha, gamma, epsilon, q, rng):
    """Step t of an episode, from (s, a) with reward r to s': learn, and return a'. s is given by `now` and `phi`, s' by
    `after` and `phi2`."""
    a2 = choose(W, after, phi2, epsilon, q, rng)
    if method == N_STEP:
        n_step_sarsa(W, memory.window, t, now, phi, a, r, after, phi2, a2, terminated, truncated, alpha, gamma)
    else:
        sarsa_lambda(method, W, memory.z, memory.old, now, phi, a, r, after, phi2, a2, terminated, lam, alpha, gamma)
    return a2


update = jit(update, flags=())


def check(method, n, lam, alpha, gamma, epsilon, episodes):
    """(number of the method, n, lam, episodes); ValueError for an unknown method or a number out of its range."""
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, not {method!r}")
    check_step(alpha)
    check_gamma(gamma)
    check_share(epsilon, "epsilon")
    return METHODS[method], check_count(n, "n", 1), check_share(lam, "lam"), check_count(episodes, "episodes", 1)


def learn(env, features, episodes, *, method="n_step", n=1, lam=0.0, alpha, gamma=1.0, epsilon=0.1, rng, W=None):
    """Learn by playing so many episodes, in any environment with numbered actions: Learned(W, lengths, returns).

    features: Φ (S, F) for observations that are state numbers, a TileCoding, or any callable on (N, k) coordinates
    method:   one of METHODS; n is for n_step, lam for the others
    alpha:    the step size; with a TileCoding divide by its `tilings`
    W:        (A, F) to go on from, changed in place; zeros if not given
    ValueError for an unknown method or numbers out of range; FloatingPointError when the weights diverge.
    """
    method, n, lam, episodes = check(method, n, lam, alpha, gamma, epsilon, episodes)
    look, memory, lengths, returns = observer(features), None, np.zeros(episodes, np.int64), np.zeros(episodes)
    for episode in range(episodes):
        observation, _ = env.reset(seed=world_seed(rng) if episode == 0 else None)
        now, phi, size = look(observation)
        W = weights(W, env, size)
        memory, q = memory or new_memory(method, n, W, len(now)), np.empty(len(W))
        forget(memory)
        a, running = choose(W, now, phi, epsilon, q, rng), True
        while running:
            observation, r, terminated, truncated, _ = env.step(int(a))
            after, phi2, _ = look(observation)
            a = update(method, W, memory, lengths[episode], now, phi, a, r, after, phi2, terminated, truncated,
                       lam, alpha, gamma, epsilon, q, rng)  # fmt: skip
            now, phi = after, phi2
            lengths[episode], returns[episode] = lengths[episode] + 1, returns[episode] + r
            running = not (terminated or truncated)
    return Learned(W, lengths, returns)


def learn_dynamics(method, W, memory, tiling, kind, state, limit, lengths, returns, lam, alpha, gamma, epsilon, world, rng):
    """The compiled loop over a world of dynamics.py, seen through a tile coding."""
    q, x, phi = np.empty(len(W)), np.empty(tiling.low.size, np.float32), np.ones(len(tiling.shift))
    now, after = np.empty(phi.size, np.int64), np.empty(phi.size, np.int64)
    for episode in range(lengths.size):
        begin(kind, state, world)
        observe(kind, state, x)
        active_tiles(tiling, x, now)
        forget(memory)
        a, running = choose(W, now, phi, epsilon, q, rng), True
        while running:
            r, terminated = step(kind, state, a)
            observe(kind, state, x)
            active_tiles(tiling, x, after)
            truncated = lengths[episode] + 1 == limit
            a = update(method, W, memory, lengths[episode], now, phi, a, r, after, phi, terminated, truncated,
                       lam, alpha, gamma, epsilon, q, rng)  # fmt: skip
            now, after = after, now
            lengths[episode] += 1
            returns[episode] += r
            running = not (terminated or truncated)


learn_dynamics = jit(learn_dynamics, flags=())


def learn_fast(env, features, episodes, *, method="n_step", n=1, lam=0.0, alpha, gamma=1.0, epsilon=0.1, rng, W=None):
    """The same as `learn`, bit for bit, in one compiled loop. env: a world with a `kind` (MountainCar); features: a TileCoding."""
    if not (has_kind(env) and isinstance(features, TileCoding)):
        raise TypeError(f"learn_fast: no compiled loop for {type(env).__name__} with these features: use learn")
    method, n, lam, episodes = check(method, n, lam, alpha, gamma, epsilon, episodes)
    check_tiles(env, features)
    W, world = weights(W, env, features.size), new_world(rng)
    lengths, returns = np.zeros(episodes, np.int64), np.zeros(episodes)
    learn_dynamics(method, W, new_memory(method, n, W, features.tilings), features.tiling, env.kind, np.empty(STATE_SIZE[env.kind]),
                   limit_of(env), lengths, returns, lam, float(alpha), float(gamma), float(epsilon), world, rng)  # fmt: skip
    return Learned(W, lengths, returns)
