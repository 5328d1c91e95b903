import numpy as np


def slippery(P, R, slip):
    r"""(S, A, S), (S, A), number -> (S, A, S), (S, A)"""
    # only the dynamics get noisy, the reward stays that of (s, a)
    average = P.mean(axis=1)[:, None, :]
    return (1 - slip) * P + slip * average, R.copy()
