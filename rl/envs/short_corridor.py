r"""The short corridor (Sutton & Barto, example 13.1): three states that look alike, so that the best policy is a random one.

    S . . G     action 1 goes right and 0 left, but in the second cell they are swapped; each step costs 1; left of S is a wall

A policy that cannot tell the cells apart has one number, p = P(right). From the equations of v for a given p,

    v(S) = −2 (2 − p) / (p (1 − p)),     highest at p = 2 − √2 = 0.5858, where v = −6 − 4√2 = −11.657

Whoever picks the "best" action with probability 1 − ε, whichever it is, does much worse: ε = 0.1 gives −44.2 or −82.1.
"""

import numpy as np

from .tabular import TabularEnvironment

BEST_RIGHT, BEST_VALUE = 2 - 2**0.5, -6 - 4 * 2**0.5


class ShortCorridor(TabularEnvironment):
    """States 0, 1, 2 and the end, 3; actions 0 (left), 1 (right). Truncated after max_episode_steps, if that is given."""

    def __init__(self, max_episode_steps=None):
        next_state = np.array([[0, 1], [2, 0], [1, 3], [3, 3]])[:, :, None]  # (S, A, K)
        ones = np.ones(next_state.shape)
        super().__init__(next_state, ones, -ones, np.arange(4) == 3, np.arange(4) == 0, max_episode_steps)

    @property
    def features(self):
        """X (S, A, K): which of the two actions it is, in all states alike; so π is p = P(right) everywhere."""
        return np.tile(np.eye(2), (4, 1, 1))

    def value(self, p):
        """v(S) of P(right) = p, a number or an array: −2 (2 − p) / (p (1 − p)); −∞ at 0 and 1, where the end is never reached.

        ValueError if p is no probability.
        """
        p = np.asarray(p, np.float64)
        if not ((0 <= p) & (p <= 1)).all():
            raise ValueError(f"p must lie between 0 and 1, not {p}")
        with np.errstate(divide="ignore"):
            return -2 * (2 - p) / (p * (1 - p))

    def render(self, cell=24):
        """RGB image: the four cells, the walker dark blue, the end light blue."""
        image = np.full((cell, 4 * cell, 3), 235, np.uint8)
        image[:, 3 * cell :] = (77, 190, 238)
        if self.rng is not None:
            x = int(self.state) * cell
            image[cell // 4 : -cell // 4, x + cell // 4 : x + cell - cell // 4] = (43, 108, 176)
        image[:, ::cell] = 160
        return image
