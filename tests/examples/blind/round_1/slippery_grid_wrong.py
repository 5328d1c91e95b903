import numpy as np


def slippery(P, R, slip):
    r"""(S, A, S), (S, A), number -> (S, A, S), (S, A)"""
    S, A, _ = P.shape
    newP = np.zeros((S, A, S))
    for s in range(S):
        average = P[s].mean(axis=0)
        for a in range(A):
            newP[s, a] = (1 - slip) * P[s, a] + slip * average
    # the ice changes only where one ends up
    newR = R.copy()
    return newP, newR
