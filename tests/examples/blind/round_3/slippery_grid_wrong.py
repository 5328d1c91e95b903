# Exercise slippery-grid: a world on ice (20 minutes). Read first: rl/mdp.py, the notation: P (S, A, S), R (S,
# A).
#
# P (S, A, S) and R (S, A) describe a process. In the slippery one, whatever action is chosen, with probability
# slip a random one of all A actions is executed in its place (which may happen to be the same). Return its P
# (S, A, S) and R (S, A), as a pair; the given arrays stay as they are.

import numpy as np


def slippery(P, R, slip):
    r"""(S, A, S), (S, A), number -> (S, A, S), (S, A)"""
    # with probability slip the transition is that of the mean action
    random_P = P.mean(axis=1, keepdims=True)
    new_P = (1 - slip) * P + slip * random_P
    # the reward belongs to (state, action), it does not change
    return new_P, R.copy()
