r"""Maximisation bias (Sutton & Barto, example 6.7): two choices, and the noise of one of them looks like a promise.

    end  <-- right, 0 --  A  -- left, 0 -->  B  == ten actions alike, each pays N(-0.1, 1) ==> end

To go left is worth −0.1, so right is better. But of ten means of a few noisy rewards, the largest is above 0: who takes
max_a Q(B, a) for the value of B goes left, for hundreds of episodes.
"""

from statistics import NormalDist

import numpy as np

from ..mdp import check_count
from .tabular import TabularEnvironment

LEFT, RIGHT = 0, 1


class MaximizationBias(TabularEnvironment):
    """States: A is 0, B is 1, the end is 2. Action 0 is left.

    n:       actions of B
    offered: (S,) how many actions a state has, here 2 in A and n in B, numbered from 0. (In A, a higher number does as
             "right" does, but an agent that counts it as an action of its own explores differently.)
    A table holds no normal distribution: the rewards are K = 1,000 equally likely quantiles of it, with its mean and variance.
    """

    def __init__(self, n=10, max_episode_steps=None):
        n, K = check_count(n, "MaximizationBias: n", 2), 1000
        z = np.array([NormalDist().inv_cdf((k + 0.5) / K) for k in range(K)])  # (K,)
        z = z - z[::-1]  # (K,) symmetric to the last bit, so its mean is 0
        reward, next_state = np.zeros((3, n, K)), np.full((3, n, K), 2)
        next_state[0, LEFT], reward[1] = 1, -0.1 + z / z.std()
        ends, self.offered = np.array([False, False, True]), np.array([2, n, 1])
        super().__init__(next_state, np.full(reward.shape, 1 / K), reward, ends, np.array([1, 0, 0]), max_episode_steps)

    def render(self, cell=24):
        """RGB image: B, A and the end from left to right; the agent is the blue one."""
        image = np.full((1, 3, 3), 230, np.uint8)
        if self.rng is not None:
            image[0, (1, 0, 2)[self.state]] = (43, 108, 176)
        return image.repeat(cell, 0).repeat(cell, 1)
