r"""Random walks along a line (Sutton & Barto, examples 7.1 and 9.1; 6.2 pays 0 on the left): prediction without any choice.

States 1 ... n; from each a jump of 1 ... `jump` places to the left or right, all 2 · jump of them equally likely. Whoever
would leave the line ends, on the left with reward −1, on the right with +1. States 0 and n + 1 are those ends.
"""

import numpy as np

from ..mdp import check_count
from .tabular import TabularEnvironment


class RandomWalk(TabularEnvironment):
    """n: states between the ends; jump: the longest jump; every episode starts in the middle, at (n + 1) // 2."""

    def __init__(self, n=1000, jump=100, max_episode_steps=None):
        self.n, jump = check_count(n, "RandomWalk: n", 1), check_count(jump, "RandomWalk: jump", 1)
        jumps = np.r_[-jump:0, 1 : jump + 1]  # (2 jump,)
        next_state = np.clip(np.arange(n + 2)[:, None] + jumps, 0, n + 1)[:, None, :]  # (S, 1, K)
        reward = (next_state == n + 1).astype(float) - (next_state == 0)
        ends = np.isin(np.arange(n + 2), [0, n + 1])
        start = np.arange(n + 2) == (n + 1) // 2
        super().__init__(next_state, np.full(next_state.shape, 1 / (2 * jump)), reward, ends, start, max_episode_steps)

    def render(self, width=402, height=40):
        """RGB image: the line, and the walker on it."""
        image = np.full((height, width, 3), 255, np.uint8)
        image[height // 2, :] = 160
        if self.rng is not None:
            x = int(self.state / (self.n + 1) * (width - 9))
            image[height // 2 - 4 : height // 2 + 5, x : x + 9] = (43, 108, 176)
        return image
