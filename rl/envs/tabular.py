r"""Environments with finitely many states and actions: everything about them is in four tables.

One table row for each (s, a) lists its K possible outcomes. From these tables comes the `MDP` that dynamic programming
needs (P and R), and comes `draw`, the one compiled function that plays all such environments: alone in `step`, or inside
a compiled loop over whole episodes, with the same bits.
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


def draw(tables, s, a, rng):
    """Draw an outcome of action a in state s: (s', r). A certain outcome costs no random number."""
    k = 0
    if tables.cumulative[s, a, 0] < 1:
        k = np.searchsorted(tables.cumulative[s, a], rng.random(), side="right")
    return tables.next_state[s, a, k], tables.reward[s, a, k]


draw = jit(draw)


class TabularEnvironment(Environment):
    """next_state, probability, reward: (S, A, K); terminal: (S,) booleans; start: (S,) probabilities of the first state.

    The observation is the state, an integer. ValueError if a row of `probability`, or `start`, is no distribution.
    """

    def __init__(self, next_state, probability, reward, terminal, start, max_episode_steps=None):
        probability, self.start = np.asarray(probability, np.float64), np.asarray(start, np.float64)
        check_distributions(probability, f"{type(self).__name__}: probability")
        check_distributions(self.start, f"{type(self).__name__}: start")
        cumulative = np.cumsum(probability, axis=2)
        cumulative /= cumulative[:, :, -1:]  # the last possible outcome gets exactly 1, whatever the rounding
        self.tables = Tables(np.asarray(next_state, np.int64), cumulative, np.asarray(reward, np.float64), np.asarray(terminal, bool))
        self.probability = probability
        n_states, n_actions, _ = probability.shape
        super().__init__(Discrete(n_states), Discrete(n_actions), max_episode_steps)

    def mdp(self):
        """P and R of these tables; a terminal state stays where it is, for no reward."""
        n_states, n_actions, _ = self.probability.shape
        P = np.zeros((n_states, n_actions, n_states))
        s, a = np.ogrid[:n_states, :n_actions]
        np.add.at(P, (s[..., None], a[..., None], self.tables.next_state), self.probability)
        R = (self.probability * self.tables.reward).sum(axis=2)
        P[self.tables.terminal] = np.eye(n_states)[self.tables.terminal][:, None]
        R[self.tables.terminal] = 0
        return MDP(P, R)

    def begin(self, options):
        """The first state: options["state"], or drawn from `start`."""
        self.state = int(options.get("state", -1))
        if "state" not in options:
            self.state = int(self.rng.choice(len(self.start), p=self.start))
        elif not self.observation_space.contains(options["state"]):
            raise ValueError(f"{type(self).__name__}: state {options['state']!r} is not in {self.observation_space}")
        return self.state

    def move(self, action):
        """One step: (s', r, terminated)."""
        s, reward = draw(self.tables, self.state, int(action), self.rng)
        self.state = int(s)
        return self.state, reward, self.tables.terminal[s]
