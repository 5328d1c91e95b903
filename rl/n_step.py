r"""n steps of reward, then a guess: what lies between TD (n = 1) and Monte Carlo (n = ∞).

TD waits one step, r₁ + γ v̂(s₁): little noise, much of it guessed. Monte Carlo waits for the end: all noise, no guess.
Nothing forbids to wait n steps. From time t on, with r_{t+1} the reward of the step from s_t to s_{t+1},

    G_{t:t+n} = r_{t+1} + γ r_{t+2} + … + γⁿ⁻¹ r_{t+n} + γⁿ v̂(s_{t+n})          (Sutton & Barto, equation 7.1)

and the move is the one of linear_value.py: `step_towards(w, φ(s_t), G_{t:t+n})`.

    time     t      t+1     t+2     t+3     t+4             a window of n = 3 steps: it is full for the first time when
    state    s ─r─▶ s ─r─▶  s ─r─▶  s ─r─▶  s               r_{t+3} is known. Then s_t is updated, then s_{t+1} with
             └──────────────────────┘                       the next window: always n − 1 steps late
                     └──────────────────────┘

At the end of an episode the windows that are left are shorter. What stands at their end depends on why it ended:

    terminated   nothing follows: G is the plain return
    truncated    v̂ of the last state follows, after as many steps as there are: γᵏ v̂(s_T) with k = T − t < n, not γⁿ

No window crosses into the next episode. (Ring buffers that forget this mix two episodes at every seam.)

Why is n = 4 better than 1? With n = 1 the reward of a long walk moves the value of the *last* state only, in the next
episode that of the last two … With n, it moves n at once. Why not n = 100? Each further reward brings its own noise.

Source: Sutton & Barto, chapter 7, sections 7.1 and 7.2; 10.2 for Sarsa with features. It learns by `sarsa.learn`.
"""

from typing import NamedTuple

import numpy as np

from minigrad.kernels import jit

from .episodes import ends_of
from .linear_value import step_towards, value


def n_step_td(w, rows, experience, n, alpha, gamma):
    r"""target = G_{t:t+n}: n-step TD. Changes w; returns w after each episode, (E, F).

    s_t is updated when s_{t+n} is reached, with w as it is then. Since w changes only by the updates before, in their
    order, this record may be walked through by t: `end` is the state that the window ends in.
    n = 1 is `td`. With n no smaller than the longest episode each target is the return, as in Monte Carlo.
    n = np.inf is Monte Carlo itself. ValueError for an n < 1 or between two whole numbers, for α < 0, and for what does not
    fit together; FloatingPointError when the weights diverge.
    """
    state, reward, next_state, terminated, _ = experience
    ends, first = ends_of(experience, rows, w, gamma, alpha), 0
    if not (n >= 1 and n == np.floor(n)):
        raise ValueError("n must be at least 1, a whole number or infinite: that many steps are waited for")
    wait = int(min(n, state.size))  # no window is longer than the record
    history = np.empty((ends.size, w.size))
    for k, last in enumerate(ends):
        for t in range(first, last + 1):
            end = min(t + wait - 1, last)  # the last step of the window
            s, s2, g = state[t], next_state[end], 0.0
            if not terminated[end]:
                g = value(w, rows.active[s2], rows.values[s2])
            for i in range(end, t - 1, -1):
                g = reward[i] + gamma * g
            step_towards(w, rows.active[s], rows.values[s], g, alpha)
        first = last + 1
        for i in range(w.size):  # not history[k] = w, which takes numba two seconds to compile
            history[k, i] = w[i]
    return history


n_step_td = jit(n_step_td, flags=())


class Window(NamedTuple):
    """The last n steps of an episode: step t is in place t mod n, over the one of n steps ago, which has been learned from."""

    active: np.ndarray  # (n, K) the active features of s_t
    phi: np.ndarray  # (n, K) their values
    action: np.ndarray  # (n,) a_t
    reward: np.ndarray  # (n,) r_{t+1}


def new_window(n, K):
    """Room for n steps, of K active features each."""
    return Window(np.zeros((n, K), np.int64), np.zeros((n, K)), np.zeros(n, np.int64), np.zeros(n))


def n_step_sarsa(W, window, t, now, phi, a, r, after, phi2, a2, terminated, truncated, alpha, gamma):
    r"""Step t of an episode, from (s, a) with reward r to (s', a'): put it into the window, then learn what can be learned.

    G_{t:t+n} = r_{t+1} + γ r_{t+2} + … + γⁿ q̂(s_{t+n}, a_{t+n})     (Sutton & Barto, equation 7.4)

    The window that ends here began at τ = t − n + 1. At the end of the episode all later ones, up to τ = t, end here too.
    """
    n = window.action.size
    here = t % n
    window.action[here], window.reward[here] = a, r
    for i in range(now.size):
        window.active[here, i], window.phi[here, i] = now[i], phi[i]
    newest = t if terminated or truncated else t - n + 1
    for tau in range(max(t - n + 1, 0), newest + 1):
        g = 0.0 if terminated else value(W[a2], after, phi2)  # again for each: W has changed
        for i in range(t, tau - 1, -1):
            g = window.reward[i % n] + gamma * g
        k = tau % n
        step_towards(W[window.action[k]], window.active[k], window.phi[k], g, alpha)


n_step_sarsa = jit(n_step_sarsa, flags=())
