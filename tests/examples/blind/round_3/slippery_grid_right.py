# Exercise slippery-grid: a world on ice (20 minutes). Read first: rl/mdp.py, the notation: P (S, A, S), R (S,
# A).
#
# P (S, A, S) and R (S, A) describe a process. In the slippery one, whatever action is chosen, with probability
# slip a random one of all A actions is executed in its place (which may happen to be the same). Return its P
# (S, A, S) and R (S, A), as a pair; the given arrays stay as they are.

import numpy as np


def slippery(P, R, slip):
    r"""(S, A, S), (S, A), number -> (S, A, S), (S, A)"""
    A = P.shape[1]
    # executed[a, b]: probability that b is executed when a is chosen
    executed = (1 - slip) * np.eye(A) + slip / A * np.ones((A, A))
    new_P = np.einsum("ab,sbn->san", executed, P)
    new_R = np.einsum("ab,sb->sa", executed, R)
    return new_P, new_R
