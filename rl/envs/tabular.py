r"""Environments with finitely many states and actions: everything about them is in four tables.

One table row for each (s, a) lists its K possible outcomes. From these tables comes the `MDP` that dynamic programming
needs (P and R), and the one rule that plays all such environments: `draw_one` in `step`, its compiled twin `draw` inside
compiled loops over whole episodes, with the same bits.
"""

from typing import NamedTuple

import numpy as np

from minigrad.kernels import jit

from ..mdp import MDP, check_distributions
from ..spaces import Discrete
from .environment import Environment


class Tables(NamedTuple):
    """A finite world as arrays, K outcomes for each state and action."""

    next_state: np.ndarray  # (S, A, K) integers
    cumulative: np.ndarray  # (S, A, K) probabilities of the outcomes, summed up: the last is 1
    reward: np.ndarray  # (S, A, K)
    terminal: np.ndarray  # (S,) booleans


def draw_one(tables, s, a, rng):
    """Draw an outcome of action a in state s: (s', r). A certain outcome costs no random number."""
    u, k = rng.random() if tables.cumulative[s, a, 0] < 1 else 0.0, 0
    while tables.cumulative[s, a, k] <= u:  # the last is 1, and u is less
        k += 1
    return tables.next_state[s, a, k], tables.reward[s, a, k]


draw = jit(draw_one, flags=())  # called from Python it would be slower: handing over the tables takes 8 µs


class TabularEnvironment(Environment):
    """next_state, probability, reward: (S, A, K); terminal: (S,) booleans; start: (S,) probabilities of the first state.

    The observation is the state, an integer. A terminal state is made to stay where it is, for no reward, whatever the
    tables say of it. ValueError if shapes do not fit, a next state does not exist, a reward is not finite, or a row of
    `probability`, or `start`, is no distribution.
    """

    def __init__(self, next_state, probability, reward, terminal, start, max_episode_steps=None):
        next_state, terminal = np.array(next_state, np.int64), np.array(terminal, bool)
        probability, reward, self.start = (np.array(x, np.float64) for x in (probability, reward, start))
        self.check(next_state, probability, reward, terminal)
        self.start /= self.start.sum()  # it may miss 1 by a float32's rounding
        n_states, n_actions, _ = probability.shape
        next_state[terminal] = np.arange(n_states)[terminal][:, None, None]
        probability[terminal], reward[terminal] = np.arange(probability.shape[2]) == 0, 0  # the first outcome is certain
        cumulative = np.cumsum(probability, axis=2)
        cumulative /= cumulative[:, :, -1:]  # the last possible outcome gets exactly 1, whatever the rounding
        self.tables, self.probability = Tables(next_state, cumulative, reward, terminal), probability
        super().__init__(Discrete(n_states), Discrete(n_actions), max_episode_steps)

    def check(self, next_state, probability, reward, terminal):
        """ValueError for tables that are none: the compiled `draw` looks things up without asking whether they exist."""
        name = type(self).__name__
        shapes = [next_state.shape, probability.shape, reward.shape]
        if len(set(shapes)) > 1 or probability.ndim != 3 or not probability.size:
            raise ValueError(f"{name}: next_state, probability and reward must have one shape (S, A, K), not {shapes}")
        n_states, shapes = len(probability), [terminal.shape, self.start.shape]
        if set(shapes) != {(n_states,)}:
            raise ValueError(f"{name}: terminal and start must have shape (S,) = ({n_states},), not {shapes}")
        if (wrong := (next_state < 0) | (next_state >= n_states)).any():
            raise ValueError(f"{name}: next_state holds {next_state[wrong][0]}: states are 0 ... {n_states - 1}")
        if not np.isfinite(reward).all():
            raise ValueError(f"{name}: a reward is {reward[~np.isfinite(reward)][0]}: every reward must be a finite number")
        check_distributions(probability, f"{name}: probability")
        check_distributions(self.start, f"{name}: start")

    def mdp(self):
        """P and R of these tables."""
        n_states, n_actions, _ = self.probability.shape
        P = np.zeros((n_states, n_actions, n_states))
        s, a = np.ogrid[:n_states, :n_actions]
        np.add.at(P, (s[..., None], a[..., None], self.tables.next_state), self.probability)
        return MDP(P, (self.probability * self.tables.reward).sum(axis=2))

    def begin(self, options):
        """The first state: options["state"], or drawn from `start`."""
        if "state" not in options:
            self.state = int(self.rng.choice(len(self.start), p=self.start))
        elif self.observation_space.contains(options["state"]):
            self.state = int(options["state"])
        else:
            raise ValueError(f"{type(self).__name__}: state {options['state']!r} is not in {self.observation_space}")
        return self.state

    def move(self, action):
        """One step: (s', r, terminated)."""
        s, reward = draw_one(self.tables, self.state, int(action), self.rng)
        self.state = int(s)
        return self.state, reward, self.tables.terminal[s]
